"""The book of accounts: which accounts there are, filtered, sorted and searched, page by page."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from healthscore.api.answers import account_path
from healthscore.api.book_query import MAX_PLACE, Filters, Sort, read_place, write_place
from healthscore.api.export import NIGHT_NOT_FOUND, night_not_found
from healthscore.core.dataset.question import Question
from healthscore.core.dataset.walk import NoSuchNightError, WalkOverError
from healthscore.core.time import format_instant
from healthscore.http.api_keys import Scope
from healthscore.http.cursors import CURSOR, read_cursor, write_cursor
from healthscore.http.errors import ApiError, ErrorKind, invalid_request
from healthscore.http.plain import MAX_TEXT
from healthscore.http.query import Day, Limit, OneOf, Text
from healthscore.http.route import FileAnswer, route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import TypedDict

    from healthscore.core.json_types import (
        BandName,
        ComponentName,
        Count,
        DirectionName,
        Instant,
        Money,
        Score,
        StateName,
    )
    from healthscore.core.json_types import Day as DayText
    from healthscore.http.request import Request

    class OpenFindingLine(TypedDict):
        """A finding that is not closed, in short."""

        detector: str
        signal: str | None
        level: StateName
        state: str
        """`open`, `firing` or `recovering`."""
        opened: DayText
        usual: float | None
        """Of its first figure: what is usual, what it is now, and that in percent."""
        now: float | None
        percent: float | None

    class AccountLine(TypedDict):
        """An account in the book. What is not known of it is null, as its score is until a night has scored it."""

        account_id: str
        path: str
        """The account's path in this API."""
        name: str | None
        owner: str | None
        segment: str | None
        """The attribute `segment`, or the plan where there is none."""
        plan: str | None
        stage: str | None
        """The attribute `stage`."""
        arr: Money | None
        renewal_date: DayText | None
        created_at: Instant
        score_night: DayText | None
        """The night of the score: an older one where it could not be taken in the newest."""
        score: Score | None
        band: BandName | None
        trend: DirectionName | None
        score_before: Score | None
        score_before_night: DayText | None
        recent: str | None
        """The scores of the 30 nights up to the newest one, a byte each, in base64; 255 is none."""
        fell: ComponentName | None
        """The component whose fall over 7 days has cost the most points."""
        fell_points: float | None
        why: str | None
        """The same in a sentence."""
        activity_score: Score | None
        engagement_score: Score | None
        milestones_score: Score | None
        recency_score: Score | None
        crm_score: Score | None
        events: Count | None
        sessions: Count | None
        session_events: Count | None
        session_seconds: float | None
        days_active: Count | None
        milestones_reached: Count | None
        milestones_configured: Count | None
        last_seen_at: Instant | None
        days_since: float | None
        cadence: Count | None
        """How many days may pass between two visits while all is well, by its profile."""
        crm_provider: str | None
        crm_received_at: Instant | None
        open_tickets: Count | None
        high_priority_open: Count | None
        last_meeting_at: Instant | None
        last_email_at: Instant | None
        last_contact_at: Instant | None
        active_deal: bool | None
        deal_updated_at: Instant | None
        churned: bool | None
        handling: str | None
        """`acknowledged` or `snoozed` while somebody has its alerts in hand."""
        handled_until: Instant | None
        risk_state: StateName | None
        risk_since: DayText | None
        """The night since which it is so."""
        risk_previous: StateName | None
        risk_reason: str | None
        """The gravest reason in one sentence."""
        risk_due: DayText | None
        """By when somebody should act."""
        findings: list[OpenFindingLine] | None
        """The open findings, the gravest first."""
        attributes: dict[str, str | float | bool] | None
        """Those that the setting `dataset.attributes` names."""

    class Book(TypedDict):
        """A page of the book."""

        night: DayText | None
        """The night of the figures; null before the first one."""
        as_of: Instant | None
        """The instant that the night scores."""
        accounts: list[AccountLine]
        next_cursor: str | None
        """Send it as `cursor` for the next page; null on the last."""


