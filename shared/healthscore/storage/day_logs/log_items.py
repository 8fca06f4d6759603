"""The items of day logs in table Activity: how heads and blocks are read, written, and remembered."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from healthscore import process
from healthscore.core.day_log import log as day_log
from healthscore.core.day_log.log import NOTHING_SEALED
from healthscore.core.time import DAY
from healthscore.storage import schema
from healthscore.storage.batches import batch_get
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import BeingErasedError

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from healthscore.core.day_log.log import Sealed

EXPIRY_MARGIN_DAYS = 35
"""Days are kept this much longer than events are accepted, so that the oldest score's window is still whole."""


class LogKey(NamedTuple):
    """Where a log lies: the partition of an account or a person, the day, and the shard."""

    pk: str
    day: date
    shard: int = 0


@dataclass(frozen=True, slots=True)
class StoredHead:
    """A head as it was read; `version` is None where there is none yet, and `head` then is what it should begin as."""

    version: str | None
    head: day_log.Head


NO_HEAD = StoredHead(None, day_log.EMPTY_HEAD)


def stored_head(day: date, item: dict[str, Any]) -> StoredHead:
    """What a head item says."""
    return StoredHead(item["v"]["S"], day_log.decode_head(day, item["l"]["B"]))


def people_in(item: dict[str, Any]) -> set[str]:
    """The people whose events are in an item of a log, head or block; nobody in any other item."""
    kind, _, rest = item["sk"]["S"].partition("#")
    if "l" not in item or "B" not in item["l"]:
        return set()
    day, data = schema.parse_day_key(schema.DAYS_PREFIX + "#".join(rest.split("#")[:2]))[0], item["l"]["B"]
    entries = day_log.decode_head(day, data).tail if kind == "D" else day_log.decode_block(day, data)[1]
    return {entry.person for entry in entries if entry.person is not None}


def overhead(pk: str) -> int:
    """Bytes of a head item beside roll-up and log: attribute names, keys, version and expiry."""
    return len(pk.encode()) + _FIXED_OVERHEAD


_FIXED_OVERHEAD = len("pkskvrlttl") + len("D#2026-11-20#00") + 11 + 6


def expiry(day: date, retention_days: int) -> int:
    """When the items of a day expire, in seconds since the Unix epoch."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int((midnight + (retention_days + EXPIRY_MARGIN_DAYS) * DAY).timestamp())


def read_heads(pk: str, day: date) -> dict[int, StoredHead]:
    """The heads of a day as they stand now, by shard; those that are not there are left out."""
    items = pages(
        dynamodb().query,
        TableName=schema.activity_table(),
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues={":pk": {"S": pk}, **schema.day_range(day, day)},
        ProjectionExpression="sk, v, l",
        ConsistentRead=True,
    )
    return {schema.parse_day_key(item["sk"]["S"])[1]: stored_head(day, item) for item in items}


def read_blocks(key: LogKey, after: int = 0) -> dict[bytes, bytes]:
    """The data of a log's blocks behind position `after`, by token, those that no head leads to included."""
    prefix = schema.blocks_prefix(key.day, key.shard)
    items = pages(
        dynamodb().query,
        TableName=schema.activity_table(),
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues={
            ":pk": {"S": key.pk},
            ":first": {"S": f"{prefix}{after + 1:06d}"},
            ":last": {"S": f"{prefix}~"},
        },
        ConsistentRead=True,
    )
    return {bytes.fromhex(item["sk"]["S"].rpartition("#")[2]): item["l"]["B"] for item in items}


def put_block(key: LogKey, block: day_log.Block, expires: int) -> None:
    """Write a block; it counts only once a head leads to it."""
    call(
        dynamodb().put_item,
        TableName=schema.activity_table(),
        Item={
            "pk": {"S": key.pk},
            "sk": {"S": schema.block_key(key.day, key.shard, block.position, block.token)},
            "l": {"B": block.data},
            "ttl": {"N": str(expires)},
        },
    )


