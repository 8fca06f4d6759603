"""Reading what accounts did (table Activity): roll-ups by day, and a single day up to an instant."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from healthscore.core import daylog
from healthscore.core.rollup import Fold, decode_rollup
from healthscore.core.timeline import DAY, millis
from healthscore.storage import keys
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.daylogs import read_segments

if TYPE_CHECKING:
    from datetime import datetime

    from healthscore.core.model import DayRollup


def rollups(account_id: str, first: date, last: date, *, consistent: bool) -> list[DayRollup]:
    """The roll-ups of an account's active days from `first` to `last`, oldest first, in one Query.

    Args:
        account_id: the account.
        first: the first day, in the workspace's zone.
        last: the last day, included.
        consistent: whether events that were answered 200 a moment ago must be in it, at twice the read units.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    items = pages(
        dynamodb().query,
        TableName=keys.activity_table(),
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues={
            ":pk": {"S": account_id},
            ":first": {"S": keys.day_key(first)},
            ":last": {"S": keys.day_key(last)},
        },
        ProjectionExpression="sk, r",
        ConsistentRead=consistent,
    )
    return [_rollup(item) for item in items]


def last_rollup_before(account_id: str, day: date, *, consistent: bool) -> DayRollup | None:
    """The roll-up of an account's last active day before `day`, or None; reads one item."""
    page = call(
        dynamodb().query,
        TableName=keys.activity_table(),
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues={
            ":pk": {"S": account_id},
            ":first": {"S": keys.day_key(date.min)},
            ":last": {"S": keys.day_key(day - DAY)},
        },
        ProjectionExpression="sk, r",
        ScanIndexForward=False,
        Limit=1,
        ConsistentRead=consistent,
    )
    return _rollup(page["Items"][0]) if page["Items"] else None


def rollup_until(account_id: str, day: date, until: datetime) -> DayRollup | None:
    """The roll-up of the events of one day up to an instant, folded from the day's log; None if there are none.

    Only a score asked for in the middle of a day that went on afterwards needs this; it reads that day's whole log.
    """
    item = call(
        dynamodb().get_item,
        TableName=keys.activity_table(),
        Key={"pk": {"S": account_id}, "sk": {"S": keys.day_key(day)}},
        ProjectionExpression="l",
        ConsistentRead=True,
    ).get("Item")
    if item is None:
        return None
    head = daylog.decode_head(day, item["l"]["B"])
    segments = read_segments(account_id, day) if head.segments else {}
    entries = [entry for entry in daylog.all_entries(day, head, segments) if entry.at <= millis(until)]
    return Fold().add(entries).rollup(day) if entries else None


def _rollup(item: dict[str, Any]) -> DayRollup:
    return decode_rollup(date.fromisoformat(item["sk"]["S"].split("#")[1]), item["r"]["S"])
