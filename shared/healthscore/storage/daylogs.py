"""Committing entries to day logs (tables Activity and Accounts).

Committing follows `healthscore.core.daylog`: read, work out the append, write new segments, put the head on condition
that its version is still the one read. Where an event name is seen earlier than the account knows, or the account is
not known at all, the head goes into one transaction with the account's item, so that neither is there without the
other; every other commit, that is nearly all of them, is one plain put.

A process that dies before the put has changed nothing that counts; one that dies behind it has committed. A put whose
answer is lost is recognised by the version it wrote.

Logs are addressed by partition key: an account's (`keys.activity_pk`), or that of a person who belongs to no account
yet (`keys.person_pk`), which has no account item beside it.
"""

from __future__ import annotations

import json
import random
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from healthscore.core import daylog
from healthscore.core.firsts import with_firsts
from healthscore.core.timeline import format_instant
from healthscore.storage import keys, log_items
from healthscore.storage.client import call, dynamodb
from healthscore.storage.errors import ConditionFailedError, StorageUnavailableError
from healthscore.storage.log_items import NO_HEAD, StoredHead, expiry, stored_head
from healthscore.storage.sealed import SealedCache

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import date, datetime

    from healthscore.core.pack import Entry

ATTEMPTS = 12
"""Races a commit may lose before it gives up; with full jitter up to a second each, some seconds in all."""
_BATCH = 100
_sealed_parts = SealedCache()


class Fence(Protocol):
    """Items elsewhere in the tables, as they were read."""

    def checks(self) -> list[dict[str, Any]]:
        """Conditions, as parts of a transaction, that hold while the items are as they were read."""

    def verify(self) -> None:
        """Raise `MovedError` where the items are not as they were read."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a batch of entries needs to know before it is committed."""

    heads: dict[tuple[str, date], StoredHead]
    """Heads by partition key and day; those that are not there are left out."""
    firsts: dict[str, str | None]
    """First-seen times of event names as stored, by the partition key of an account's logs; None where it has none."""

    def head(self, pk: str, day: date) -> StoredHead:
        """The head of a day; `NO_HEAD` where it is not there."""
        return self.heads.get((pk, day), NO_HEAD)


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of the entries of one log and day."""

    accepted: int
    duplicates: int
    firsts: str | None
    """The account's first-seen times as they now stand; None for a person's log."""


def read(days: Collection[tuple[str, date]]) -> Reading:
    """Read the heads of days by partition key, and the accounts' first-seen times, a hundred items a call.

    Heads are read consistently, for fewer lost races; first-seen times need not be, since a stale one only makes the
    transaction it causes fail and be made again.

    Raises:
        StorageUnavailableError: the tables cannot be read now.
    """
    wanted = [(keys.activity_table(), {"pk": {"S": pk}, "sk": {"S": keys.day_key(day)}}) for pk, day in days]
    accounts = {account: pk for pk, _ in days if (account := keys.account_of(pk)) is not None}
    wanted += [(keys.accounts_table(), {"account_id": {"S": account}}) for account in sorted(accounts)]
    heads: dict[tuple[str, date], StoredHead] = {}
    firsts: dict[str, str | None] = dict.fromkeys(accounts.values())
    by_key = {(pk, keys.day_key(day)): day for pk, day in days}
    for table, item in _batch_get(wanted):
        if table == keys.accounts_table():
            firsts[accounts[item["account_id"]["S"]]] = item["names"]["S"] if "names" in item else None
        else:
            pk = item["pk"]["S"]
            day = by_key[pk, item["sk"]["S"]]
            heads[pk, day] = stored_head(day, item)
    return Reading(heads, firsts)


def commit(
    pk: str,
    day: date,
    entries: Sequence[Entry],
    *,
    stored: StoredHead,
    firsts: str | None,
    milestones: Collection[str],
    retention_days: int,
    now: datetime,
    fence: Fence | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Committed:
    """Add entries to the log of one day, each exactly once.

    Args:
        pk: partition key of the log; where it is an account's, the account is created if it is not there yet.
        day: the day, in the workspace's zone, on which all the entries fall.
        entries: at least one; ids that are in the log already, or repeat among themselves, are counted as duplicates.
        stored: the head as read beforehand.
        firsts: the account's first-seen times as read beforehand; None for a person's log.
        milestones: event names whose first time is always remembered.
        retention_days: how long days are kept.
        now: when the request came in: the birthday of an account that is created.
        fence: what must still stand as it was read at the moment of the commit; it is then a transaction.
        sleep: waits between attempts.

    Raises:
        MovedError: the fence does not stand any more, and nothing was committed.
        StorageUnavailableError: not committed, or not known to be; the same entries may be committed again.
    """
    version, accepted = None, 0
    account_id, expires = keys.account_of(pk), expiry(day, retention_days)
    for attempt in range(ATTEMPTS):
        if attempt:
            sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))  # noqa: S311  (jitter)
            again = read([(pk, day)])
            stored, firsts = again.head(pk, day), again.firsts.get(pk)
            if version is not None and stored.version == version:
                return Committed(accepted, len(entries) - accepted, firsts)
            if fence is not None:
                fence.verify()
        version, salt = secrets.token_urlsafe(8), secrets.token_bytes(8)
        try:
            sealed = _sealed(pk, day, stored)
            append = daylog.append(day, sealed, stored.head.tail, entries, log_items.overhead(pk), salt=salt)
            if append is None:
                return Committed(0, len(entries), firsts)
            accepted = len(append.fresh)
            for segment in append.segments:
                log_items.put_segment(pk, day, segment, expires)
            put = log_items.head_put(
                pk, day, append.log, append.rollup, read_version=stored.version, version=version, expires=expires
            )
            changed = None if account_id is None else _new_firsts(firsts, entries, milestones)
            with_it: list[Any] = [] if fence is None else fence.checks()
            if account_id is not None and changed is not None:
                with_it.append({"Update": _firsts_update(account_id, firsts, changed, now)})
            if with_it:
                call(dynamodb().transact_write_items, TransactItems=[{"Put": put}, *with_it])
            else:
                call(dynamodb().put_item, **put)
        except ConditionFailedError:
            continue
        _sealed_parts.keep(pk, day, append.sealed)
        return Committed(accepted, len(entries) - accepted, firsts if changed is None else changed)
    raise StorageUnavailableError("too many writers at once for one log and day")


def _new_firsts(firsts: str | None, entries: Sequence[Entry], milestones: Collection[str]) -> str | None:
    """An account's first-seen times with these entries in them, as they are stored; None where nothing changes."""
    known = json.loads(firsts) if firsts is not None else {}
    changed = with_firsts(known, ((entry.name, entry.at) for entry in entries), milestones)
    if changed is None:
        return None if firsts is not None else "{}"
    return json.dumps(changed, ensure_ascii=False, separators=(",", ":"))