TAG = "Accounts"
CSV = "text/csv; charset=utf-8"
CURSOR_EXPIRED = ErrorKind(
    HTTPStatus.GONE,
    "cursor_expired",
    "The list cannot be gone on with: it was begun more than a day ago, or its night was made again. Begin again.",
)
_Q = Text("q", "A part of the name or of the id; without case and accents.", MAX_TEXT)
_NIGHT = Day("night", "A past night as it was; the book as it is now where it is left out.")
_FORMAT = OneOf("format", "`json` where it is left out; `csv` has all accounts that fit.", ["json", "csv"])
_SORT, _FILTERS = Sort(), Filters()
_LIMIT = Limit(most=200, default=50)


@route(
    "GET /v1/accounts",
    scope=Scope.READ,
    query=(_FILTERS, _Q, _SORT, _NIGHT, _FORMAT, _LIMIT, CURSOR),
    errors=(NIGHT_NOT_FOUND, CURSOR_EXPIRED),
    file=CSV,
    elsewhere="The CSV is too large for an answer: `Location` is a link to it, which is valid for five minutes.",
)
def list_accounts(request: Request) -> Book | FileAnswer:
    """The book of accounts.

    The accounts that fit all filters given, in the order asked for, with the figures of the newest night and what was
    changed since. While you page, accounts stay where they were when you began: one that is there and fits throughout
    is on exactly one page, whatever is written meanwhile. A list can be gone on with for a day.

    With `format=csv`, or `Accept: text/csv`, the answer is all of these accounts as CSV.
    """
    from healthscore.services.book import read_page  # noqa: PLC0415  (only the function that answers this has DuckDB)

    if _wants_csv(request):
        return _csv(request)

    question = Question(_FILTERS.read(request), _Q.read(request), _SORT.read(request))
    night, limit = _NIGHT.read(request), _LIMIT.read(request)
    asked = _asked(request)
    cursor = read_cursor(request, asked, MAX_PLACE)
    after = None if cursor is None else read_place(cursor, question.orders)
    try:
        page = read_page(question, night, limit, after, request.received_at)
    except NoSuchNightError:
        raise night_not_found(night) from None
    except WalkOverError:
        raise ApiError(CURSOR_EXPIRED, "The list cannot be gone on with. Ask again without cursor.") from None
    return {
        "night": None if page.night is None else page.night.isoformat(),
        "as_of": None if page.as_of is None else format_instant(page.as_of),
        "accounts": [account_line(row) for row in page.rows],
        "next_cursor": None if page.after is None else write_cursor(asked, write_place(page.after)),
    }


def _wants_csv(request: Request) -> bool:
    asked = _FORMAT.read(request)
    return asked == "csv" if asked is not None else "text/csv" in request.headers.get("accept", "")


def _csv(request: Request) -> FileAnswer:
    from healthscore.services.book import book  # noqa: PLC0415  (as above)

    if _LIMIT.name in request.query or CURSOR.name in request.query:
        raise invalid_request("CSV has all accounts that fit: leave limit and cursor out.")
    question = Question(_FILTERS.read(request), _Q.read(request), _SORT.read(request))
    night = _NIGHT.read(request)
    try:
        made = book.csv(question, night, request.received_at)
    except NoSuchNightError:
        raise night_not_found(night) from None
    headers = {"Content-Type": CSV, "Cache-Control": "no-store"}
    if made.url is not None:
        return FileAnswer(HTTPStatus.SEE_OTHER, {**headers, "Location": made.url}, b"")
    headers["Content-Disposition"] = f'attachment; filename="{made.file_name}"'
    return FileAnswer(HTTPStatus.OK, headers, made.data or b"")


def _asked(request: Request) -> list[str]:
    """What the cursors of one walk through the book have in common."""
    names = sorted(name for name in request.query if name not in {_LIMIT.name, CURSOR.name})
    return ["accounts", *(text for name in names for text in (name, *sorted(request.values_of(name))))]


def account_line(row: Mapping[str, Any]) -> AccountLine:
    """One account in the book, by its shown columns; what is not known of it is null."""
    return cast("AccountLine", {"account_id": row["account_id"], "path": account_path(row["account_id"]), **row})
