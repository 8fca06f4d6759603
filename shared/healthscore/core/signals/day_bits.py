"""Sets of days as whole numbers: one byte a week, of which seven bits are its days.

A week that is like the one before it is the same byte again, so that a regular use packs into little. Bytes count from
the first week of 1970; events of earlier days are not accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.signals.calendar import DAYS, monday

if TYPE_CHECKING:
    from collections.abc import Iterable

BASE = 102_737
"""The week in which 1970 began."""
_WEEK = 8
_FIRST = monday(BASE)
_IN_WEEK = [tuple(day for day in range(DAYS) if week >> day & 1) for week in range(1 << _WEEK)]


def bit(day: int) -> int:
    """The set of one day; that of a day before the first week is empty."""
    weeks, weekday = divmod(day - _FIRST, DAYS)
    return 1 << (_WEEK * weeks + weekday) if weeks >= 0 else 0


def bits(days: Iterable[int]) -> int:
    """The set of some days."""
    found = 0
    for day in days:
        found |= bit(day)
    return found


def between(first: int, last: int) -> int:
    """A set with all days from one to another one; what it has besides days is in no other set."""
    return max(0, (bit(last) << 1) - (bit(first) or 1))


def days_in(of: int) -> list[int]:
    """The days of a set, in order."""
    first_week, data = in_weeks(of)
    start = monday(first_week)
    return [start + DAYS * at + day for at, one in enumerate(data) if one for day in _IN_WEEK[one]]


def first(of: int) -> int:
    """The first day of a set that is not empty."""
    return _day((of & -of).bit_length() - 1)


def last(of: int) -> int:
    """The last day of a set that is not empty."""
    return _day(of.bit_length() - 1)


def week(of: int, number: int) -> int:
    """A week of a set, as a byte."""
    at = _WEEK * (number - BASE)
    return of >> at & 0xFF if at >= 0 else 0


def since(of: int, number: int) -> int:
    """The part of a set from a week on."""
    at = max(0, _WEEK * (number - BASE))
    return of >> at << at


def only(of: int, number: int) -> int:
    """The part of a set in a week."""
    at = _WEEK * (number - BASE)
    return week(of, number) << at if at >= 0 else 0


def weeks_in(of: int) -> list[int]:
    """The weeks that have a day of a set, in order."""
    first_week, data = in_weeks(of)
    return [first_week + at for at, one in enumerate(data) if one]


def in_weeks(of: int) -> tuple[int, bytes]:
    """The first week with a day of a set, and its bytes from there on; no bytes of the empty set."""
    if not of:
        return BASE, b""
    skipped = ((of & -of).bit_length() - 1) // _WEEK
    of >>= _WEEK * skipped
    return BASE + skipped, of.to_bytes((of.bit_length() + _WEEK - 1) // _WEEK, "little")


def from_weeks(first_week: int, data: bytes) -> int:
    """The set that `in_weeks` was given."""
    return int.from_bytes(data, "little") << (_WEEK * (first_week - BASE))


def _day(position: int) -> int:
    weeks, weekday = divmod(position, _WEEK)
    return _FIRST + DAYS * weeks + weekday
