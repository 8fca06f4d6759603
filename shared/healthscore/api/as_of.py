"""The parameter `as_of`: which instants, and which nights, can be asked about."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from healthscore.core.time import day_of, end_of_day, format_instant, start_of_day
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
    at = NIGHT.read(request)
    if at is None:
        day = day_of(request.received_at, settings.zone)
    elif isinstance(at, datetime):
        day = day_of(check(request, at, settings), settings.zone)
    else:
        day = at
        check(request, start_of_day(day, settings.zone), settings, end_of_day(day, settings.zone))
    return day.toordinal() - 1


def check(request: Request, at: datetime, settings: Settings, until: datetime | None = None) -> datetime:
    """Check that an instant, or a span, has begun and is not over for longer than everything is kept; answers it.

    Raises:
        ApiError: 400 `as_of_in_future` or `as_of_too_old`.
    """
    now, text = request.received_at, shown(request.query["as_of"])
    if at > now:
        raise ApiError(
            AS_OF_IN_FUTURE,
            f"as_of {text} lies in the future; it is {format_instant(now)}. Leave it out to ask about now.",
        )
    if (until or at) < now - timedelta(days=settings.retention_days):
        raise ApiError(
            AS_OF_TOO_OLD,
            f"as_of {text} lies more than {settings.retention_days} days back, which is all that is kept "
            "(setting retention_days).",
        )
    return at
