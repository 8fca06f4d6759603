"""The items of a day's log as they stand in table Activity, head and segments, and how they are read and written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from healthscore.core.day_log import log as daylog
from healthscore.core.time import DAY
from healthscore.storage import schema as keys
from healthscore.storage.client import call, dynamodb, pages

if TYPE_CHECKING:
    from datetime import date

EXPIRY_MARGIN_DAYS = 35
"""Days are kept this much longer than events are accepted, so that the oldest score's window is still whole."""


class LogKey(NamedTuple):
    """Where a log lies: the partition of an account or a person, the day, and the lane."""

    pk: str
    day: date
    lane: int = 0


@dataclass(frozen=True, slots=True)
class StoredHead:
    """A head as it was read; `version` is None where there is none yet, and `head` then is what it should begin as."""

    version: str | None
    head: daylog.Head


NO_HEAD = StoredHead(None, daylog.EMPTY_HEAD)


def stored_head(day: date, item: dict[str, Any]) -> StoredHead:
    """What a head item says."""
    return StoredHead(item["v"]["S"], daylog.decode_head(day, item["l"]["B"]))


def people_in(item: dict[str, Any]) -> set[str]:
    """The people whose events are in an item of a log, head or segment; nobody in any other item."""
    kind, _, rest = item["sk"]["S"].partition("#")
    if "l" not in item or "B" not in item["l"]:
        return set()
    day, data = keys.parse_day_key(keys.DAYS_PREFIX + "#".join(rest.split("#")[:2]))[0], item["l"]["B"]
    entries = daylog.decode_head(day, data).tail if kind == "D" else daylog.decode_segment(day, data)[1]
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
    """The heads of a day as they stand now, by lane; those that are not there are left out."""
    items = pages(
        dynamodb().query,
        TableName=keys.activity_table(),
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues={":pk": {"S": pk}, **keys.day_range(day, day)},
        ProjectionExpression="sk, v, l",
        ConsistentRead=True,
    )
    return {keys.parse_day_key(item["sk"]["S"])[1]: stored_head(day, item) for item in items}


def read_segments(key: LogKey, after: int = 0) -> dict[bytes, bytes]:
    """The data of a log's segments behind position `after`, by token, those that no head leads to included."""
    prefix = keys.segments_prefix(key.day, key.lane)
    items = pages(
        dynamodb().query,
        TableName=keys.activity_table(),
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues={
            ":pk": {"S": key.pk},
            ":first": {"S": f"{prefix}{after + 1:06d}"},
            ":last": {"S": f"{prefix}~"},
        },
        ConsistentRead=True,
    )
    return {bytes.fromhex(item["sk"]["S"].rpartition("#")[2]): item["l"]["B"] for item in items}


def put_segment(key: LogKey, segment: daylog.Segment, expires: int) -> None:
    """Write a segment; it counts only once a head leads to it."""
    call(
        dynamodb().put_item,
        TableName=keys.activity_table(),
        Item={
            "pk": {"S": key.pk},
            "sk": {"S": keys.segment_key(key.day, key.lane, segment.position, segment.token)},
            "l": {"B": segment.data},
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
        "sk": {"S": keys.day_key(key.day, key.lane)},
        "v": {"S": version},
        "l": {"B": log},
        "ttl": {"N": str(expires)},
    }
    if rollup is not None:
        item["r"] = {"S": rollup}
    put: dict[str, Any] = {"TableName": keys.activity_table(), "Item": item}
    if read_version is None:
        put["ConditionExpression"] = "attribute_not_exists(pk)"
    else:
        put["ConditionExpression"] = "v = :read"
        put["ExpressionAttributeValues"] = {":read": {"S": read_version}}
    return put
