"""Which users of an account are being erased, and the account's own words about them (table Accounts)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.storage import schema
from healthscore.storage.accounts import account_item, accounts
from healthscore.storage.client import call, dynamodb
from healthscore.storage.errors import AccountErasedError, ConditionFailedError
from healthscore.storage.retries import Backoff

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime


def begin(account_id: str, user_id: str) -> None:
    """Note that a user's erasure has begun, for the next one to carry on should it be interrupted.

    Raises:
        AccountErasedError: there is no such account any more.
        StorageUnavailableError: not noted.
    """
    try:
        _change(account_id, f"ADD {account_item.FORGETTING} :user", user_id)
    except ConditionFailedError:
        raise AccountErasedError from None


def end(account_id: str, user_id: str) -> None:
    """Note that nothing of a user is left; the note itself goes with it.

    Raises:
        StorageUnavailableError: the note is left.
    """
    try:
        _change(account_id, f"DELETE {account_item.FORGETTING} :user", user_id)
    except ConditionFailedError:
        return  # the account is being erased as a whole


def drop_champions(account_id: str, user_ids: Collection[str], now: datetime) -> None:
    """Take users off the account's champions.

    Raises:
        StorageUnavailableError: they may still be among them.
    """
    account = accounts.get(account_id)
    if account is None or not set(user_ids).intersection(account.profile.get("champions", ())):
        return

    def without(profile: dict[str, Any]) -> dict[str, Any]:
        champions = [champion for champion in profile.get("champions", ()) if champion not in user_ids]
        return {**profile, "champions": champions}

    accounts.save_profile(account_id, without, now)


def _change(account_id: str, expression: str, user_id: str) -> None:
    patience = Backoff("others are at the account")
    while True:
        try:
            call(
                dynamodb().update_item,
                TableName=schema.accounts_table(),
                Key={"account_id": {"S": account_id}},
                UpdateExpression=expression,
                ConditionExpression=f"attribute_exists(account_id) AND {schema.NOT_ERASING}",
                ExpressionAttributeValues={":user": {"SS": [user_id]}},
            )
        except ConditionFailedError:
            if accounts.get(account_id) is None:
                raise
            patience.wait()  # a transaction was in the way
        else:
            return
