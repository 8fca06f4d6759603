"""Existence checks: naming accounts outside their own partitions, so that no erasure misses the name (table Accounts).

What names several accounts (a worker's totals, a digest, which company is which account) is put in one
transaction with the conditions of `checks`. So the put either comes before the mark with which an account's erasure
begins, and the erasure finds it; or it fails, and is made again without the name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.storage import conditions, reads, schema, writes
from healthscore.storage.accounts import merges
from healthscore.storage.codec import account_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.storage.codec import Item
    from healthscore.storage.writes import Write


def checks(account_ids: Iterable[str]) -> list[Write]:
    """Conditions, as parts of a transaction, that accounts are there, and neither being erased nor given up."""
    return [
        writes.check(
            schema.accounts_table(), account_key(account_id), conditions.ACCOUNT_EXISTS, conditions.TAKES_WRITES
        )
        for account_id in account_ids
    ]


def any_erasing(account_ids: Iterable[str]) -> bool:
    """Whether the erasure of any of these accounts has begun and is not finished.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return _any_has(schema.ERASING, account_ids)


def any_merged(account_ids: Iterable[str]) -> bool:
    """Whether any of these accounts was given up for another one. Raises as `any_erasing` does."""
    return _any_has(schema.INTO, account_ids)


def _any_has(attribute: str, account_ids: Iterable[str]) -> bool:
    table = schema.accounts_table()
    shape = {**reads.projection((attribute,)), "ConsistentRead": True}
    wanted = [(table, account_key(account_id)) for account_id in sorted(set(account_ids))]
    return any(attribute in item for _, item in reads.batch_get(wanted, {table: shape}))


def known(account_ids: Iterable[str]) -> set[str]:
    """Those of some ids that stand for an account: also for one that is being erased, or that was given up for another.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    table = schema.accounts_table()
    wanted = [(table, account_key(account_id)) for account_id in sorted(set(account_ids))]
    found = reads.batch_get(wanted, {table: reads.projection(("account_id",))})
    return {item["account_id"]["S"] for _, item in found}


def present(account_ids: Iterable[str]) -> set[str]:
    """Those of some accounts that are there, and neither being erased nor given up for another one.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    table = schema.accounts_table()
    shape = {**reads.projection(("account_id", schema.ERASING, schema.INTO)), "ConsistentRead": True}
    found = reads.batch_get(
        [(table, account_key(account_id)) for account_id in sorted(set(account_ids))], {table: shape}
    )
    return {item["account_id"]["S"] for _, item in found if item.keys() == {"account_id"}}


def exists(account_id: str) -> bool:
    """Whether there is an account that is neither being erased nor given up for another one.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    marks = _marks(account_id)
    return bool(marks) and schema.ERASING not in marks and schema.INTO not in marks


def canonical(account_id: str) -> str:
    """The id that an account goes by now: its own, unless it was merged into another one.

    Raises:
        StorageUnavailableError: the tables cannot be read now.
    """
    return merges.read().merges.canonical(account_id) if schema.INTO in _marks(account_id) else account_id


def _marks(account_id: str) -> Item:
    return (
        reads.get(schema.accounts_table(), account_key(account_id), ("account_id", schema.ERASING, schema.INTO)) or {}
    )
