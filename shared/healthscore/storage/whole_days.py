"""Whole days of a log: which there are, all that is in one, and its deletion, for moving a log's entries elsewhere.

To move a log: for each of its days read it, commit its entries to the other log, then delete the day as it was read. A
crash anywhere leaves entries in both logs, which the next move of the same day finds to be duplicates; entries that
are committed to the day meanwhile make its deletion fail, and the day is moved anew.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from healthscore.core import daylog
from healthscore.storage import keys, log_items
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import ConditionFailedError

if TYPE_CHECKING:
    from datetime import datetime

    from healthscore.core.pack import Entry

EMPTY_HEAD_LIFE = timedelta(days=1)
"""How long the empty head of a deleted day stays: longer than any put of its first commit could still be on its way.

Were the head itself deleted, then a repetition of that put (by the SDK, after an answer that was lost) would find the
condition it was made for, that there is no head, and bring back a head whose segments are gone.
"""


@dataclass(frozen=True, slots=True)
class WholeDay:
    """A day's log as it was read."""

    pk: str
    day: date
    version: str
    entries: tuple[Entry, ...]
    """Sorted by time, then id; none where the day was deleted."""
    segment_keys: tuple[str, ...]
    """Sort keys of the segments that the head leads to."""


def days(pk: str) -> list[date]:
    """The days of a log that have entries, earliest first, read consistently.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    items = pages(
        dynamodb().query,
        TableName=keys.activity_table(),
        KeyConditionExpression="pk = :pk AND begins_with(sk, :days)",
        FilterExpression="attribute_exists(r)",
        ExpressionAttributeValues={":pk": {"S": pk}, ":days": {"S": keys.DAYS_PREFIX}},
        ProjectionExpression="sk",
        ConsistentRead=True,
    )
    return [date.fromisoformat(item["sk"]["S"].split("#")[1]) for item in items]


def read_day(pk: str, day: date) -> WholeDay | None:
    """Everything in the log of one day as it stands now, or None where there is nothing.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    broken = None
    while True:
        stored = log_items.read_head(pk, day)
        if stored.version is None:
            return None
        segments = log_items.read_segments(pk, day) if stored.head.segments else {}
        try:
            sealed = list(daylog.way_back(day, stored.head, segments))
        except daylog.MissingSegmentError:
            if stored.version == broken:
                raise
            broken = stored.version  # unless the day was deleted between the two reads
            continue
        entries = sorted((*stored.head.tail, *(entry for _, _, part in sealed for entry in part)))
        segment_keys = tuple(keys.segment_key(day, position, token) for position, token, _ in sealed)
        return WholeDay(pk, day, stored.version, tuple(entries), segment_keys)


def delete_day(whole: WholeDay, now: datetime) -> bool:
    """Delete a day on condition that it is still as it was read.

    A commit that had read the day before then fails its own condition, and starts anew from an empty day.

    Args:
        whole: the day as read.
        now: the present; what is left of the day, an empty head, expires soon after.

    Returns:
        Whether it is deleted; if not, there may be more entries now.

    Raises:
        StorageUnavailableError: the day is not known to be deleted; read it again.
    """
    put = log_items.head_put(
        whole.pk,
        whole.day,
        daylog.EMPTY_LOG,
        None,
        read_version=whole.version,
        version=secrets.token_urlsafe(8),
        expires=int((now + EMPTY_HEAD_LIFE).timestamp()),
    )
    try:
        call(dynamodb().put_item, **put)
    except ConditionFailedError:
        return False
    for sk in whole.segment_keys:
        key = {"pk": {"S": whole.pk}, "sk": {"S": sk}}
        call(dynamodb().delete_item, TableName=keys.activity_table(), Key=key)
    return True
