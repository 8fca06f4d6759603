"""Deleting every item that mentions an account, in an order that can be interrupted anywhere.

First the account is marked: readers find it no more, the book's indexes lose it, and writers refuse to add to it. Then
everything else goes, and the account's own item last: as long as anything is left, the mark is there to say so, for the
next one to carry on.

Two may be at it at once, and the faster one comes to its end while the slower one is under way. The account may begin
anew then. So each deletion is one transaction with the condition that the mark is still there.
"""

from __future__ import annotations

import contextlib
from itertools import islice
from typing import TYPE_CHECKING, Any

from healthscore.core.time import format_instant
from healthscore.storage import schema
from healthscore.storage.accounts import index, search_index
from healthscore.storage.alerts import digests
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.day_logs import log_items
from healthscore.storage.erasure import crm_companies as crm_erasing
from healthscore.storage.erasure import people as people_erasing
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.retries import Backoff
from healthscore.storage.runs import runs, summary

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
            TableName=schema.accounts_table(),
            Key=_account_key(account_id),
            UpdateExpression=f"SET {schema.ERASING} = if_not_exists({schema.ERASING}, :now) REMOVE #shard, #owner",
            ConditionExpression="attribute_exists(account_id)",
            ExpressionAttributeNames={f"#{name}": name for name in index.IN_NO_INDEX},
            ExpressionAttributeValues={":now": {"S": format_instant(now)}},
        )
    except ConditionFailedError:
        return False
    return True


def erase(account_id: str, keep_going: Callable[[], bool]) -> tuple[int, bool]:
    """Delete everything of a marked account, and then the account; or what may be left of one that is not there.

    An account that is there and not marked has begun anew since its erasure, and is left alone. What a dead writer left
    behind another erasure may be part of it now; so this one is not done: who asks again erases what there is then.

    Args:
        account_id: the account.
        keep_going: asked again and again; False leaves the rest to the next call.

    Returns:
        How many items were found, and whether nothing is left of what was there when it began.

    Raises:
        StorageUnavailableError: something is left.
    """
    item = _account(account_id)
    if schema.ERASING not in item and (item or not _hold_place(account_id)):
        return 0, False
    erased = 0
    try:
        for some in (_members(account_id), _logs(account_id), _history(account_id)):
            for number in some:
                erased += number
                if not keep_going():
                    return erased, False
    except _OvertakenError:
        return erased, False
    for forget in (crm_erasing.forget, digests.forget, summary.forget, runs.forget):
        forget(account_id)
    with contextlib.suppress(_OvertakenError):
        _delete(account_id, search_index.deletes(account_id, search_index.entries_of(item)), itself=True)
        return erased + bool(item), True
    return erased, False


def _members(account_id: str) -> Iterator[int]:
    """Have everybody leave who is known to belong to an account; answers after each one."""
    for item in _items(schema.activity_table(), schema.activity_pk(account_id), prefix=schema.MEMBERS_PREFIX):
        people_erasing.leave(item["sk"]["S"].removeprefix(schema.MEMBERS_PREFIX), account_id)
        yield 1


def _logs(account_id: str) -> Iterator[int]:
    """Delete an account's logs, some items at a time, and before each what is kept of people that only they know.

    A writer that had read a day before the account was marked may put a block and the head between the look at a day
    and its deletion, which then takes the head alone. So it is looked at again until there is nothing: without a head,
    no writer can commit any more.
    """
    gone = set[str]()
    found = True
    while found:
        found = False
        for batch in _batches(_items(schema.activity_table(), schema.activity_pk(account_id), attributes="pk, sk, l")):
            found = True
            for person in sorted(set().union(*map(log_items.people_in, batch)) - gone):
                people_erasing.leave(person, account_id)
                gone.add(person)
            yield _delete(account_id, _deletes(schema.activity_table(), batch))


def _history(account_id: str) -> Iterator[int]:
    for batch in _batches(_items(schema.history_table(), schema.account_history(account_id))):
        yield _delete(account_id, _deletes(schema.history_table(), batch))


def _batches(items: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    left = iter(items)
    while batch := list(islice(left, _DELETED_AT_ONCE)):
        yield batch


def _deletes(table: str, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [{name: item[name] for name in ("pk", "sk")} for item in batch]
    return [{"Delete": {"TableName": table, "Key": key}} for key in found]


class _OvertakenError(Exception):
    """Another erasure has come to its end before, and what is there now is of an account that has begun anew."""


def _delete(account_id: str, deletes: list[dict[str, Any]], *, itself: bool = False) -> int:
    """Delete items of an account, and at last itself, while it is marked; answers how many items.

    Raises:
        _OvertakenError: it is not marked any more, and nothing was deleted.
        StorageUnavailableError: not known to be deleted.
    """
    marked = {
        "TableName": schema.accounts_table(),
        "Key": _account_key(account_id),
        "ConditionExpression": f"attribute_exists({schema.ERASING})",
    }
    items: list[Any] = [{"Delete" if itself else "ConditionCheck": marked}, *deletes]
    patience = Backoff("others are at the items that are to be deleted")
    while True:
        try:
            call(dynamodb().transact_write_items, TransactItems=items)
        except ConditionFailedError:
            if schema.ERASING not in _account(account_id):
                raise _OvertakenError from None
            patience.wait()  # another transaction was in the way
        else:
            return len(deletes)


def _account(account_id: str) -> dict[str, Any]:
    key = _account_key(account_id)
    return call(dynamodb().get_item, TableName=schema.accounts_table(), Key=key, ConsistentRead=True).get("Item", {})


def _hold_place(account_id: str) -> bool:
    """Mark an account that is not there: none may begin while its leftovers are deleted. False where one has begun."""
    marked = {"since": {"S": _LONG_AGO}, schema.ERASING: {"S": _LONG_AGO}}
    try:
        call(
            dynamodb().put_item,
            TableName=schema.accounts_table(),
            Item={**_account_key(account_id), **marked},
            ConditionExpression="attribute_not_exists(account_id)",
        )
    except ConditionFailedError:
        # The mark that is there may be this one, put by a call whose answer was lost.
        return schema.ERASING in _account(account_id)
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
