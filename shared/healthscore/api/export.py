"""The files of a night of the dataset."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from healthscore.core.time import format_instant
from healthscore.http.api_keys import Scope
from healthscore.http.errors import ApiError, ErrorKind
from healthscore.http.query import Day, OneOf
from healthscore.http.route import route

if TYPE_CHECKING:
    from datetime import date

    from typing_extensions import TypedDict

    from healthscore.core.json_types import Count, Instant
    from healthscore.core.json_types import Day as DayText
    from healthscore.http.request import Request

    class Export(TypedDict):
        """Links to the files of a night, which anybody who has them may fetch until they expire."""

        night: DayText
        as_of: Instant
        """The instant that the night scores."""
        rows: Count
        """How many accounts it has."""
        schema: Count
        """The version of the columns."""
        url: str | None
        """The link where there is one file; null where there are several."""
        urls: list[str]
        """A link for each file; together they are the night."""
        expires_at: Instant


TAG = "Dataset"
NIGHT_NOT_FOUND = ErrorKind(
    HTTPStatus.NOT_FOUND, "night_not_found", "There is no dataset of this night, or none at all yet."
)
_NIGHT = Day("night", "The night's day in the workspace's time zone; the newest night where it is left out.")


_FORMAT = OneOf("format", "`parquet` where it is left out; `csv` is one file.", ["parquet", "csv"])


@route("GET /v1/export", scope=Scope.READ, query=(_NIGHT, _FORMAT), errors=(NIGHT_NOT_FOUND,))
def export(request: Request) -> Export:
    """A night in open files.

    Every account as the night left it, one row each, as Parquet, which DuckDB, pandas and warehouses read, or as CSV.
    The links are valid for five minutes. While an account is being erased from the files the answer is 503, for a
    minute or so.
    """
    from healthscore.services.export import csv_links, links  # noqa: PLC0415  (only one function has DuckDB)

    night = _NIGHT.read(request)
    make = csv_links if _FORMAT.read(request) == "csv" else links
    found = make(night, request.received_at)
    if found is None:
        raise night_not_found(night)
    manifest = found.manifest
    return {
        "night": manifest.night.isoformat(),
        "as_of": format_instant(manifest.as_of),
        "rows": manifest.rows,
        "schema": manifest.schema,
        "url": found.urls[0] if len(found.urls) == 1 else None,
        "urls": list(found.urls),
        "expires_at": format_instant(found.expires_at),
    }


def night_not_found(night: date | None) -> ApiError:
    """404: there is no dataset of a night, or none at all."""
    which = "any night yet" if night is None else f"the night {night}"
    return ApiError(NIGHT_NOT_FOUND, f"There is no dataset of {which}. The night makes one, or the task `dataset`.")
