"""Deleting every item that mentions an account, in an order that can be interrupted anywhere.

First the account is marked: readers find it no more, the book's indexes lose it, and writers refuse to add to it. Then
everything else goes, and the account's own item last: as long as anything is left, the mark is there to say so, for the
next one to carry on.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from healthscore.core.timeline import format_instant
from healthscore.storage import cards, keys, people_erasing, summary, words
from healthscore.storage.batches import batch_delete
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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
    found = 0
    account = call(
        dynamodb().get_item, TableName=keys.accounts_table(), Key=_account_key(account_id), ConsistentRead=True
    ).get("Item", {})
    if keys.ERASING not in account and (account or not _hold_place(account_id)):
        return found, True
    activity, history = keys.activity_pk(account_id), keys.account_history(account_id)
    for item in _items(keys.activity_table(), activity, keys.MEMBERS_PREFIX):
        if not keep_going():
            return found, False
        people_erasing.leave(item["sk"]["S"].removeprefix(keys.MEMBERS_PREFIX), account_id)
        found += 1
    for table, pk in ((keys.activity_table(), activity), (keys.history_table(), history)):
        batch: list[dict[str, Any]] = []
        for item in _items(table, pk):
            batch.append({name: item[name] for name in ("pk", "sk")})
            if len(batch) == _DELETED_AT_ONCE:
                if not keep_going():
                    return found, False
                batch_delete(table, batch)
                found, batch = found + len(batch), []
        batch_delete(table, batch)
        found += len(batch)
    for message in _digests_that_name(account_id, _name(account)):
        batch_delete(keys.history_table(), [message])
    summary.forget(account_id)
    batch_delete(keys.activity_table(), words.keys_of(account_id, words.entries_of(account)))
    with contextlib.suppress(ConditionFailedError):  # another one has come to the end before, and it has begun anew
        call(
            dynamodb().delete_item,
            TableName=keys.accounts_table(),
            Key=_account_key(account_id),
            ConditionExpression=f"attribute_exists({keys.ERASING})",
        )
    return found + bool(account), True


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


def _items(table: str, pk: str, prefix: str = "") -> Iterator[dict[str, Any]]:
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": pk}},
        "ProjectionExpression": "pk, sk",
        "ConsistentRead": True,
    }
    if prefix:
        request["KeyConditionExpression"] += " AND begins_with(sk, :prefix)"
        request["ExpressionAttributeValues"][":prefix"] = {"S": prefix}
    return pages(dynamodb().query, **request)


def _digests_that_name(account_id: str, name: str | None) -> Iterator[dict[str, Any]]:
    """Keys of the nights' digests that name an account: they were sent long ago, and nobody reads them again."""
    pk, first, last = keys.digest_range()
    named = [json.dumps(text, ensure_ascii=False)[1:-1] for text in (account_id, name) if text]
    digests = pages(
        dynamodb().query,
        TableName=keys.history_table(),
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues={":pk": {"S": pk}, ":first": {"S": first}, ":last": {"S": last}},
        ConsistentRead=True,
    )
    for item in digests:
        if any(text in item["message"]["S"] for text in named):
            yield {part: item[part] for part in ("pk", "sk")}


def _name(account: dict[str, Any]) -> str | None:
    name = json.loads(account["who"]["S"]).get("name") if "who" in account else None
    return name if isinstance(name, str) else None


def _account_key(account_id: str) -> dict[str, Any]:
    return {"account_id": {"S": account_id}}
