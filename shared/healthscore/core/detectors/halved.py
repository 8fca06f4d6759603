"""Halved: an account in steady use that has come to half of it within four weeks.

It sees a steady account shrink where a drop does not, which takes off as many low weeks as there were before. It is off
unless a workspace turns it on, since it gives a quarter more false alerts.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.detectors.finding import Detector, Evidence, Level, Schedule, Sighting
from healthscore.core.detectors.spans import spans_of
from healthscore.core.rounding import decimal_number
from healthscore.core.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.core.detectors.night import Night
    from healthscore.core.detectors.outlook import Outlook
    from healthscore.core.detectors.spans import Span

NAME = "halved"
RECENT_DAYS = 28
"""Four weeks: with three, one week of leave in them gives a sixth more false alerts."""
BEFORE_DAYS = 84
"""The twelve weeks that a drop is compared with."""
FEWEST = 12
"""One active day a week, as a drop needs."""
STEADY_WEEKS = 12
"""Of the thirteen before: of sporadic use, half is within what it varies by. Rule 21 calls the same accounts steady."""


class Halved(NamedTuple):
    """Active days of four weeks beside those of the twelve weeks before."""

    now: int
    before: int
    day: int

    @property
    def usual(self) -> Fraction:
        """What four weeks held before."""
        return Fraction(self.before * RECENT_DAYS, BEFORE_DAYS)


def is_halved(now: int, before: int) -> bool:
    """Whether four weeks hold at most half of what the twelve weeks before held, in proportion."""
    return before >= FEWEST and 2 * BEFORE_DAYS * now <= RECENT_DAYS * before


def _spans(outlook: Outlook) -> Iterable[Span]:
    start, end, days = outlook.start, outlook.end, outlook.days
    now = days.counts(RECENT_DAYS, start, end)
    before = days.counts(BEFORE_DAYS, start - RECENT_DAYS, end - RECENT_DAYS)
    return spans_of(
        day
        for day, recent, earlier in zip(range(start, end + 1), now, before, strict=True)
        if is_halved(recent, earlier) and days.weeks_active(day - RECENT_DAYS) >= STEADY_WEEKS
    )


def _see(night: Night) -> Iterable[Sighting]:
    days, until = night.days, night.day - RECENT_DAYS
    now, before = days.count(until + 1, night.day), days.count(until - BEFORE_DAYS + 1, until)
    if not is_halved(now, before) or days.weeks_active(until) < STEADY_WEEKS:
        return ()
    return (Sighting(NAME, None, Level.YELLOW, Halved(now, before, night.day)),)


def _sentence(sighting: Sighting) -> str:
    halved: Halved = sighting.figures
    return (
        f"Active on {counted(halved.now, 'day')} of the last {RECENT_DAYS}, half of its usual "
        f"{decimal_number(halved.usual):g} or less; it had come every week."
    )


def _evidence(sighting: Sighting) -> tuple[Evidence, ...]:
    halved: Halved = sighting.figures
    usual, since = decimal_number(halved.usual), halved.day - RECENT_DAYS
    percent = decimal_number(100 * halved.now / halved.usual)
    return (Evidence("Active days in 28 days", "days", halved.day, usual, halved.now, since=since, percent=percent),)


def _span(sighting: Sighting) -> tuple[int, int]:
    halved: Halved = sighting.figures
    return halved.day - RECENT_DAYS - BEFORE_DAYS + 1, halved.day


DETECTOR = Detector(NAME, Schedule.NIGHTLY, _see, _sentence, _evidence, _span, _spans, by_default=False)
