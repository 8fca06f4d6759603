"""Accelerating decline: active days fall for two months, and faster in the second (signal rule 25)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.detectors.finding import Detector, Evidence, Level, Schedule, Sighting
from healthscore.core.detectors.spans import spans_of
from healthscore.core.rounding import decimal_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.core.detectors.night import Night
    from healthscore.core.detectors.outlook import Outlook
    from healthscore.core.detectors.spans import Span

NAME = "accelerating"
SPAN = 28
"""Four weeks: every weekday is in each span equally often."""
FEWEST = 12
"""Three active days a week in the first span: of fewer, a third and a quarter are single visits."""


class Decline(NamedTuple):
    """Active days in three spans of 28 days, the oldest first."""

    first: int
    second: int
    third: int
    day: int


def is_accelerating(first: int, second: int, third: int) -> bool:
    """Whether a fall over three spans speeds up: a quarter lost, then two thirds in all, and the last fall larger."""
    return (
        first >= FEWEST
        and third * first < second * second
        and 4 * second <= 3 * first  # a smaller first fall is within what months vary by
        and 3 * third <= first  # what is left is a third: not a dip that comes back by itself
    )


def _spans(outlook: Outlook) -> Iterable[Span]:
    start, end = outlook.start, outlook.end
    counts = outlook.days.counts(SPAN, start - 2 * SPAN, end)
    nights = zip(range(start, end + 1), counts, counts[SPAN:], counts[2 * SPAN :], strict=False)
    fallen = [night for night in nights if 3 * night[3] <= night[1] >= FEWEST]
    return spans_of(day for day, first, second, third in fallen if is_accelerating(first, second, third))


def _see(night: Night) -> Iterable[Sighting]:
    day, days = night.day, night.days
    third = days.count(day - SPAN + 1, day)
    second = days.count(day - 2 * SPAN + 1, day - SPAN)
    first = days.count(day - 3 * SPAN + 1, day - 2 * SPAN)
    if not is_accelerating(first, second, third):
        return ()
    return (Sighting(NAME, None, Level.YELLOW, Decline(first, second, third, day)),)


def _sentence(sighting: Sighting) -> str:
    fall: Decline = sighting.figures
    return f"Active days: {fall.first}, then {fall.second}, then {fall.third} in four weeks each: the fall speeds up."


def _evidence(sighting: Sighting) -> tuple[Evidence, ...]:
    fall: Decline = sighting.figures
    percent = decimal_number(Fraction(100 * fall.third, fall.first))
    since = fall.day - 2 * SPAN
    return (
        Evidence("Active days in 28 days", "days", fall.day, fall.first, fall.third, since=since, percent=percent),
        Evidence("Active days in the 28 days between", "days", fall.day - SPAN, None, fall.second),
    )


def _span(sighting: Sighting) -> tuple[int, int]:
    return sighting.figures.day - 3 * SPAN + 1, sighting.figures.day


DETECTOR = Detector(NAME, Schedule.NIGHTLY, _see, _sentence, _evidence, _span, _spans)
