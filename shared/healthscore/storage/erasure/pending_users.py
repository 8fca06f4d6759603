"""Pending user erasures: which users of an account are being erased, as its item notes them (table Accounts)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.storage import codec, conditions, writes
from healthscore.storage.accounts import account_item, accounts, changes
from healthscore.storage.errors import AccountErasedError, ConditionFailedError
from healthscore.storage.kinds import Kind
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from healthscore.storage.codec import Attribute
    from healthscore.storage.erasure.eraser import UserErasure

USERS_COVERS = frozenset({Kind.ACCOUNT})


MOST = 40
"""Users of one account whose erasure has begun and is not finished. Forty of the longest ids take 32 KB of its item."""


class TooManyPendingError(Exception):
    """So many erasures have begun and are not finished that another one must wait for one of these."""

    def __init__(self, pending: Sequence[str]) -> None:
        super().__init__()
        self.pending = pending


def begin(account_id: str, user_id: str) -> None:
    """Note that a user's erasure has begun; should it be interrupted, the next request or night finishes it.

    Raises:
        AccountErasedError: there is no such account any more.
        TooManyPendingError: others have to be finished first.
        StorageUnavailableError: not noted.
    """
    account = accounts.get(account_id)
    pending = () if account is None else account.pending_user_erasures
    if len(pending) >= MOST and user_id not in pending:
        raise TooManyPendingError(pending)
    try:
        _change(account_id, adds={account_item.PENDING_USER_ERASURES: codec.texts([user_id])})
    except ConditionFailedError:
        raise AccountErasedError from None


def end(account_id: str, user_id: str) -> None:
    """Delete the note: nothing of the user is left.

    Raises:
        StorageUnavailableError: the note is left.
    """
    try:
        _change(account_id, takes={account_item.PENDING_USER_ERASURES: codec.texts([user_id])})
    except ConditionFailedError:
        return  # the account is being erased as a whole


def erase_user(erasure: UserErasure) -> Iterator[int]:
    """Delete the note."""
    end(erasure.account_id, erasure.user_id)
    yield 1


def _change(
    account_id: str, *, adds: dict[str, Attribute] | None = None, takes: dict[str, Attribute] | None = None
) -> None:
    update = changes.update(account_id, conditions.ACCOUNT_EXISTS, conditions.TAKES_WRITES, adds=adds, takes=takes)
    for _ in attempts(accounts.TOO_MANY_WRITERS):
        try:
            writes.apply(update)
        except ConditionFailedError:
            if accounts.get(account_id) is None:
                raise
            continue  # a transaction was in the way
        return
