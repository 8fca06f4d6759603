"""Reads: one item by its key, a part of a partition, or many items by their keys."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from healthscore.storage import codec
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.retries import attempts
from healthscore.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from healthscore.storage.codec import Item
    from healthscore.storage.conditions import Condition

_BATCH = 100


def get(table: str, key: Item, attributes: Iterable[str] = (), *, consistent: bool = True) -> Item | None:
    """One item, or None where it is not there.

    Args:
        table: the table.
        key: the item's key.
        attributes: what is read of it; everything where none are named.
        consistent: whether writes of a moment ago must be in it, at twice the read units.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return call(dynamodb().get_item, TableName=table, Key=key, **projection(attributes), ConsistentRead=consistent).get(
        "Item"
    )


def partition(
    table: str,
    pk: str,
    *,
    prefix: str = "",
    between: tuple[str, str] | None = None,
    attributes: Iterable[str] = (),
    only: Condition | None = None,
    consistent: bool = True,
) -> dict[str, Any]:
    """The parameters of a Query for a partition of Activity, History or Settings, or for a part of it.

    Args:
        table: the table.
        pk: the partition key.
        prefix: what the sort keys begin with.
        between: the first and the last sort key, both included.
        attributes: what is read of the items; everything where none are named.
        only: a condition that leaves items out after they were read (and paid for).
        consistent: whether writes of a moment ago must be in it, at twice the read units.
    """
    where, values = "pk = :pk", {":pk": {"S": pk}}
    if prefix:
        where, values[":prefix"] = f"{where} AND begins_with(sk, :prefix)", {"S": prefix}
    if between is not None:
        first, last = between
        where = f"{where} AND sk BETWEEN :first AND :last"
        values |= {":first": {"S": first}, ":last": {"S": last}}
    request = {"TableName": table, "KeyConditionExpression": where, **projection(attributes)}
    if only is not None:
        request["FilterExpression"] = only.expression
        names = request.get("ExpressionAttributeNames", {})
        request["ExpressionAttributeNames"] = names | {f"#{name}": name for name in only.names}
        values |= only.values
    return {**request, "ExpressionAttributeValues": values, "ConsistentRead": consistent}


def page(request: dict[str, Any], limit: int, after: str | None) -> tuple[list[Item], str | None]:
    """A page of a list.

    Args:
        request: the parameters of a Query; its range begins with `after` itself, which was on the page before.
        limit: how many items a page may have.
        after: the sort key with which the page before ended; None for the first page.

    Returns:
        The items, and the sort key with which the page ended; None where it is the last page.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    items: list[Item] = []
    for item in pages(dynamodb().query, Limit=limit + 2, **request):
        if codec.text_of(item, "sk") == after:
            continue
        if len(items) == limit:
            return items, codec.text_of(items[-1], "sk")
        items.append(item)
    return items, None


def newest_page(
    table: str, pk: str, stretch: tuple[str, str], limit: int, after: str | None
) -> tuple[list[Item], str | None]:
    """A page of the items of a partition, the last sort key first; between two sort keys. Otherwise as `page`."""
    first, last = stretch
    request = partition(table, pk, between=(first, last if after is None else max(first, after)))
    return page({**request, "ScanIndexForward": False}, limit, after)


def projection(attributes: Iterable[str]) -> dict[str, Any]:
    """The parameters that limit a read to attributes; none limit nothing."""
    names = {f"#{name}": name for name in attributes}
    return {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names} if names else {}


def batch_get(
    wanted: Sequence[tuple[str, Item]], shapes: Mapping[str, Mapping[str, Any]] | None = None
) -> list[tuple[str, Item]]:
    """Items by table and key, with their table; those that are not there are left out, and the order is any.

    Args:
        wanted: table name and key of each item, each once.
        shapes: by table name, what is read of its items and how: a projection, whether consistently.

    Raises:
        StorageUnavailableError: the tables cannot be read now.
    """
    batches = [wanted[start : start + _BATCH] for start in range(0, len(wanted), _BATCH)]
    return list(chain.from_iterable(side_by_side(partial(_batch, shapes=shapes or {}), batches)))


def _batch(wanted: Sequence[tuple[str, Item]], shapes: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, Item]]:
    found: list[tuple[str, Item]] = []
    request: dict[str, Any] = {}
    for table, key in wanted:
        request.setdefault(table, {"Keys": [], **shapes.get(table, {})})["Keys"].append(key)
    for _ in attempts("keys stay unprocessed"):
        answer = call(dynamodb().batch_get_item, RequestItems=request)
        found.extend((table, item) for table, items in answer["Responses"].items() for item in items)
        request = dict(answer.get("UnprocessedKeys") or {})
        if not request:
            break
    return found
