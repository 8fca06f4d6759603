"""Committing events to day logs (tables Activity and Accounts).

Committing follows `healthscore.core.daylog`: read, work out the append, write new segments, put the head on condition
that its version is still the one read. Where an event name is seen earlier than the account knows, or the account is
not known at all, the head goes into one transaction with the account's item, so that neither is there without the
other; every other commit, that is nearly all of them, is one plain put.

A process that dies before the put has changed nothing that counts; one that dies behind it has committed. A put whose
answer is lost is recognised by the version it wrote.
"""

from __future__ import annotations

import json
import random
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from healthscore.core import daylog
from healthscore.core.firsts import with_firsts
from healthscore.core.pack import entry
from healthscore.core.timeline import DAY, format_instant, millis
from healthscore.storage import keys
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import ConditionFailedError, StorageUnavailableError
from healthscore.storage.sealed import SealedCache

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import date

    from healthscore.core.model import Event

ATTEMPTS = 12
"""Races a commit may lose before it gives up; with full jitter up to a second each, some seconds in all."""
EXPIRY_MARGIN_DAYS = 35
"""Days are kept this much longer than events are accepted, so that the oldest score's window is still whole."""
_BATCH = 100
_sealed_parts = SealedCache()


@dataclass(frozen=True, slots=True)
class StoredHead:
    """A day's head as it was read; `version` is None where there is none yet."""

    version: str | None
    head: daylog.Head


NO_HEAD = StoredHead(None, daylog.EMPTY_HEAD)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a batch of events needs to know before it is committed."""

    heads: dict[tuple[str, date], StoredHead]
    firsts: dict[str, str | None]
    """First-seen times of event names by account, as stored; None for an account without any."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of the events of one account and day."""

    accepted: int
    duplicates: int
    firsts: str | None
    """The account's first-seen times as they now stand."""


def read(days: Collection[tuple[str, date]]) -> Reading:
    """Read the heads of account-days, and their accounts' first-seen times, a hundred items a call.

    Heads are read consistently, for fewer lost races; first-seen times need not be, since a stale one only makes the
    transaction it causes fail and be made again.

    Raises:
        StorageUnavailableError: the tables cannot be read now.
    """
    wanted = [(keys.activity_table(), {"pk": {"S": account}, "sk": {"S": keys.day_key(day)}}) for account, day in days]
    accounts = {account for account, _ in days}
    wanted += [(keys.accounts_table(), {"account_id": {"S": account}}) for account in sorted(accounts)]
    heads: dict[tuple[str, date], StoredHead] = {}
    firsts: dict[str, str | None] = dict.fromkeys(accounts)
    by_key = {(account, keys.day_key(day)): day for account, day in days}
    for table, item in _batch_get(wanted):
        if table == keys.accounts_table():
            firsts[item["account_id"]["S"]] = item["names"]["S"] if "names" in item else None
        else:
            account = item["pk"]["S"]
            day = by_key[account, item["sk"]["S"]]
            heads[account, day] = _stored_head(day, item)
    return Reading(heads, firsts)


def new_firsts(firsts: str | None, events: Sequence[Event], milestones: Collection[str]) -> str | None:
    """An account's first-seen times with these events in them, as they are stored; None where nothing changes."""
    known = json.loads(firsts) if firsts is not None else {}
    changed = with_firsts(known, ((event.name, millis(event.at)) for event in events), milestones)
    if changed is None:
        return None if firsts is not None else "{}"
    return json.dumps(changed, ensure_ascii=False, separators=(",", ":"))


