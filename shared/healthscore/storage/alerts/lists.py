"""Lists of alerts (table History): of an account, and of a night."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.storage import codec, reads, schema
from healthscore.storage.alerts.messages import stored_message
from healthscore.storage.client import dynamodb, pages

if TYPE_CHECKING:
    from datetime import date

    from healthscore.storage.alerts.messages import Message


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


def of_day(day: date, *, limit: int, after: str | None) -> tuple[list[Message], str | None]:
    """A page of all accounts' alerts of one day, by kind; `limit`, `after` and the result as for `of_account`.

    It reads an index, which lags by less than a second.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    first, last = schema.alert_range()
    request = {
        "TableName": schema.history_table(),
        "IndexName": "by-day",
        "KeyConditionExpression": "alert_day = :day AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {
            ":day": {"S": day.isoformat()},
            ":first": {"S": first if after is None else min(last, after)},
            ":last": {"S": last},
        },
    }
    found, place = reads.page(request, limit, after)
    read = reads.batch_get([(schema.history_table(), codec.key_of(item)) for item in found])
    by_place = {codec.text_of(item, "sk"): item for _, item in read}
    places = (codec.text_of(item, "sk") for item in found)
    return [stored_message(by_place[sk]) for sk in places if sk in by_place], place


def kinds_of_day(day: date) -> list[tuple[str, str]]:
    """Account and kind of every alert of a day, sent or not; from an index, which lags by less than a second.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    first, last = schema.alert_range()
    request = {
        "TableName": schema.history_table(),
        "IndexName": "by-day",
        "KeyConditionExpression": "alert_day = :day AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {":day": {"S": day.isoformat()}, ":first": {"S": first}, ":last": {"S": last}},
    }
    found = []
    for item in pages(dynamodb().query, **request):
        account_id, alert_id = schema.message_owner(codec.text_of(item, "pk"), codec.text_of(item, "sk"))
        if account_id is not None:
            found.append((account_id, alert_id.removeprefix(f"{day.isoformat()}-").rpartition("-")[0]))
    return found