def head_put(
    key: LogKey, log: bytes, rollup: str | None, *, read_version: str | None, version: str, expires: int
) -> dict[str, Any]:
    """The put of a head, on condition that the head there is still the one read (None: that there is none).

    A head without entries has no roll-up.
    """
    item: dict[str, Any] = {
        "pk": {"S": key.pk},
        "sk": {"S": schema.day_key(key.day, key.shard)},
        "v": {"S": version},
        "l": {"B": log},
        "ttl": {"N": str(expires)},
    }
    if rollup is not None:
        item["r"] = {"S": rollup}
    put: dict[str, Any] = {"TableName": schema.activity_table(), "Item": item}
    if read_version is None:
        put["ConditionExpression"] = "attribute_not_exists(pk)"
    else:
        put["ConditionExpression"] = "v = :read"
        put["ExpressionAttributeValues"] = {":read": {"S": read_version}}
    return put


@dataclass(frozen=True, slots=True)
class DayLogReads:
    """What a batch of entries needs to know before it is committed."""

    heads: dict[LogKey, StoredHead]
    """Heads that were asked for; for one that is not there, what it should begin as."""
    first_seen: dict[str, str | None]
    """First-seen times of event names as stored, by the partition key of an account's logs; None where it has none."""

    def head(self, pk: str, day: date) -> StoredHead:
        """The head of a day, that of its first shard."""
        return self.heads[LogKey(pk, day)]


def read_logs(logs: Collection[LogKey], pks: Collection[str]) -> DayLogReads:
    """Read the heads of logs, and the first-seen times of those partitions that are accounts', a hundred items a call.

    Heads are read consistently, for fewer lost races; first-seen times need not be, since a stale one only makes the
    transaction it causes fail and be made again.

    Raises:
        StorageUnavailableError: the tables cannot be read now, or one of the accounts is being erased.
    """
    accounts = {account: pk for pk in pks if (account := schema.account_of(pk)) is not None}
    wanted = [
        (schema.activity_table(), {"pk": {"S": pk}, "sk": {"S": schema.day_key(day, shard)}}) for pk, day, shard in logs
    ]
    wanted += [(schema.accounts_table(), {"account_id": {"S": account}}) for account in sorted(accounts)]
    heads = dict.fromkeys(logs, NO_HEAD)
    first_seen: dict[str, str | None] = dict.fromkeys(accounts.values())
    for table, item in batch_get(wanted, _shapes()):
        if table == schema.accounts_table():
            if schema.ERASING in item:
                raise BeingErasedError("an account of the batch is being erased")
            first_seen[accounts[item["account_id"]["S"]]] = item["names"]["S"] if "names" in item else None
        else:
            key = LogKey(item["pk"]["S"], *schema.parse_day_key(item["sk"]["S"]))
            heads[key] = stored_head(key.day, item)
    return DayLogReads(heads, first_seen)


def _shapes() -> dict[str, dict[str, Any]]:
    account = {
        "ProjectionExpression": f"account_id, #names, {schema.ERASING}",
        "ExpressionAttributeNames": {"#names": "names"},
    }
    head = {"ProjectionExpression": "pk, sk, v, l", "ConsistentRead": True}
    return {schema.accounts_table(): account, schema.activity_table(): head}


MAX_ENTRIES = 200_000
"""Log entries kept in all, about 100 bytes each; the least recently used logs go first."""


class SealedCache:
    """Keeps sealed parts by log. Blocks never change: what is kept can be old, but never wrong."""

    def __init__(self, max_entries: int = MAX_ENTRIES) -> None:
        self._max_entries = max_entries
        self._parts: OrderedDict[LogKey, Sealed] = OrderedDict()
        self._entries = 0
        self._lock = Lock()
        process.remember(self)

    def get(self, key: LogKey) -> Sealed:
        """The part kept of a log, or `NOTHING_SEALED`."""
        with self._lock:
            part = self._parts.get(key)
            if part is None:
                return NOTHING_SEALED
            self._parts.move_to_end(key)
            return part

    def keep(self, key: LogKey, part: Sealed) -> None:
        """Keep a part, in place of the one kept of that log before."""
        if not part.blocks:
            return
        with self._lock:
            before = self._parts.pop(key, NOTHING_SEALED)
            self._parts[key] = part
            self._entries += len(part.seen) - len(before.seen)
            while self._entries > self._max_entries:
                _, oldest = self._parts.popitem(last=False)
                self._entries -= len(oldest.seen)

    def forget(self) -> None:
        """Keep nothing any more."""
        with self._lock:
            self._parts.clear()
            self._entries = 0
