"""Deleting every item that mentions an account, in an order that can be interrupted anywhere.

First the account is marked: readers find it no more, the book's indexes lose it, and writers refuse to add to it. Then
everything else goes, and the account's own item last: as long as anything is left, the mark is there to say so, for the
next one to carry on.
"""

from __future__ import annotations

import contextlib
from itertools import islice
from typing import TYPE_CHECKING, Any

from healthscore.core.timeline import format_instant
from healthscore.storage import (
    cards,
    crm_erasing,
    digests,
    keys,
    log_items,
    people_erasing,
    runs,
    summary,
    words,
)
from healthscore.storage.batches import batch_delete
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

_DELETED_AT_ONCE = 25
_LONG_AGO = "1970-01-01T00:00:00Z"


def mark(account_id: str, now: datetime) -> bool:
    """Begin an account's erasure, or find it begun.

    Returns:
        Whether there is such an account.

    Raises:
        StorageUnavailableError: it is not known whether it has begun.
    """
    try:
        call(
            dynamodb().update_item,
            TableName=keys.accounts_table(),
            Key=_account_key(account_id),
            UpdateExpression=f"SET {keys.ERASING} = if_not_exists({keys.ERASING}, :now) REMOVE #shard, #owner",
            ConditionExpression="attribute_exists(account_id)",
            ExpressionAttributeNames={f"#{name}": name for name in cards.IN_NO_INDEX},
            ExpressionAttributeValues={":now": {"S": format_instant(now)}},
        )
    except ConditionFailedError:
        return False
    return True


def erase(account_id: str, keep_going: Callable[[], bool]) -> tuple[int, bool]:
    """Delete everything of a marked account, and then the account; or what may be left of one that is not there.

    An account that is there and not marked has begun anew since its erasure, and is left alone.

    Args:
        account_id: the account.
        keep_going: asked again and again; False leaves the rest to the next call.

    Returns:
        How many items were found, and whether nothing is left.

    Raises:
        StorageUnavailableError: something is left.
    """
    item = call(
        dynamodb().get_item, TableName=keys.accounts_table(), Key=_account_key(account_id), ConsistentRead=True
    ).get("Item", {})
    if keys.ERASING not in item and (item or not _hold_place(account_id)):
        return 0, True
    erased = 0
    for some in (_members(account_id), _logs(account_id), _history(account_id)):
        for number in some:
            erased += number
            if not keep_going():
                return erased, False
    for forget in (crm_erasing.forget, digests.forget, summary.forget, runs.forget):
        forget(account_id)
    batch_delete(keys.activity_table(), words.keys_of(account_id, words.entries_of(item)))
    with contextlib.suppress(ConditionFailedError):  # another one has come to the end before, and it has begun anew
        call(
            dynamodb().delete_item,
            TableName=keys.accounts_table(),
            Key=_account_key(account_id),
            ConditionExpression=f"attribute_exists({keys.ERASING})",
        )
    return erased + bool(item), True


def _members(account_id: str) -> Iterator[int]:
    """Have everybody leave who is known to belong to an account; answers after each one."""
    for item in _items(keys.activity_table(), keys.activity_pk(account_id), prefix=keys.MEMBERS_PREFIX):
        people_erasing.leave(item["sk"]["S"].removeprefix(keys.MEMBERS_PREFIX), account_id)
        yield 1


def _logs(account_id: str) -> Iterator[int]:
    """Delete an account's logs, some items at a time, and before each what is kept of people that only they know."""
    gone = set[str]()
    for batch in _batches(_items(keys.activity_table(), keys.activity_pk(account_id), attributes="pk, sk, l")):
        for person in sorted(set().union(*map(log_items.people_in, batch)) - gone):
            people_erasing.leave(person, account_id)
            gone.add(person)
        yield _delete(keys.activity_table(), batch)


def _history(account_id: str) -> Iterator[int]:
    for batch in _batches(_items(keys.history_table(), keys.account_history(account_id))):
        yield _delete(keys.history_table(), batch)


def _batches(items: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    left = iter(items)
    while batch := list(islice(left, _DELETED_AT_ONCE)):
        yield batch


def _delete(table: str, batch: list[dict[str, Any]]) -> int:
    batch_delete(table, [{name: item[name] for name in ("pk", "sk")} for item in batch])
    return len(batch)


def _hold_place(account_id: str) -> bool:
    """Mark an account that is not there, so that none begins while its leftovers are deleted; False where one has."""
    marked = {"since": {"S": _LONG_AGO}, keys.ERASING: {"S": _LONG_AGO}}
    try:
        call(
            dynamodb().put_item,
            TableName=keys.accounts_table(),
            Item={**_account_key(account_id), **marked},
            ConditionExpression="attribute_not_exists(account_id)",
        )
    except ConditionFailedError:
        return False
    return True


def _items(table: str, pk: str, *, prefix: str = "", attributes: str = "pk, sk") -> Iterator[dict[str, Any]]:
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": pk}},
        "ProjectionExpression": attributes,
        "ConsistentRead": True,
    }
    if prefix:
        request["KeyConditionExpression"] += " AND begins_with(sk, :prefix)"
        request["ExpressionAttributeValues"][":prefix"] = {"S": prefix}
    return pages(dynamodb().query, **request)


def _account_key(account_id: str) -> dict[str, Any]:
    return {"account_id": {"S": account_id}}
