"""The book of accounts, page by page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from healthscore.core import book as core
from healthscore.core.book import AccountRow, Filters, Sort
from healthscore.core.scoring.standard import band
from healthscore.storage.accounts import book as storage
from healthscore.storage.accounts.book import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

OWNED = 2000
"""How many of an owner's accounts are read together and put in order here; 2,000 cost about 70 read units."""
FOUND = 300
"""A search that finds more accounts than this goes through the book in its order instead."""
LOOKED_AT = 4000
"""Accounts that one page looks at, at most: where fewer fit the filters, the page is short, or empty."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the book."""

    rows: list[AccountRow]
    after: str | None
    """Key behind which the next page begins; None where this is the last."""


def read_page(filters: Filters, sort: Sort, *, descending: bool, limit: int, after: str | None) -> Page:
    """Read a page of the book.

    The accounts of an owner, or of a search, are few as a rule: they are read together, filtered and sorted here. Where
    they are many, and where the filters name neither, the page follows the index of the order. Both ways sort by the
    same keys, so one page may be read in one way and the next page in the other.

    Pages that follow each other hold every account that does not move meanwhile exactly once. An account that moves (a
    night scores it, its name or ARR changes) may be on both of its pages, or on neither.

    Args:
        filters: which accounts.
        sort: by what they are ordered; accounts of equal value by id.
        descending: whether the order is turned round.
        limit: how many accounts a page may have.
        after: where the page before ended.

    Raises:
        StorageUnavailableError: the tables cannot be read now.
    """
    few = _few(filters)
    if few is not None:
        keyed = sorted(((core.key_of(row, sort), row) for row in few), key=lambda line: line[0], reverse=descending)
        lines = [(key, row) for key, row in keyed if filters.match(row) and _behind(key, after, descending)]
        page = lines[:limit]
        return Page([row for _, row in page], page[-1][0] if len(lines) > limit else None)
    page_keys, after = _walked(filters, sort, descending=descending, limit=limit, after=after)
    now = storage.rows(page_keys)
    # The index lags behind the accounts: an account that does not fit any more is left out.
    rows = [now[account_id] for account_id in page_keys if account_id in now and filters.match(now[account_id])]
    return Page(rows, after)


def _few(filters: Filters) -> Iterable[AccountRow] | None:
    """All accounts that the filters match, and perhaps others, where they are few; None where they may be many."""
    few = storage.owned(filters.owner, OWNED) if filters.owner is not None else None
    if few is None and filters.q is not None:
        few = storage.found(core.lookups(filters.q), FOUND)
    return few


def _behind(key: str, after: str | None, descending: bool) -> bool:
    return after is None or (key < after if descending else key > after)


def _walked(
    filters: Filters, sort: Sort, *, descending: bool, limit: int, after: str | None
) -> tuple[list[str], str | None]:
    """Ids of the next accounts that match, and the key of the last line that was looked at."""
    span = Span(descending=descending)
    if sort is Sort.SCORE and filters.band is not None:
        scores = [score for score in range(101) if band(score) is filters.band]
        # A key that holds only a score sorts before all accounts of that score, and a score more lies behind them.
        span = replace(span, first=f"{scores[0]:03d}", last=f"{scores[-1] + 1:03d}")
    if after is not None:
        # A client can make a place up, which may lie anywhere.
        place = min(max(after, span.first), span.last)
        span = replace(span, last=place) if descending else replace(span, first=place)
    found: list[str] = []
    reached = after
    for looked_at, (key, row) in enumerate(storage.walk(sort, span)):
        if len(found) == limit or looked_at > LOOKED_AT:
            return found, reached
        if key != after and filters.match(row):
            found.append(row.account_id)
        reached = key
    return found, None