def _sealed(pk: str, day: date, stored: StoredHead) -> daylog.Sealed:
    """The sealed part that a head leads to, reading just the segments that this process has not seen.

    Raises:
        ConditionFailedError: the day was deleted meanwhile, and its segments with it.
    """
    head = stored.head
    known = _sealed_parts.get(pk, day) if head.segments else daylog.NOTHING_SEALED
    if known.token == head.token:
        return known
    for known_part in (known, daylog.NOTHING_SEALED):
        try:
            sealed = daylog.resolve(day, head, known_part, log_items.read_segments(pk, day, known_part.segments))
        except daylog.MissingSegmentError as error:
            if known_part is not daylog.NOTHING_SEALED:
                continue
            if log_items.read_head(pk, day).version != stored.version:
                raise ConditionFailedError("deleted") from error
            raise
        _sealed_parts.keep(pk, day, sealed)
        return sealed
    raise AssertionError("the loop above returns or raises")


def _firsts_update(account_id: str, firsts: str | None, changed: str, now: datetime) -> dict[str, Any]:
    values = {":names": {"S": changed}, ":now": {"S": format_instant(now)}, ":shard": {"S": keys.shard(account_id)}}
    if firsts is None:
        condition = "attribute_not_exists(#names)"
    else:
        condition = "#names = :read"
        values[":read"] = {"S": firsts}
    return {
        "TableName": keys.accounts_table(),
        "Key": {"account_id": {"S": account_id}},
        "UpdateExpression": "SET #names = :names, #shard = :shard, since = if_not_exists(since, :now)",
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#names": "names", "#shard": "shard"},
        "ExpressionAttributeValues": values,
    }


def _batch_get(wanted: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """Items by (table, key), a hundred a call; what a call leaves unprocessed is asked for again."""
    found: list[tuple[str, dict[str, Any]]] = []
    for start in range(0, len(wanted), _BATCH):
        request: dict[str, Any] = {}
        for table, key in wanted[start : start + _BATCH]:
            request.setdefault(table, _request(table))["Keys"].append(key)
        for attempt in range(ATTEMPTS):
            answer = call(dynamodb().batch_get_item, RequestItems=request)
            found.extend((table, item) for table, items in answer["Responses"].items() for item in items)
            request = dict(answer.get("UnprocessedKeys") or {})
            if not request:
                break
            time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311  (jitter)
        else:
            raise StorageUnavailableError("keys stay unprocessed")
    return found


def _request(table: str) -> dict[str, Any]:
    if table == keys.accounts_table():
        names = {"#names": "names"}
        return {"Keys": [], "ProjectionExpression": "account_id, #names", "ExpressionAttributeNames": names}
    return {"Keys": [], "ProjectionExpression": "pk, sk, v, l", "ConsistentRead": True}
