"""Erases accounts and users. It may be interrupted anywhere; the same call again, or the night, finishes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.services import merging
from healthscore.storage import workspace
from healthscore.storage.accounts import merges
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.erasure import pending_users, people, users
from healthscore.storage.erasure.eraser import UserErasure

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class ErasureUnfinishedError(Exception):
    """The erasure has begun, and time ran out before it was finished."""


def erase_account(account_id: str, now: datetime, keep_going: Callable[[], bool]) -> bool:
    """Erase everything that mentions an account.

    Args:
        account_id: known or not: what is left of an account that is gone is erased, too. Ids that were given up for it
            are erased with it.
        now: the time of the erasure, aware.
        keep_going: whether there is time for more.

    Returns:
        Whether there was anything to erase.

    Raises:
        ErasureUnfinishedError: something of the account may be left.
        StorageUnavailableError: the same.
    """
    known = erasing.mark(account_id, now)
    found, done = erasing.erase(account_id, now, keep_going)
    if not done:
        raise ErasureUnfinishedError
    return known or bool(found)


def erase_user(account_id: str, user_id: str, now: datetime, keep_going: Callable[[], bool]) -> None:
    """Take a user out of an account, whose figures stay.

    Args:
        account_id: the account.
        user_id: as events carry it, known or not.
        now: the time of the erasure, aware.
        keep_going: whether there is time for more.

    Raises:
        AccountErasedError: there is no such account, or it is being erased.
        ErasureUnfinishedError: some days may still name the user.
        StorageUnavailableError: the same.
    """
    try:
        pending_users.begin(account_id, user_id)
    except pending_users.TooManyPendingError as full:
        for other in full.pending:
            if not finish_erasing_user(account_id, other, now, keep_going):
                raise ErasureUnfinishedError from None
        pending_users.begin(account_id, user_id)
    if not finish_erasing_user(account_id, user_id, now, keep_going):
        raise ErasureUnfinishedError


def finish_erasing_user(account_id: str, user_id: str, now: datetime, keep_going: Callable[[], bool]) -> bool:
    """Finish a user's erasure that has begun, under all ids that lead to the user; returns whether nothing is left.

    The ids of visits before signing in are among them. Where the user belongs to other accounts, these keep what they
    know of them.

    Raises:
        StorageUnavailableError: something may be left.
    """
    for old in merges.read().merges.moving_to(account_id):
        if not merging.finish(old, now, lambda: 1.0 if keep_going() else 0.0):
            return False
    known_as = people.known_as(f"u{user_id}")
    retention_days = workspace.settings().settings.retention_days
    return users.erase(UserErasure(account_id, user_id, known_as, retention_days, now), keep_going)
