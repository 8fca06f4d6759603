"""The items of day logs in table Activity: how heads and blocks are read, written, and cached."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from healthscore import process
from healthscore.core.day_log import log as day_log
from healthscore.core.day_log.codec import Entry
from healthscore.core.day_log.log import NOTHING_SEALED
from healthscore.core.time import DAY
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.accounts import fold_state, more_names
from healthscore.storage.accounts.merges import merged_error
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.errors import BeingErasedError, ConditionFailedError
from healthscore.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date

    from healthscore.core.day_log.log import Sealed
    from healthscore.storage.codec import Item
    from healthscore.storage.writes import Write

EXPIRY_MARGIN_DAYS = 35
"""Days are kept this much longer than events are accepted, so that the oldest score's window is still whole."""


class LogKey(NamedTuple):
    """The key of a log: the partition of an account or a person, the day, and the shard."""

    pk: str
    day: date
    shard: int = 0


class StoredHead(NamedTuple):
    """A head as it was read. Where there is none, `version` is None, and `head` is what the first put begins with."""

    version: str | None
    head: day_log.Head
    places: str | None = None
    """In an id's own log: where the entries count, as of `core.identity.places`."""
    expires: int = 0
    """When the head expires, in seconds since the Unix epoch, and no block that it leads to before."""


NO_HEAD = StoredHead(None, day_log.EMPTY_HEAD)


def stored_head(day: date, item: Item) -> StoredHead:
    """The head in a head's item."""
    head = day_log.decode_head(day, codec.binary_of(item, "l"))
    return StoredHead(codec.text_of(item, "v"), head, codec.optional_text_of(item, "p"), codec.number_of(item, "ttl"))


def people_in(item: Item) -> set[str]:
    """The people whom an item of an account names: whose events are in a head or block, or who is one of its people."""
    sk = codec.text_of(item, "sk")
    if sk.startswith(schema.MEMBERS_PREFIX):
        return {sk.removeprefix(schema.MEMBERS_PREFIX)}
    if "l" not in item or "B" not in item["l"]:
        return set()
    day, data = schema.parse_day_key(sk)[0], codec.binary_of(item, "l")
    is_head = sk.startswith(schema.DAYS_PREFIX)
    entries = day_log.decode_head(day, data).tail if is_head else day_log.decode_block(day, data)[1]
    return {entry.person for entry in entries if entry.person is not None}


def version_of(versions: Iterable[tuple[int, str]]) -> int:
    """What tells the log of a day from any other that the day has had, in 32 bits.

    Args:
        versions: shard and version of its heads, lowest shard first.
    """
    return crc32(" ".join(f"{shard}:{version}" for shard, version in versions).encode())


def overhead(pk: str) -> int:
    """Bytes of a head item beside roll-up and log: attribute names, keys, version and expiry."""
    return len(pk.encode()) + _FIXED_OVERHEAD


_FIXED_OVERHEAD = len("pkskvrlttl") + len("D#2026-11-20#00") + 11 + 6


def expiry(day: date, retention_days: int) -> int:
    """When the items of a day expire, in seconds since the Unix epoch."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int((midnight + (retention_days + EXPIRY_MARGIN_DAYS) * DAY).timestamp())


def head_key(key: LogKey) -> Item:
    """The key of a log's head."""
    return codec.key(key.pk, schema.day_key(key.day, key.shard))


def block_key(key: LogKey, position: int, token: bytes) -> Item:
    """The key of a block of a log."""
    return codec.key(key.pk, schema.block_key(key.day, key.shard, position, token))


def read_heads(pk: str, day: date) -> dict[int, StoredHead]:
    """The present heads of a day, by shard; those that are not there are left out."""
    stretch = schema.day_range(day, day)
    request = reads.partition(schema.activity_table(), pk, between=stretch, attributes=("sk", "v", "l", "p", "ttl"))
    items = pages(dynamodb().query, **request)
    return {schema.parse_day_key(codec.text_of(item, "sk"))[1]: stored_head(day, item) for item in items}


def read_blocks(key: LogKey, after: int = 0, *, consistent: bool = True) -> dict[bytes, bytes]:
    """The data of a log's blocks behind position `after`, by token, those that no head leads to included."""
    stretch = schema.block_range(key.day, key.shard, after)
    request = reads.partition(schema.activity_table(), key.pk, between=stretch, consistent=consistent)
    items = pages(dynamodb().query, **request)
    return {schema.block_token(codec.text_of(item, "sk")): codec.binary_of(item, "l") for item in items}


Walked = list[tuple[int, bytes, list[Entry]]]
"""Position, token and entries of blocks, last one first."""


def walk(key: LogKey, stored: StoredHead, blocks: Mapping[bytes, bytes]) -> Walked:
    """The blocks that a head leads to, as far as they are there.

    The items of a day expire one by one, in any order and within days. So blocks may be gone of which the head is still
    there: what is left is all that there is then.

    Args:
        key: the log.
        stored: its head as it was read.
        blocks: data of its blocks, by token, as they were read before or after the head.

    Raises:
        MissingBlockError: the log was rewritten between the reads; read it again.
        StorageUnavailableError: the table cannot be read now.
    """
    try:
        return list(day_log.walk_blocks(key.day, stored.head, blocks))
    except day_log.MissingBlockError:
        blocks = read_blocks(key)
        if not is_present(key, stored):
            raise
        return list(day_log.walk_blocks(key.day, stored.head, blocks, expired=True))


