"""Takes a user off the champions in the account's profile, of now and of earlier times (table Accounts)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.storage.accounts import accounts
from healthscore.storage.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthscore.storage.erasure.eraser import UserErasure

USERS_COVERS = frozenset({Kind.ACCOUNT})


def erase_user(erasure: UserErasure) -> Iterator[int]:
    """Take the user, and the user's other user ids, off the champions."""
    user_ids = {person[1:] for person in erasure.known_as if person.startswith("u")}
    if accounts.erase_champions(erasure.account_id, user_ids):
        yield 1
