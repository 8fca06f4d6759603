"""Deletes the account's own item, and the search entries that lead to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.storage.accounts import search_index
from healthscore.storage.erasure import marked
from healthscore.storage.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthscore.storage.erasure.eraser import AccountErasure

COVERS = frozenset({Kind.ACCOUNT, Kind.SEARCH_ENTRY})


def erase(erasure: AccountErasure) -> Iterator[int]:
    """Delete the item while it is marked, and the search entries with it."""
    account_id = erasure.account_id
    marked.delete_account(account_id, search_index.deletes(account_id, search_index.entries_of(erasure.item)))
    yield 1 if erasure.item else 0
