"""A volume stops: value or an integration had something every week, and has nothing (signal rule 21b)."""

from __future__ import annotations

import operator
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.detectors.finding import Detector, Evidence, Level, Schedule, Sighting
from healthscore.core.detectors.wording import on
from healthscore.core.rounding import decimal_number
from healthscore.core.signals.calendar import monday, sunday
from healthscore.core.signals.model import INTEGRATION, MINIMUM, VALUE, signal
from healthscore.core.signals.weeks import BASELINE_WEEKS
from healthscore.core.text import capitalized, figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from healthscore.core.detectors.drop import Series
    from healthscore.core.detectors.night import Night
    from healthscore.core.detectors.outlook import Outlook
    from healthscore.core.detectors.spans import Span

NAME = "volume_stops"
YELLOW_WEEKS = 2
"""One week without may be a holiday. After twelve weeks with something, two in a row are none of its pauses."""
RED_WEEKS = 3
"""A week later it is red: what ran every week for a quarter broke, or was taken out."""


class Stop(NamedTuple):
    """A volume that stopped."""

    baseline: int
    """The sum of the twelve weeks before."""
    empty_weeks: int
    last_week: int
    """The last week with something in it."""
    week: int


def empty_weeks_of(values: Sequence[int], minimum: int) -> int | None:
    """For how many weeks a volume has stopped; None where it has not.

    Args:
        values: complete weeks, oldest first.
        minimum: what the twelve weeks before must hold at least.
    """
    if not values or values[-1]:
        return None
    empty = next((back for back, value in enumerate(reversed(values)) if value), len(values))
    before = (
        values[len(values) - empty - BASELINE_WEEKS : len(values) - empty]
        if len(values) >= empty + BASELINE_WEEKS
        else []
    )
    return empty if empty >= YELLOW_WEEKS and before and all(before) and sum(before) >= minimum else None


def _is_volume(key: str) -> bool:
    return key == VALUE or key.startswith(INTEGRATION)


def _spans(outlook: Outlook) -> Iterable[Span]:
    def stopped(series: Series) -> Iterable[int]:
        values, at = series.values, 0
        for is_empty, weeks in groupby(values, key=operator.not_):
            start, at = at, at + sum(1 for _ in weeks)
            if is_empty and at - start >= YELLOW_WEEKS and all(values[max(0, start - BASELINE_WEEKS) : start]):
                yield from range(start + YELLOW_WEEKS - 1, at)

    return outlook.weeks.nights(filter(_is_volume, outlook.weeks.series), stopped)


def _see(night: Night) -> Iterable[Sighting]:
    for key in filter(_is_volume, night.signals):
        if (drops := night.drops(key)) is None:
            continue
        values = drops.values
        empty = empty_weeks_of(values, MINIMUM * signal(key).unit)
        if empty is not None:
            stop = Stop(sum(values[-empty - BASELINE_WEEKS : -empty]), empty, drops.weeks[-empty - 1], drops.weeks[-1])
            yield Sighting(NAME, key, Level.RED if empty >= RED_WEEKS else Level.YELLOW, stop)


def _sentence(sighting: Sighting) -> str:
    stop: Stop = sighting.figures
    of = signal(str(sighting.signal))
    usual = figure(Fraction(stop.baseline, BASELINE_WEEKS * of.unit))
    until = on(sunday(stop.last_week))
    return f"{capitalized(of.title)}: {usual} a week until {until}, none for {stop.empty_weeks} weeks."


def _evidence(sighting: Sighting) -> tuple[Evidence, ...]:
    stop: Stop = sighting.figures
    of = signal(str(sighting.signal))
    usual = decimal_number(Fraction(stop.baseline, BASELINE_WEEKS * of.unit))
    since = monday(stop.last_week)
    return (Evidence(capitalized(of.title), "a week", sunday(stop.week), usual, 0, since=since, percent=0),)


def _span(sighting: Sighting) -> tuple[int, int]:
    return monday(sighting.figures.last_week), sunday(sighting.figures.week)


DETECTOR = Detector(NAME, Schedule.WEEKLY, _see, _sentence, _evidence, _span, _spans)
