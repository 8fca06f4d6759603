"""Query parameters: only those that a route knows, each read or refused with a reason."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from healthscore.core.time import format_instant, parse_instant
from healthscore.http.errors import ApiError, invalid_request, shown
from healthscore.http.plain import read_day

if TYPE_CHECKING:
    from datetime import date, datetime

    from healthscore.http.request import Request
    from healthscore.settings import Settings


def only(request: Request, *known: str) -> None:
    """Refuse parameters that the route does not know, so that a typing error is not taken for "no filter".

    Raises:
        ApiError: 400 `invalid_request` naming them.
    """
    unknown = [name for name in request.query if name not in known]
    if unknown:
        names = ", ".join(shown(name) for name in unknown[:5])
        knows = f"it knows {', '.join(known)}" if known else "it takes none"
        raise invalid_request(f"This route has no query parameter {names}; {knows}.")


def as_of(request: Request, now: datetime, settings: Settings) -> datetime:
    """The instant that is asked about: `as_of`, or now where it is not given.

    Raises:
        ApiError: 400 `invalid_request` (no RFC 3339 instant), `as_of_in_future` or `as_of_too_old`.
    """
    text = request.query.get("as_of")
    if text is None:
        return now
    try:
        at = parse_instant(text)
    except ValueError as error:
        hint = " In a URL the + of an offset is written %2B." if " " in text else ""
        raise invalid_request(f"as_of {shown(text)} cannot be read: {error}.{hint}") from None
    if at > now:
        raise ApiError(
            HTTPStatus.BAD_REQUEST,
            "as_of_in_future",
            f"as_of {shown(text)} lies in the future; it is {format_instant(now)}. Leave it out to ask about now.",
        )
    if at < now - timedelta(days=settings.retention_days):
        raise ApiError(
            HTTPStatus.BAD_REQUEST,
            "as_of_too_old",
            f"as_of {shown(text)} lies more than {settings.retention_days} days back, which is all that is kept "
            "(setting retention_days).",
        )
    return at


def day(request: Request, name: str) -> date | None:
    """A calendar day, `YYYY-MM-DD`, or None where the parameter is not given.

    Raises:
        ApiError: 400 `invalid_request`.
    """
    text = request.query.get(name)
    if text is None:
        return None
    try:
        return read_day(text)
    except ValueError as error:
        raise invalid_request(f"{name} {shown(text)} cannot be read: {error}.") from None
