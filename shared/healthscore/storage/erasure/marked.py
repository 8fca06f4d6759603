"""The mark of an account's erasure, and deletions that hold only while it is there (table Accounts)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from healthscore.storage.codec import Item
    from healthscore.storage.writes import Write

_DELETED_AT_ONCE = 25
_LONG_AGO = "1970-01-01T00:00:00Z"


class OvertakenError(Exception):
    """Another erasure of the account has finished meanwhile; what is there now belongs to a new account."""


def hold_place(account_id: str) -> bool:
    """Mark an account that is not there: none may begin while its leftovers are deleted. False where one has begun."""
    marked = {"since": codec.text(_LONG_AGO), schema.ERASING: codec.text(_LONG_AGO)}
    put = writes.put(schema.accounts_table(), {**codec.account_key(account_id), **marked}, conditions.ACCOUNT_ABSENT)
    try:
        writes.apply(put)
    except ConditionFailedError:
        # The mark that is there may be this one, put by a call whose answer was lost.
        return schema.ERASING in account(account_id)
    return True


def account(account_id: str) -> Item:
    """An account's item, marked or not; empty where it is not there."""
    return reads.get(schema.accounts_table(), codec.account_key(account_id)) or {}


def batches(table: str, pk: str, attributes: Sequence[str] = ("pk", "sk")) -> Iterator[list[Item]]:
    """The items of a partition, as many at a time as `delete` takes."""
    items = pages(dynamodb().query, **reads.partition(table, pk, attributes=attributes))
    while batch := list(islice(items, _DELETED_AT_ONCE)):
        yield batch


def delete(account_id: str, table: str, items: Sequence[Item]) -> int:
    """Delete items of an account (`pk` and `sk` suffice) while it is marked; answers how many.

    Raises:
        OvertakenError: it is not marked any more, and nothing was deleted.
        StorageUnavailableError: not known to be deleted.
    """
    mark_is_there = writes.check(schema.accounts_table(), codec.account_key(account_id), conditions.ERASING)
    _transact(account_id, mark_is_there, [writes.delete(table, codec.key_of(item)) for item in items])
    return len(items)


def delete_account(account_id: str, along: Sequence[Write]) -> None:
    """Delete an account's own item while it is marked, with further writes. Raises as `delete` does."""
    itself = writes.delete(schema.accounts_table(), codec.account_key(account_id), conditions.ERASING)
    _transact(account_id, itself, along)


def _transact(account_id: str, on_the_mark: Write, along: Sequence[Write]) -> None:
    for _ in attempts("the items to delete are in other transactions"):
        try:
            writes.transact(on_the_mark, *along)
        except ConditionFailedError:
            if schema.ERASING not in account(account_id):
                raise OvertakenError from None
            continue  # another transaction was in the way
        return
