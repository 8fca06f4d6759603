"""Existence checks: naming accounts outside their own partitions, so that no erasure misses the name (table Accounts).

What names several accounts (a worker's totals, the summary, a digest, which company is which account) is put in one
transaction with the conditions of `checks`. So the put either comes before the mark with which an account's erasure
begins, and the erasure finds it; or it fails, and is made again without the name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.storage import conditions, reads, schema, writes
from healthscore.storage.codec import account_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.storage.codec import Item
    from healthscore.storage.writes import Write


def checks(account_ids: Iterable[str]) -> list[Write]:
    """Conditions, as parts of a transaction, that accounts are there and not being erased."""
    return [
        writes.check(
            schema.accounts_table(), account_key(account_id), conditions.ACCOUNT_EXISTS, conditions.NOT_ERASING
        )
        for account_id in account_ids
    ]


def not_erasing(account_ids: Iterable[str]) -> list[Write]:
    """Conditions, as parts of a transaction, that accounts are not being erased; they need not exist yet."""
    return [
        writes.check(schema.accounts_table(), account_key(account_id), conditions.NOT_ERASING)
        for account_id in account_ids
    ]


def erasing(account_id: str) -> bool:
    """Whether an account's erasure has begun and is not finished.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return schema.ERASING in _marks(account_id)


def exists(account_id: str) -> bool:
    """Whether there is an account that is not being erased.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    marks = _marks(account_id)
    return bool(marks) and schema.ERASING not in marks


def _marks(account_id: str) -> Item:
    return reads.get(schema.accounts_table(), account_key(account_id), ("account_id", schema.ERASING)) or {}
