"""Which accounts have changed, for the book to lay over the newest night (table Accounts, its index by-changed)."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from healthscore.core.time import millis
from healthscore.storage import codec, reads, schema
from healthscore.storage.accounts.account_item import Unreadable, try_item
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from healthscore.core.account import Account

_NANOSECONDS = 10**6
"""Of a millisecond."""


class ChangedAccount(NamedTuple):
    """An account that has changed, as it is now."""

    stamp: int
    """Stands for this change: another change has another stamp."""
    account: Account | None
    """None where the book has it no more: it was given up, or its item cannot be read."""
    erasing: bool
    """Whether its erasure has begun."""


def since(at: datetime) -> dict[str, int]:
    """The accounts that have changed since an instant, with the stamp of the last change.

    The index lags behind the accounts by less than a second.

    Raises:
        StorageUnavailableError: the index cannot be read now.
    """
    partitions = side_by_side(partial(_partition, at=at), schema.changed_partitions())
    return dict(chain.from_iterable(partitions))


def _partition(partition: str, at: datetime) -> list[tuple[str, int]]:
    found = pages(dynamodb().query, **_query(partition, at))
    return [(codec.text_of(item, "account_id"), codec.number_of(item, schema.CHANGED)) for item in found]


def more_than(number: int, at: datetime) -> bool:
    """Whether more accounts than a number have changed since an instant.

    Raises:
        StorageUnavailableError: the index cannot be read now.
    """
    found = 0
    for count in chain.from_iterable(_counts(partition, at) for partition in schema.changed_partitions()):
        found += count
        if found > number:
            return True
    return False


def _counts(partition: str, at: datetime) -> Iterator[int]:
    query = {**_query(partition, at), "Select": "COUNT"}
    while True:
        page = call(dynamodb().query, **query)
        yield page["Count"]
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _query(partition: str, at: datetime) -> dict[str, Any]:
    return {
        "TableName": schema.accounts_table(),
        "IndexName": schema.CHANGED_INDEX,
        "KeyConditionExpression": "#in = :in AND #changed >= :since",
        "ExpressionAttributeNames": {"#in": schema.CHANGED_IN, "#changed": schema.CHANGED},
        "ExpressionAttributeValues": {
            ":in": codec.text(partition),
            ":since": codec.number(max(millis(at), 0) * _NANOSECONDS),
        },
    }


def read(account_ids: Collection[str]) -> dict[str, ChangedAccount]:
    """Accounts that have changed, as they are now, by id; one whose item is gone has none.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    table = schema.accounts_table()
    wanted = [(table, codec.account_key(account_id)) for account_id in account_ids]
    found: dict[str, ChangedAccount] = {}
    for _, item in reads.batch_get(wanted, {table: {"ConsistentRead": True}}):
        account: Account | Unreadable | None = try_item(item)
        if isinstance(account, Unreadable) or schema.ERASING in item or schema.INTO in item:
            account = None
        stamp = codec.number_of(item, schema.CHANGED)
        found[codec.text_of(item, "account_id")] = ChangedAccount(stamp, account, schema.ERASING in item)
    return found
