"""Reading what accounts did (table Activity): roll-ups by day, and a single day up to an instant."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from healthscore.core.rollup import Fold, decode_rollup
from healthscore.core.timeline import DAY, millis
from healthscore.storage import keys
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.whole_days import read_day

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
            ":pk": {"S": keys.activity_pk(account_id)},
            ":first": {"S": keys.day_key(first)},
            ":last": {"S": keys.day_key(last)},
        },
        ProjectionExpression="sk, r",
        ConsistentRead=consistent,
    )
    return [_rollup(item) for item in items if "r" in item]


def last_rollup_before(account_id: str, day: date, *, consistent: bool) -> DayRollup | None:
    """The roll-up of an account's last active day before `day`, or None; reads one item."""
    while True:
        page = call(
            dynamodb().query,
            TableName=keys.activity_table(),
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": keys.activity_pk(account_id)},
                ":first": {"S": keys.day_key(date.min)},
                ":last": {"S": keys.day_key(day - DAY)},
            },
            ProjectionExpression="sk, r",
            ScanIndexForward=False,
            Limit=1,
            ConsistentRead=consistent,
        )
        if not page["Items"]:
            return None
        (item,) = page["Items"]
        if "r" in item:
            return _rollup(item)
        day = _day(item)


def rollup_until(account_id: str, day: date, until: datetime) -> DayRollup | None:
    """The roll-up of the events of one day up to an instant, folded from the day's log; None if there are none.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    whole = read_day(keys.activity_pk(account_id), day)
    entries = [entry for entry in whole.entries if entry.at <= millis(until)] if whole else []
    return Fold().add(entries).rollup(day) if entries else None


def _rollup(item: dict[str, Any]) -> DayRollup:
    return decode_rollup(_day(item), item["r"]["S"])


def _day(item: dict[str, Any]) -> date:
    return date.fromisoformat(item["sk"]["S"].split("#")[1])
