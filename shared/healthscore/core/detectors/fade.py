"""Fade: no single week was a drop, the quarter is (signal rule 24).

Four of five accounts that left had come to sporadic use before: what leaves has mostly faded first.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate, islice
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.detectors.finding import Detector, Evidence, Level, Schedule, Sighting
from healthscore.core.detectors.spans import spans_of
from healthscore.core.detectors.wording import on
from healthscore.core.rounding import decimal_number
from healthscore.core.signals.active_days import QUARTER, YEAR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.core.detectors.night import Night
    from healthscore.core.detectors.outlook import Outlook
    from healthscore.core.detectors.spans import Span

NAME = "fade"
OF_BEST = 4
"""A quarter of the best quarter: half is within what a year varies by."""
FEWEST_BEST = 13
"""One active day a week: of less, a quarter is a visit or two."""


class Fade(NamedTuple):
    """The last 91 days beside the best ones of the year."""

    now: int
    best: int
    best_until: int
    day: int


def is_fade(now: int, best: int) -> bool:
    """Whether the active days of a quarter are a fade, beside those of the best quarter of the year."""
    return best >= FEWEST_BEST and OF_BEST * now <= best


def _spans(outlook: Outlook) -> Iterable[Span]:
    start, end, days = outlook.start, outlook.end, outlook.days
    quarters = days.counts(QUARTER, start - YEAR + 1, end)
    so_far = accumulate(quarters, max)  # no less than the best one of the year, and cheaper
    nights = islice(zip(range(start - YEAR + 1, end + 1), quarters, so_far, strict=True), YEAR - 1, None)
    faded = [(day, now) for day, now, best in nights if best >= FEWEST_BEST and OF_BEST * now <= best]
    return spans_of(day for day, now in faded if is_fade(now, days.best_quarter(day)[0]))


def _see(night: Night) -> Iterable[Sighting]:
    now = night.days.quarter(night.day)
    best, until = night.days.best_quarter(night.day)
    return (Sighting(NAME, None, Level.YELLOW, Fade(now, best, until, night.day)),) if is_fade(now, best) else ()


def _sentence(sighting: Sighting) -> str:
    fade: Fade = sighting.figures
    until = on(fade.best_until, read_on=fade.day)
    return f"Active on {fade.now} of the last 91 days; in its best quarter of the year (until {until}) on {fade.best}."


def _evidence(sighting: Sighting) -> tuple[Evidence, ...]:
    fade: Fade = sighting.figures
    percent = decimal_number(Fraction(100 * fade.now, fade.best))
    return (
        Evidence(
            "Active days in 91 days", "days", fade.day, fade.best, fade.now, since=fade.best_until, percent=percent
        ),
    )


def _span(sighting: Sighting) -> tuple[int, int]:
    return sighting.figures.best_until - QUARTER + 1, sighting.figures.day


DETECTOR = Detector(NAME, Schedule.NIGHTLY, _see, _sentence, _evidence, _span, _spans)
