"""Lists of alerts (table History): of an account, and of all accounts by day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.core.time import DAY
from healthscore.storage import codec, reads, schema
from healthscore.storage.alerts.messages import stored_message
from healthscore.storage.client import dynamodb, pages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from healthscore.storage.alerts.messages import Message
    from healthscore.storage.codec import Item


LOOKED_AT_ONCE, MOST_LOOKED_AT = 100, 500
"""So many alerts are read by one call, and for one page, where not all of them are wanted."""


def of_account(account_id: str, *, limit: int, after: str | None) -> tuple[list[Message], str | None]:
    """A page of an account's alerts, newest first.

    Args:
        account_id: the account.
        limit: how many alerts a page may have.
        after: the place where the page before ended; None for the first page.

    Returns:
        The alerts, and the place where the page ended; None where it is the last page.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    history = schema.account_history(account_id)
    items, place = reads.newest_page(schema.history_table(), history, schema.alert_range(), limit, after)
    return [stored_message(item) for item in items], place


def alerts_of_day(account_id: str, day: date) -> list[dict[str, Any]]:
    """An account's alerts of one day, as JSON, whether sent or not.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    request = reads.partition(
        schema.history_table(), schema.account_history(account_id), between=schema.alert_range(day)
    )
    return [stored_message(item).body for item in pages(dynamodb().query, **request)]


def of_days(
    first: date, last: date, wanted: Callable[[Message], bool] | None, *, limit: int, after: str | None
) -> tuple[list[Message], str | None]:
    """A page of all accounts' alerts of some days, the newest day first, those of a day by kind.

    It reads an index, which lags by less than a second, and looks at `MOST_LOOKED_AT` alerts, or somewhat more: where
    few are wanted, a page may have fewer than `limit`, or none, and not be the last.

    Args:
        first: the first day.
        last: the last day, not before it.
        wanted: whether an alert is to be in the list; None where all are.
        limit: how many alerts a page may have.
        after: the place where the page before ended; None for the first page.

    Returns:
        The alerts, and the place where the page ended; None where it is the last page.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    found: list[Message] = []
    looked_at, at_once = 0, limit if wanted is None else max(limit, LOOKED_AT_ONCE)
    day = min(last, max(first, schema.day_of_alert(after or "") or last))
    while True:
        items, place = reads.page(_of_day(day, after), at_once, after)
        for sk, message in _messages(items):
            if wanted is None or wanted(message):
                found.append(message)
                if len(found) == limit:
                    is_last = day == first and place is None and sk == codec.text_of(items[-1], "sk")
                    return found, None if is_last else sk
        looked_at += len(items)
        if place is None and day == first:
            return found, None
        day, after = (day, place) if place is not None else (day - DAY, None)
        if looked_at >= MOST_LOOKED_AT:
            return found, after or schema.alert_range(day)[0]


def _messages(found: Sequence[Item]) -> Iterator[tuple[str, Message]]:
    """The alerts that an index has found, with their sort keys; without those that are gone since."""
    read = reads.batch_get([(schema.history_table(), codec.key_of(item)) for item in found])
    by_place = {codec.text_of(item, "sk"): item for _, item in read}
    for sk in (codec.text_of(item, "sk") for item in found):
        if sk in by_place:
            yield sk, stored_message(by_place[sk])


def _of_day(day: date, after: str | None) -> dict[str, Any]:
    first, last = schema.alert_range(day)
    return {
        "TableName": schema.history_table(),
        "IndexName": "by-day",
        "KeyConditionExpression": "alert_day = :day AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {
            ":day": {"S": day.isoformat()},
            ":first": {"S": first if after is None else min(last, max(first, after))},
            ":last": {"S": last},
        },
    }


def kinds_of_day(day: date) -> list[tuple[str, str]]:
    """Account and kind of every alert of a day, sent or not; from an index, which lags by less than a second.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    found = []
    for item in pages(dynamodb().query, **_of_day(day, None)):
        account_id, alert_id = schema.message_owner(codec.text_of(item, "pk"), codec.text_of(item, "sk"))
        if account_id is not None:
            found.append((account_id, alert_id.removeprefix(f"{day.isoformat()}-").rpartition("-")[0]))
    return found