def commit(
    account_id: str,
    day: date,
    events: Sequence[Event],
    *,
    stored: StoredHead,
    firsts: str | None,
    milestones: Collection[str],
    retention_days: int,
    now: datetime,
    sleep: Callable[[float], None] = time.sleep,
) -> Committed:
    """Add events to the log of one account and day, each exactly once.

    Args:
        account_id: the account, created here if it is not there yet.
        day: the day, in the workspace's zone, on which all the events fall.
        events: at least one; ids that are in the log already, or repeat among themselves, are counted as duplicates.
        stored: the head as read beforehand, or `NO_HEAD`.
        firsts: the account's first-seen times as read beforehand.
        milestones: event names whose first time is always remembered.
        retention_days: how long days are kept.
        now: when the request came in: the birthday of an account that is created.
        sleep: waits between attempts.

    Raises:
        StorageUnavailableError: not committed, or not known to be; the same events may be sent again.
    """
    entries = [entry(event) for event in events]
    version, accepted = None, 0
    for attempt in range(ATTEMPTS):
        if attempt:
            sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))  # noqa: S311  (jitter)
            again = read([(account_id, day)])
            stored, firsts = again.heads.get((account_id, day), NO_HEAD), again.firsts[account_id]
            if version is not None and stored.version == version:
                return Committed(accepted, len(entries) - accepted, firsts)
        sealed = _sealed(account_id, day, stored.head)
        overhead = _overhead(account_id)
        append = daylog.append(day, sealed, stored.head.tail, entries, overhead)
        if append is None:
            return Committed(0, len(entries), firsts)
        accepted, version = len(append.fresh), secrets.token_urlsafe(8)
        expires = _expires(day, retention_days)
        changed = new_firsts(firsts, events, milestones)
        try:
            for segment in append.segments:
                _put_segment(account_id, day, segment, expires)
            put = _head_put(account_id, day, append, read_version=stored.version, version=version, expires=expires)
            if changed is None:
                call(dynamodb().put_item, **put)
            else:
                update = _firsts_update(account_id, firsts, changed, now)
                call(dynamodb().transact_write_items, TransactItems=[{"Put": put}, {"Update": update}])
        except ConditionFailedError:
            continue
        _sealed_parts.keep(account_id, day, append.sealed)
        return Committed(accepted, len(entries) - accepted, firsts if changed is None else changed)
    raise StorageUnavailableError("too many writers at once for one account and day")


def _sealed(account_id: str, day: date, head: daylog.Head) -> daylog.Sealed:
    """The sealed part that a head leads to, reading just the segments that this process has not seen."""
    known = _sealed_parts.get(account_id, day)
    if known.token == head.token:
        return known
    for known_part in (known, daylog.NOTHING_SEALED):
        try:
            segments = read_segments(account_id, day, known_part.segments)
            sealed = daylog.resolve(day, head, known_part, segments)
        except daylog.MissingSegmentError:
            if known_part is daylog.NOTHING_SEALED:
                raise
        else:
            _sealed_parts.keep(account_id, day, sealed)
            return sealed
    raise AssertionError("the loop above returns or raises")


def read_segments(account_id: str, day: date, after: int = 0) -> dict[bytes, bytes]:
    """The data of a day's segments behind position `after`, by token, those that no head leads to included."""
    prefix = keys.segments_prefix(day)
    items = pages(
        dynamodb().query,
        TableName=keys.activity_table(),
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues={
            ":pk": {"S": account_id},
            ":first": {"S": f"{prefix}{after + 1:06d}"},
            ":last": {"S": f"{prefix}~"},
        },
        ConsistentRead=True,
    )
    return {bytes.fromhex(item["sk"]["S"].rpartition("#")[2]): item["l"]["B"] for item in items}


def _stored_head(day: date, item: dict[str, Any]) -> StoredHead:
    return StoredHead(item["v"]["S"], daylog.decode_head(day, item["l"]["B"]))


def _overhead(account_id: str) -> int:
    """Bytes of a head item beside roll-up and log: attribute names, keys, version and expiry."""
    return len(account_id.encode()) + _FIXED_OVERHEAD


_FIXED_OVERHEAD = len("pkskvrlttl") + len("D#2026-11-20#00") + 11 + 6


def _expires(day: date, retention_days: int) -> dict[str, Any]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return {"N": str(int((midnight + (retention_days + EXPIRY_MARGIN_DAYS) * DAY).timestamp()))}


def _put_segment(account_id: str, day: date, segment: daylog.Segment, expires: dict[str, Any]) -> None:
    call(
        dynamodb().put_item,
        TableName=keys.activity_table(),
        Item={
            "pk": {"S": account_id},
            "sk": {"S": keys.segment_key(day, segment.position, segment.token)},
            "l": {"B": segment.data},
            "ttl": expires,
        },
    )


def _head_put(
    account_id: str,
    day: date,
    append: daylog.Append,
    *,
    read_version: str | None,
    version: str,
    expires: dict[str, Any],
) -> dict[str, Any]:
    put: dict[str, Any] = {
        "TableName": keys.activity_table(),
        "Item": {
            "pk": {"S": account_id},
            "sk": {"S": keys.day_key(day)},
            "v": {"S": version},
            "r": {"S": append.rollup},
            "l": {"B": append.log},
            "ttl": expires,
        },
    }
    if read_version is None:
        put["ConditionExpression"] = "attribute_not_exists(pk)"
    else:
        put["ConditionExpression"] = "v = :read"
        put["ExpressionAttributeValues"] = {":read": {"S": read_version}}
    return put


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
