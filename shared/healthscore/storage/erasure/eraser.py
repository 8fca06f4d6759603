"""What an eraser is: it covers some kinds of items, and erases an account, or a user, from them.

Each module beside this one is an eraser of accounts, of users, or of both. `accounts.ERASERS` and `users.ERASERS` list
them in their order. A kind of item that none of them covers fails a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from healthscore.storage.codec import Item
    from healthscore.storage.kinds import Kind


@dataclass(frozen=True, slots=True)
class AccountErasure:
    """An account that is being erased: it stays marked until everything else is deleted."""

    account_id: str
    ids: Sequence[str]
    """All ids of the account, those included that were given up for it; each is erased in its turn."""
    item: Item
    """Its item as it was read at the beginning of this call; empty where it was not there."""
    now: datetime


@dataclass(frozen=True, slots=True)
class UserErasure:
    """A user that is being erased from an account."""

    account_id: str
    user_id: str
    known_as: Sequence[str]
    """The user, then all other ids that are this person's alone, as in `core.day_log.codec.Entry.person`."""
    retention_days: int
    """How long days are kept."""
    now: datetime


class AccountEraser(Protocol):
    """Erases an account from some kinds of items."""

    COVERS: frozenset[Kind]

    def erase(self, erasure: AccountErasure) -> Iterator[int]:
        """Erase the account, step by step; after each step the rest may be left to another call.

        Yields:
            How many of the account's own items a step has deleted; 0 where it only took a name out of an item.

        Raises:
            OvertakenError: the account is not marked any more.
            StorageUnavailableError: something is left; calling again goes on.
        """
        ...


class UserEraser(Protocol):
    """Erases a user from some kinds of items."""

    USERS_COVERS: frozenset[Kind]

    def erase_user(self, erasure: UserErasure) -> Iterator[int]:
        """Erase the user, step by step; after each step the rest may be left to another call.

        Yields:
            How many items a step has changed or deleted.

        Raises:
            StorageUnavailableError: something is left; calling again goes on.
        """
        ...
