"""Takes a user out of an account's use, after the logs that it is folded from (table Activity)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.storage.accounts import use
from healthscore.storage.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthscore.storage.erasure.eraser import UserErasure

USERS_COVERS = frozenset({Kind.USE_DAYS})


def erase_user(erasure: UserErasure) -> Iterator[int]:
    """Take the user, under every id, out of the people whose days are kept."""
    if use.take_out(erasure.account_id, erasure.known_as, erasure.now):
        yield 1
