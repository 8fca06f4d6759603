"""Reads the book of accounts from its indexes (tables Accounts and Activity)."""

from __future__ import annotations

import heapq
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthscore.storage import codec, reads, schema
from healthscore.storage.accounts import index
from healthscore.storage.client import call, dynamodb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from healthscore.core.book import AccountRow, Sort

FIRST, LAST = "\x01", "\U0010ffff"
"""Stand before and behind every key."""
FEW, MANY = 25, 250
"""Rows read of a partition at once: first as many as one half read unit holds, then more."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of an order: from the first key to the last, both included, read forwards or backwards."""

    first: str = FIRST
    last: str = LAST
    descending: bool = False


def walk(sort: Sort, span: Span) -> Iterator[tuple[str, AccountRow]]:
    """The rows of an order, with their keys; reads on as long as the caller goes on asking.

    The partitions are read side by side and merged. A row of the index has an account's summary, band and trend; score
    and last event are left to `rows`. The index lags behind the accounts by less than a second.

    Raises:
        StorageUnavailableError: the index cannot be read now.
    """
    partitions = [_Partition(sort, span, partition) for partition in schema.index_partitions()]
    with ThreadPoolExecutor(len(partitions)) as pool:
        list(pool.map(_Partition.read, partitions))
    yield from heapq.merge(*partitions, key=lambda keyed: keyed[0], reverse=span.descending)


class _Partition:
    """The rows of one partition, read a page at a time."""

    def __init__(self, sort: Sort, span: Span, partition: str) -> None:
        self._order = index.ORDER[sort]
        self._query: dict[str, Any] | None = {
            "TableName": schema.accounts_table(),
            "IndexName": index.INDEX[sort],
            "KeyConditionExpression": "#shard = :shard AND #key BETWEEN :first AND :last",
            "ExpressionAttributeNames": {"#shard": "shard", "#key": self._order},
            "ExpressionAttributeValues": {
                ":shard": {"S": partition},
                ":first": {"S": span.first},
                ":last": {"S": span.last},
            },
            "ScanIndexForward": not span.descending,
            "Limit": FEW,
        }
        self._page: list[dict[str, Any]] = []

    def read(self) -> None:
        """Read the next page; behind the last one there is none."""
        self._page = []
        if self._query is not None:
            answer = call(dynamodb().query, **self._query)
            self._page = answer["Items"]
            more = answer.get("LastEvaluatedKey")
            self._query = {**self._query, "Limit": MANY, "ExclusiveStartKey": more} if more else None

    def __iter__(self) -> Iterator[tuple[str, AccountRow]]:
        while self._page or self._query:
            for item in self._page:
                yield codec.text_of(item, self._order), index.row(item)
            self.read()


def owned(owner: str, most: int) -> list[AccountRow] | None:
    """The whole rows of an owner's accounts, or None where there are more than `most`.

    Raises:
        StorageUnavailableError: the index cannot be read now.
    """
    query = {
        "TableName": schema.accounts_table(),
        "IndexName": "by-owner",
        "KeyConditionExpression": "#owner = :owner",
        "ExpressionAttributeNames": {"#owner": "owner"},
        "ExpressionAttributeValues": {":owner": {"S": owner}},
    }
    items = _all(query, most)
    return None if items is None else [index.row(item) for item in items]


def found(beginnings: Iterable[str], most: int) -> list[AccountRow] | None:
    """The whole rows of the accounts that have a search entry beginning with one of these; None beyond `most`.

    Raises:
        StorageUnavailableError: the index cannot be read now.
    """
    account_ids: set[str] = set()
    for beginning in sorted(beginnings):
        query = reads.partition(
            schema.activity_table(), schema.search_pk(beginning), prefix=beginning, consistent=False
        )
        items = _all(query, most)
        if items is None:
            return None
        account_ids.update(schema.search_account(codec.text_of(item, "sk")) for item in items)
    return list(rows(account_ids).values()) if len(account_ids) <= most else None


def rows(account_ids: Iterable[str]) -> dict[str, AccountRow]:
    """The whole rows of accounts as they are now, by id; an account that is gone has none.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    table = schema.accounts_table()
    shape = reads.projection((*index.SHOWN, "shard"))
    found = reads.batch_get([(table, codec.account_key(account_id)) for account_id in account_ids], {table: shape})
    return {codec.text_of(item, "account_id"): index.row(item) for _, item in found if "shard" in item}


def _all(query: dict[str, Any], most: int) -> list[dict[str, Any]] | None:
    items: list[dict[str, Any]] = []
    while True:
        page = call(dynamodb().query, **query, Limit=most + 1 - len(items))
        items += page["Items"]
        if len(items) > most:
            return None
        if "LastEvaluatedKey" not in page:
            return items
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
