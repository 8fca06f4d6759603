"""Deletes the account's own item, and the merges, and words of an earlier version's book, that lead to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.storage.accounts import earlier_book, merges
from healthscore.storage.erasure import marked
from healthscore.storage.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthscore.storage.erasure.eraser import AccountErasure

COVERS = frozenset({Kind.ACCOUNT, Kind.SEARCH_ENTRY, Kind.MERGES})


def erase(erasure: AccountErasure) -> Iterator[int]:
    """Delete the item while it is marked, and with it such words and, of an id that was given up, its merge."""
    account_id, stored = erasure.account_id, merges.read()
    along = earlier_book.deletes(erasure.item)
    others = stored.merges.without(account_id)
    if others != stored.merges:
        along.append(stored.put(others))
    marked.delete_account(account_id, along)
    yield 1 if erasure.item else 0
