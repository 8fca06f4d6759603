"""Days and weeks as whole numbers, so that spans are subtractions.

A day is its `date.toordinal()`. A week is numbered so that Monday to Sunday share one number (signal rule 2).
"""

from __future__ import annotations

from datetime import date

DAYS = 7
MONDAY = 1
"""The remainder by `DAYS` of the number of every Monday: 1 January of the year 1 was one."""


def week_of(day: int) -> int:
    """The week in which a day lies."""
    return (day - MONDAY) // DAYS


def monday(week: int) -> int:
    """The first day of a week."""
    return week * DAYS + MONDAY


def sunday(week: int) -> int:
    """The last day of a week."""
    return monday(week) + DAYS - 1


def is_monday(day: int) -> bool:
    """Whether a day is a Monday."""
    return day % DAYS == MONDAY


def is_sunday(day: int) -> bool:
    """Whether a day is a Sunday: with it, its week is complete."""
    return day % DAYS == 0


def first_whole_week(day: int) -> int:
    """The first week that lies wholly on or after a day: a partial one is left out (signal rule 2)."""
    return week_of(day + DAYS - 1)


def date_of(day: int) -> date:
    """The calendar day of a number."""
    return date.fromordinal(day)
