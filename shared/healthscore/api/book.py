"""What may be asked of the book of accounts, and how a line of it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthscore.core.book import AccountRow, Filters, Sort
from healthscore.core.model import Band
from healthscore.core.scoring.trend import Direction
from healthscore.core.time import format_instant
from healthscore.http import query
from healthscore.http.cursors import read_cursor, read_limit, write_cursor
from healthscore.http.errors import invalid_request, shown
from healthscore.http.paths import account_path
from healthscore.http.plain import has_control_characters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.http.request import Request

MOST, OTHERWISE = 200, 50
"""Accounts of a page: at most, and where `limit` is not given."""
MAX_TEXT = 200
"""Characters of a filter; no name, owner, plan or id is longer."""
_SORTS = [f"{sign}{sort.value}" for sort in Sort for sign in ("", "-")]


@dataclass(frozen=True, slots=True)
class Asked:
    """One page of the book, as it was asked for."""

    filters: Filters
    sort: Sort
    descending: bool
    limit: int
    after: str | None

    @property
    def question(self) -> list[str | None]:
        """What the pages of one walk through the book have in common."""
        return _question(self.filters, self.sort, descending=self.descending)


def read_question(request: Request) -> Asked:
    """Read the parameters of `GET /v1/accounts`.

    Raises:
        ApiError: 400 `invalid_request`.
    """
    query.only(request, "band", "owner", "trend", "segment", "q", "sort", "limit", "cursor")
    band = _one_of(request, "band", [band.value for band in Band])
    filters = Filters(
        band=None if band is None else Band(band),
        owner=_text(request, "owner"),
        trend=_one_of(request, "trend", [direction.value for direction in Direction]),
        segment=_text(request, "segment"),
        q=_text(request, "q"),
    )
    order = _one_of(request, "sort", _SORTS) or Sort.SCORE.value
    sort, descending = Sort(order.removeprefix("-")), order.startswith("-")
    return Asked(
        filters=filters,
        sort=sort,
        descending=descending,
        limit=read_limit(request, most=MOST, otherwise=OTHERWISE),
        after=read_cursor(request, _question(filters, sort, descending=descending)),
    )


def book_document(asked: Asked, rows: Iterable[AccountRow], after: str | None) -> dict[str, Any]:
    """A page of the book: its `accounts`, and the `next_cursor`, null on the last page."""
    return {"accounts": [row_document(row) for row in rows], "next_cursor": write_cursor(asked.question, after)}


def row_document(row: AccountRow) -> dict[str, Any]:
    """One account's line; what is not known of it is null."""
    return {
        "account_id": row.account_id,
        "path": account_path(row.account_id),
        "name": row.name,
        "owner": row.owner,
        "segment": row.segment,
        "plan": row.plan,
        "arr": row.arr,
        "renewal_date": row.renewal_date,
        "score": row.score,
        "band": None if row.band is None else row.band.value,
        "trend": row.trend,
        "last_seen_at": None if row.last_seen_at is None else format_instant(row.last_seen_at),
    }


def _question(filters: Filters, sort: Sort, *, descending: bool) -> list[str | None]:
    asked = (filters.band, filters.owner, filters.trend, filters.segment, filters.q)
    return ["accounts", *asked, sort.value, str(descending)]


def _one_of(request: Request, name: str, known: list[str]) -> str | None:
    text = request.query.get(name)
    if text is not None and text not in known:
        raise invalid_request(f"{name} {shown(text)} is not known; it may be {', '.join(known)}.")
    return text


def _text(request: Request, name: str) -> str | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not text.strip() or len(text) > MAX_TEXT or has_control_characters(text):
        raise invalid_request(f"{name} must be a text of 1 to {MAX_TEXT} characters, none of them a control character.")
    return text.strip()
