"""The parameter `as_of`: which instants, and which nights, can be asked about."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from healthscore.core.time import day_of, format_instant
from healthscore.http.errors import ApiError, ErrorKind, shown
from healthscore.http.query import InstantOrDay

if TYPE_CHECKING:
    from healthscore.http.request import Request
    from healthscore.settings import Settings

AS_OF_IN_FUTURE = ErrorKind(
    HTTPStatus.BAD_REQUEST, "as_of_in_future", "`as_of` is later than now; leave it out to ask about now."
)
AS_OF_TOO_OLD = ErrorKind(HTTPStatus.BAD_REQUEST, "as_of_too_old", "`as_of` lies further back than `retention_days`.")
NIGHT = InstantOrDay(
    "as_of",
    "The day, or an instant of it, whose night is asked about: it looks at complete days, so up to the day before. "
    "Today where it is left out. The `+` of an offset is written `%2B`.",
)
"""The parameter of what nights find: at any time of a day, the last complete day is the one before."""


def last_complete_day(request: Request, settings: Settings) -> int:
    """The number of the last complete day that the night of `as_of` looks at.

    Raises:
        ApiError: 400 `invalid_request`, `as_of_in_future` or `as_of_too_old`.
    """
    at, today = NIGHT.read(request), day_of(request.received_at, settings.zone)
    if isinstance(at, datetime):
        at = day_of(check(request, at, settings), settings.zone)
    elif at is None:
        at = today
    elif at > today:
        raise _in_future(request)
    elif (today - at).days > settings.retention_days:
        raise _too_old(request, settings)
    return at.toordinal() - 1


def check(request: Request, at: datetime, settings: Settings) -> datetime:
    """Check that the instant in `as_of` has come, and is not further back than everything is kept; answers it.

    Raises:
        ApiError: 400 `as_of_in_future` or `as_of_too_old`.
    """
    if at > request.received_at:
        raise _in_future(request)
    if at < request.received_at - timedelta(days=settings.retention_days):
        raise _too_old(request, settings)
    return at


def _in_future(request: Request) -> ApiError:
    text, now = shown(request.query["as_of"]), format_instant(request.received_at)
    return ApiError(AS_OF_IN_FUTURE, f"as_of {text} lies in the future; it is {now}. Leave it out to ask about now.")


def _too_old(request: Request, settings: Settings) -> ApiError:
    return ApiError(
        AS_OF_TOO_OLD,
        f"as_of {shown(request.query['as_of'])} lies more than {settings.retention_days} days back, which is all that "
        "is kept (setting retention_days).",
    )
