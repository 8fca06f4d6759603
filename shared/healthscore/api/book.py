"""The book of accounts: which accounts there are, filtered, sorted and searched, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from healthscore.api.answers import account_path
from healthscore.core.book import AccountRow, Filters, Sort
from healthscore.core.model import Band
from healthscore.core.scoring.trend import Direction
from healthscore.core.time import format_instant
from healthscore.http.api_keys import Scope
from healthscore.http.cursors import CURSOR, read_cursor, write_cursor
from healthscore.http.query import Limit, OneOf, Text
from healthscore.http.route import route
from healthscore.services.book import read_page

if TYPE_CHECKING:
    from typing_extensions import TypedDict

    from healthscore.core.json_types import BandName, Day, DirectionName, Instant, Money, Score
    from healthscore.http.request import Request

    class AccountLine(TypedDict):
        """An account in the book. Score, band, trend and last event are null until a night has scored the account."""

        account_id: str
        path: str
        """The account's path in this API."""
        name: str | None
        owner: str | None
        segment: str | None
        """The attribute `segment`, or the plan where there is none."""
        plan: str | None
        arr: Money | None
        renewal_date: Day | None
        score: Score | None
        band: BandName | None
        trend: DirectionName | None
        last_seen_at: Instant | None

    class Book(TypedDict):
        """A page of the book. It may be short, even empty, and not be the last."""

        accounts: list[AccountLine]
        next_cursor: str | None
        """Send it as `cursor` for the next page; null on the last."""


TAG = "Accounts"
MAX_TEXT = 200
"""Characters of a filter; no name, owner, plan or id is longer."""
_BAND = OneOf("band", "The band of the newest night.", [band.value for band in Band])
_OWNER = Text("owner", "Exactly this owner.", MAX_TEXT)
_TREND = OneOf("trend", "The trend of the newest night.", [direction.value for direction in Direction])
_SEGMENT = Text("segment", "Exactly this segment: the attribute `segment`, or the plan where there is none.", MAX_TEXT)
_Q = Text("q", "What the id begins with, or words that begin words of the name; without case and accents.", MAX_TEXT)
_SORT = OneOf(
    "sort",
    "The order; worst score first where it is left out.",
    [f"{sign}{sort.value}" for sort in Sort for sign in ("", "-")],
)
_LIMIT = Limit(most=200, default=50)


class _Question(NamedTuple):
    """Which accounts a client asks for, and in which order."""

    filters: Filters
    sort: Sort
    descending: bool

    @property
    def cursor(self) -> list[str | None]:
        """What the cursors of one walk through the book have in common."""
        filters = self.filters
        asked = (filters.band, filters.owner, filters.trend, filters.segment, filters.q)
        return ["accounts", *asked, self.sort.value, str(self.descending)]


@route(
    "GET /v1/accounts",
    scope=Scope.READ,
    query=(_BAND, _OWNER, _TREND, _SEGMENT, _Q, _SORT, _LIMIT, CURSOR),
)
def list_accounts(request: Request) -> Book:
    """The book of accounts.

    The accounts that fit all filters given, in the order asked for, with the figures of the newest night. A page may be
    short, even empty, and still have a `next_cursor`. An account that does not move while you page is on exactly one
    page.
    """
    question = _read_question(request)
    limit, after = _LIMIT.read(request), read_cursor(request, question.cursor)
    page = read_page(question.filters, question.sort, descending=question.descending, limit=limit, after=after)
    return {
        "accounts": [account_line(row) for row in page.rows],
        "next_cursor": write_cursor(question.cursor, page.after),
    }


def _read_question(request: Request) -> _Question:
    band = _BAND.read(request)
    filters = Filters(
        band=None if band is None else Band(band),
        owner=_OWNER.read(request),
        trend=_TREND.read(request),
        segment=_SEGMENT.read(request),
        q=_Q.read(request),
    )
    order = _SORT.read(request) or Sort.SCORE.value
    return _Question(filters, Sort(order.removeprefix("-")), order.startswith("-"))


def account_line(row: AccountRow) -> AccountLine:
    """One account in the book; what is not known of it is null."""
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
        "trend": cast("DirectionName | None", row.trend),
        "last_seen_at": None if row.last_seen_at is None else format_instant(row.last_seen_at),
    }
