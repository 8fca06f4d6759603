"""Naming accounts outside their own partitions, so that no erasure passes the name by (table Accounts).

What names several accounts (a worker's totals, the summary, a digest, which company is which account) is put in one
transaction with the conditions of `checks`. So the put either comes before the mark with which an account's erasure
begins, and the erasure finds it; or it fails, and is made again without the name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.storage import schema
from healthscore.storage.client import call, dynamodb
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.retries import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from healthscore.core.nightly.run_totals import RunTotals


def checks(account_ids: Iterable[str]) -> list[dict[str, Any]]:
    """Conditions, as parts of a transaction, that accounts are there and not being erased."""
    return [_check(account_id, f"attribute_exists(account_id) AND {schema.NOT_ERASING}") for account_id in account_ids]


def not_erasing(account_ids: Iterable[str]) -> list[dict[str, Any]]:
    """Conditions, as parts of a transaction, that accounts are not being erased; they may be still to come."""
    return [_check(account_id, schema.NOT_ERASING) for account_id in account_ids]


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


def save_naming(totals: RunTotals, put: Callable[[RunTotals], None]) -> None:
    """Store what says the names in a totals, without the accounts that are erased meanwhile.

    Args:
        totals: what was counted.
        put: stores what a totals says on condition of the `checks` of the accounts that it names; called again with
            fewer names where one of them is gone.

    Raises:
        StorageUnavailableError: not stored.
    """
    patience = Backoff("accounts go faster than they can be named")
    while True:
        try:
            put(totals)
        except ConditionFailedError:
            patience.wait()
            totals = totals.naming([account_id for account_id in sorted(totals.named) if exists(account_id)])
        else:
            return


def _check(account_id: str, condition: str) -> dict[str, Any]:
    check = {"TableName": schema.accounts_table(), "Key": _key(account_id), "ConditionExpression": condition}
    return {"ConditionCheck": check}


def _marks(account_id: str) -> dict[str, Any]:
    answer = call(
        dynamodb().get_item,
        TableName=schema.accounts_table(),
        Key=_key(account_id),
        ProjectionExpression=f"account_id, {schema.ERASING}",
        ConsistentRead=True,
    )
    return answer.get("Item", {})


def _key(account_id: str) -> dict[str, Any]:
    return {"account_id": {"S": account_id}}