def is_present(key: LogKey, stored: StoredHead) -> bool:
    """Whether a head is still the one that was read.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return read_heads(key.pk, key.day).get(key.shard, NO_HEAD).version == stored.version


def kept_until(stored: StoredHead, expires: int) -> int:
    """When a log expires that is written to: as the setting says now, and never earlier than it did."""
    return max(stored.expires, expires)


def keep_blocks(key: LogKey, stored: StoredHead, expires: int) -> None:
    """Keep the blocks of a log as long as a head that is about to be put in the place of the one that was read.

    They were written when days were kept for a shorter time. This costs a write for each of them, once.

    Raises:
        StorageUnavailableError: some may expire earlier; the same call goes on.
    """
    if not stored.head.blocks or stored.expires >= expires:
        return

    def keep(token_at: tuple[int, bytes]) -> None:
        sets = {"ttl": codec.number(expires)}
        update = writes.update(schema.activity_table(), block_key(key, *token_at), conditions.EXISTS, sets=sets)
        with suppress(ConditionFailedError):  # it has expired, or the log was rewritten
            writes.apply(update)

    led_to = [(position, token) for position, token, _ in walk(key, stored, read_blocks(key))]
    side_by_side(keep, led_to)


def put_block(key: LogKey, block: day_log.Block, expires: int) -> None:
    """Write a block; it counts only once a head leads to it."""
    item = {
        **block_key(key, block.position, block.token),
        "l": codec.binary(block.data),
        "ttl": codec.number(expires),
    }
    writes.apply(writes.put(schema.activity_table(), item))


def head_put(
    key: LogKey,
    log: bytes,
    rollup: str | None,
    *,
    read_version: str | None,
    version: str,
    expires: int,
    places: str | None = None,
) -> Write:
    """The put of a head, on condition that the head there is still the one read (None: that there is none).

    A head without entries has no roll-up, and only that of an id's own log has places.
    """
    item = {**head_key(key), "v": codec.text(version), "l": codec.binary(log), "ttl": codec.number(expires)}
    if rollup is not None:
        item["r"] = codec.text(rollup)
    if places is not None:
        item["p"] = codec.text(places)
    return writes.put(schema.activity_table(), item, conditions.version_is(read_version))


class DayLogReads(NamedTuple):
    """What was read before a batch of entries is committed."""

    heads: dict[LogKey, StoredHead]
    """Heads that were asked for; for one that is not there, what its first put should begin with."""
    first_seen: dict[str, str | None]
    """First-seen times of event names as stored, by the partition key of an account's logs; None where it has none."""
    late: dict[str, fold_state.Marked]
    """What accounts say of late changes, by the same key; one that is not there says nothing."""

    def head(self, pk: str, day: date) -> StoredHead:
        """The head of a day, that of its first shard."""
        return self.heads[LogKey(pk, day)]


def read_logs(logs: Collection[LogKey], pks: Collection[str]) -> DayLogReads:
    """Read the heads of logs, and the first-seen times of the accounts of partitions, a hundred items a call.

    Heads are read consistently, for fewer lost races; first-seen times need not be, since a stale one only makes its
    transaction fail and be made again.

    Raises:
        MergedError: one of the accounts was given up for another one.
        StorageUnavailableError: the tables cannot be read now, or one of the accounts is being erased.
    """
    accounts = {schema.account_of(pk): pk for pk in pks}
    wanted = [(schema.activity_table(), head_key(key)) for key in logs]
    wanted += [(schema.accounts_table(), codec.account_key(account)) for account in sorted(accounts)]
    heads = dict.fromkeys(logs, NO_HEAD)
    first_seen: dict[str, str | None] = dict.fromkeys(accounts.values())
    marked: dict[str, fold_state.Marked] = {}
    for table, item in reads.batch_get(wanted, _shapes()):
        if table == schema.accounts_table():
            if schema.ERASING in item:
                raise BeingErasedError("an account of the batch is being erased")
            if schema.INTO in item:
                raise merged_error()
            account_id, names = codec.text_of(item, "account_id"), codec.optional_text_of(item, "names")
            first_seen[accounts[account_id]] = names if names is None else more_names.fit(account_id, names)
            marked[accounts[account_id]] = fold_state.of_item(item)
        else:
            key = LogKey(codec.text_of(item, "pk"), *schema.parse_day_key(codec.text_of(item, "sk")))
            heads[key] = stored_head(key.day, item)
    return DayLogReads(heads, first_seen, marked)


def _shapes() -> dict[str, dict[str, Any]]:
    head = {**reads.projection(("pk", "sk", "v", "l", "p", "ttl")), "ConsistentRead": True}
    return {schema.accounts_table(): reads.projection(FIRST_SEEN), schema.activity_table(): head}


FIRST_SEEN = ("account_id", "names", schema.ERASING, schema.INTO, *fold_state.ATTRIBUTES)
"""What a commit reads of an account."""
MAX_ENTRIES = 200_000
"""Log entries kept in all, about 100 bytes each; the least recently used logs go first."""


class SealedCache:
    """Keeps sealed parts by log. Blocks never change, so what is kept can be out of date, but never wrong."""

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
        """Drop everything that is kept."""
        with self._lock:
            self._parts.clear()
            self._entries = 0
