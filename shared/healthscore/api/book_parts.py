"""The book as columns, for a client that holds all of it: an owner's accounts, the night's parts, what has changed."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from healthscore.api.export import NIGHT_NOT_FOUND, night_not_found
from healthscore.core.dataset.walk import NoSuchNightError
from healthscore.http.api_keys import Scope
from healthscore.http.cursors import CURSOR, read_cursor, write_cursor
from healthscore.http.errors import NOT_FOUND, ApiError, invalid_request
from healthscore.http.plain import MAX_TEXT
from healthscore.http.query import Day, OneOf, Text
from healthscore.http.route import FileAnswer, route

if TYPE_CHECKING:
    from typing_extensions import TypedDict

    from healthscore.core.json_types import Count
    from healthscore.core.json_types import Day as DayText
    from healthscore.http.request import Request

    class BookColumns(TypedDict):
        """Accounts as columns."""

        night: DayText | None
        """The night of the figures; null before the first one."""
        n: Count
        """How many accounts there are."""
        columns: dict[str, list[Any]]
        """Lists of equal length. `renewal` is a day, counted from 1970; `seen` and `handled_until` are minutes since
        then. `owner`, `segment`, `plan`, `stage` and `card` (the scoring model) point into the dictionaries; `band` is
        0 healthy, 1 at risk, 2 critical; `trend` 0 improving, 1 declining, 2 steady, 3 unknown; `handled` 0 not, 1
        acknowledged, 2 snoozed. `parts` are the scores of the five components, and `recent` those of 30 nights up to
        the newest one, a byte each, in base64, 255 where there is none. `why` is the component, by its place in
        `parts`, whose fall over 7 days has cost the most points, and how many. `cadence` is how many days may pass
        between two visits, by the profile. `extra` has the attributes that the setting `dataset.attributes` names."""
        dictionaries: dict[str, list[str]]
        gone: list[str]
        """Ids of accounts that are not there any more, where what has changed was asked for."""
        next_cursor: str | None

    class BookPart(TypedDict):
        """A part of a night."""

        n: Count
        etag: str
        """Stands for its contents."""

    class BookParts(TypedDict):
        """The parts of the newest night."""

        night: DayText
        parts: list[BookPart]


TAG = "Accounts"
LIMIT = 2000
UNASSIGNED, MYSELF = "none", "me"
_OWNER = Text(
    "owner",
    f"The accounts of this owner; `{UNASSIGNED}` for those without one. `{MYSELF}` is kept for people.",
    MAX_TEXT,
)
_CHANGED = OneOf("changed", "`1` for what has changed since the night, in the place of an owner's accounts.", ["1"])
_NIGHT = Day("night", "The night that the list of parts has named; the newest one where it is left out.")


@route("GET /v1/book", scope=Scope.READ, query=(_OWNER, _CHANGED, CURSOR))
def get_book(request: Request) -> BookColumns:
    """An owner's accounts as columns, or what has changed.

    The accounts of an owner as they are now, 2,000 at once, in the order of their ids; or, with `changed=1`, all that
    replace those of the night's parts, and the ids of those that are `gone`.
    """
    from healthscore.services.book import book  # noqa: PLC0415  (only one function has DuckDB)

    owner, changed = _OWNER.read(request), _CHANGED.read(request)
    if owner == MYSELF:
        raise invalid_request("owner=me needs somebody who is signed in, and a key is nobody: name the owner instead.")
    if (owner is None) == (changed is None):
        raise invalid_request("The book needs either owner or changed=1.")
    if owner is None:
        found = book.changed()
        return {"night": found.night, **found.columns.to_json(), "gone": [*found.gone], "next_cursor": None}  # type: ignore[typeddict-item]
    asked = ["book", owner]
    after = read_cursor(request, asked)
    page = book.of_owner(None if owner == UNASSIGNED else owner, LIMIT, after)
    return {
        "night": page.night,
        **page.columns.to_json(),  # type: ignore[typeddict-item]
        "gone": [],
        "next_cursor": write_cursor(asked, page.after),
    }


@route("GET /v1/book/parts", scope=Scope.READ, errors=(NIGHT_NOT_FOUND,))
def list_book_parts(_request: Request) -> BookParts:
    """The parts of the newest night.

    Each is a request of its own; together they are the night, and `GET /v1/book?changed=1` is what to lay over it.
    """
    from healthscore.services.book import newest_night  # noqa: PLC0415  (only one function has DuckDB)

    manifest = newest_night()
    if manifest is None:
        raise night_not_found(None)
    parts: list[BookPart] = [{"n": part.rows, "etag": part.checksum} for part in manifest.parts_of_book]
    return {"night": manifest.night.isoformat(), "parts": parts}


@route("GET /v1/book/parts/{part}", scope=Scope.READ, query=(_NIGHT,), errors=(NIGHT_NOT_FOUND, NOT_FOUND))
def get_book_part(request: Request) -> BookColumns | FileAnswer:
    """A part of a night as columns.

    As `GET /v1/book` answers them, always as gzip.
    """
    from healthscore.services.book import book  # noqa: PLC0415  (only one function has DuckDB)

    night = _NIGHT.read(request)
    try:
        found = book.part(night, _number(request.params["part"]))
    except NoSuchNightError:
        raise night_not_found(night) from None
    except (IndexError, ValueError):
        raise ApiError(NOT_FOUND, "The night has no such part; they are counted from 0.") from None
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Cache-Control": "no-store"}
    return FileAnswer(HTTPStatus.OK, headers, found)


def _number(text: str) -> int:
    """A part's number; raises ValueError where it is none."""
    if not re.fullmatch(r"\d{1,6}", text, re.ASCII):
        raise ValueError(text)
    return int(text)
