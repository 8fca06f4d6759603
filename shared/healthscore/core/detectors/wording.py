"""Pieces of the detectors' sentences: dates, spans of weeks and numbers of weeks."""

from __future__ import annotations

from healthscore.core.signals.calendar import date_of, monday
from healthscore.core.text import counted


def on(day: int, *, read_on: int | None = None) -> str:
    """A date in a sentence: "15 Nov"; one that may be long ago says its year where it is not that of the reader."""
    date = date_of(day)
    year = "" if read_on is None or date_of(read_on).year == date.year else f" {date.year}"
    return f"{date.day} {date:%b}{year}"


def weeks_from(first: int, last: int) -> str:
    """Weeks by their Mondays: "week of 2 Nov", "weeks of 2 to 16 Nov", "weeks of 26 Oct to 9 Nov"."""
    start, end = date_of(monday(first)), date_of(monday(last))
    if first == last:
        return f"week of {on(monday(first))}"
    month = "" if (start.year, start.month) == (end.year, end.month) else f" {start:%b}"
    return f"weeks of {start.day}{month} to {on(monday(last))}"


def weeks_in_a_row(weeks: int) -> str:
    """A number of weeks without a gap: "1 week", "3 weeks in a row"."""
    return counted(weeks, "week") if weeks == 1 else f"{counted(weeks, 'week')} in a row"
