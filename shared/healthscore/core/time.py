"""Converts between text, instants and calendar days; no other module does."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal

DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_FIRST_MILLIS, _END_MILLIS = 10**12, 10**13
"""Milliseconds of September 2001 and of November 2286. A number of seconds between them is a thousandth of this."""
_WITHOUT_OFFSET = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?)?", re.ASCII)


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 timestamp with offset.

    Args:
        text: for example `2026-11-21T10:00:00.123Z` or `2026-11-21T12:00:00+02:00`.

    Returns:
        The instant as an aware UTC datetime, cut (not rounded) to the millisecond.

    Raises:
        ValueError: the text is not such a timestamp; the message says what is missing.
    """
    if not _RFC3339.fullmatch(text):
        if _WITHOUT_OFFSET.fullmatch(text):
            raise ValueError("it needs a time of day and an offset, such as 2026-11-21T10:00:00Z")
        raise ValueError("it must be RFC 3339 with an offset, such as 2026-11-21T10:00:00Z")
    try:
        at = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("there is no such date or time of day") from None
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def millis_of_number(number: float | str) -> int:
    """Read a time written as a number of seconds or of milliseconds since the Unix epoch.

    Args:
        number: of seconds from 10⁹ up to 10¹⁰, or of milliseconds from 10¹² up to 10¹³. Both mean 2001 to 2286, and
            neither can be taken for the other. As an integer, a float, or digits with or without a decimal point.

    Returns:
        Milliseconds since the Unix epoch. The number is rounded to the microsecond, which a float is exact to, and then
        cut to the millisecond as a text is.

    Raises:
        ValueError: the number is neither; the message says what is taken.
    """
    value = Decimal(repr(number) if isinstance(number, float) else number)
    if value.is_finite():
        for milliseconds in (value * 1000, value):
            if _FIRST_MILLIS <= milliseconds < _END_MILLIS:
                return int((milliseconds * 1000).to_integral_value(ROUND_HALF_EVEN)) // 1000
    raise ValueError("a number must count the seconds (10 digits) or the milliseconds (13 digits) since 1970")


def format_instant(at: datetime) -> str:
    """Write an aware instant as RFC 3339 in UTC, with milliseconds only where there are any."""
    at = at.astimezone(UTC)
    text = at.isoformat(timespec="milliseconds" if at.microsecond >= 1000 else "seconds")  # noqa: PLR2004  (1 ms)
    return text.replace("+00:00", "Z")


def millis(at: datetime) -> int:
    """Milliseconds from the Unix epoch to an aware instant, rounded down."""
    return (at - _EPOCH) // _MILLISECOND


def from_millis(ms: int) -> datetime:
    """The aware UTC instant that lies `ms` milliseconds after the Unix epoch."""
    return _EPOCH + timedelta(milliseconds=ms)


def day_of(at: datetime, zone: tzinfo) -> date:
    """The calendar day, in the workspace's zone, on which an aware instant falls."""
    try:
        return at.astimezone(zone).date()
    except OverflowError:  # at an end of the calendar, where the zone's day has no date
        return at.date()


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """The first instant of a calendar day in the workspace's zone, as UTC."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """The last millisecond of a calendar day in the workspace's zone, as UTC."""
    return start_of_day(day + DAY, zone) - _MILLISECOND


def days_before(day: date, days: int) -> date:
    """The day that lies a number of days before another; the first of the calendar where there is none."""
    return date.fromordinal(max(1, day.toordinal() - days))


def day_window(day: date) -> tuple[int, int]:
    """The milliseconds from and up to which instants may fall on a calendar day, in whatever zone."""
    midnight = datetime.combine(day, time.min, UTC)
    return millis(midnight - DAY), millis(midnight + 2 * DAY)
