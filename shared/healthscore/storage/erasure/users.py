"""Erasing a user from an account: the account's figures stay, the person is gone.

The other ids that lead to the user, as of visits before signing in, are erased likewise. Where the user belongs to
other accounts, these keep what they know. Which users of an account are being erased is noted in its item
(`pending_users`), so that an erasure that is interrupted is finished by the next request or the next night.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.storage.erasure import champions, pending_users, people, pseudonymise, use

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthscore.storage.erasure.eraser import UserEraser, UserErasure

ERASERS: tuple[UserEraser, ...] = (
    pseudonymise,
    use,  # after the logs: a night that folds now folds them without the user
    champions,
    people,  # after the others: the ids that lead to the user are found by these items
    pending_users,  # last: as long as it is there, something may be left
)


def erase(erasure: UserErasure, keep_going: Callable[[], bool]) -> bool:
    """Erase a user from an account.

    Args:
        erasure: the user and the account.
        keep_going: asked before the first step and between two; False leaves the rest to the next call.

    Returns:
        Whether nothing is left.

    Raises:
        StorageUnavailableError: something may be left.
    """
    if not keep_going():
        return False
    for eraser in ERASERS:
        for _ in eraser.erase_user(erasure):
            if eraser is not ERASERS[-1] and not keep_going():
                return False
    return True
