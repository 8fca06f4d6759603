"""Growth: more than usual for four weeks (signal rule 29). Good news, which changes no state."""

from __future__ import annotations

from fractions import Fraction
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.detectors.finding import Detector, Evidence, Level, Schedule, Sighting
from healthscore.core.rounding import decimal_number, round_half_up
from healthscore.core.signals.calendar import monday, sunday
from healthscore.core.signals.model import ACTIVE_DAYS, USERS, VALUE, signal
from healthscore.core.signals.weeks import BASELINE_WEEKS, RECENT_WEEKS
from healthscore.core.text import capitalized, figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from healthscore.core.detectors.drop import Series
    from healthscore.core.detectors.night import Night
    from healthscore.core.detectors.outlook import Outlook
    from healthscore.core.detectors.spans import Span

NAME = "growth"
OF = (ACTIVE_DAYS, USERS, VALUE)
PERCENT = 150
"""Half as much again. Of active days, about half keep a quarter more for a quarter; by chance, one in six does."""


class Growth(NamedTuple):
    """Four weeks beside the twelve before them."""

    now: int
    baseline: int
    week: int

    @property
    def percent(self) -> Fraction:
        """In percent of four usual weeks."""
        return Fraction(100 * self.now * BASELINE_WEEKS, self.baseline * RECENT_WEEKS)


def is_growth(weeks: Sequence[int], minimum: int) -> bool:
    """Whether each of the last four weeks is at or above usual, and all together half as much again."""
    if len(weeks) < RECENT_WEEKS + BASELINE_WEEKS:
        return False
    recent = weeks[-RECENT_WEEKS:]
    baseline = sum(weeks[-RECENT_WEEKS - BASELINE_WEEKS : -RECENT_WEEKS])
    return minimum <= baseline and _is_above(recent, baseline)


def _is_above(recent: Sequence[int], baseline: int) -> bool:
    return (
        baseline <= BASELINE_WEEKS * min(recent)
        and 100 * BASELINE_WEEKS * sum(recent) >= PERCENT * RECENT_WEEKS * baseline
    )


def _spans(outlook: Outlook) -> Iterable[Span]:
    def may_grow(series: Series) -> Iterable[int]:
        usual = series.baselines
        recent = zip(*(series.values[BASELINE_WEEKS + later :] for later in range(RECENT_WEEKS)), strict=False)
        return (
            at
            for at, baseline, weeks in zip(count(BASELINE_WEEKS + RECENT_WEEKS - 1), usual, recent, strict=False)
            if 0 < baseline <= BASELINE_WEEKS * weeks[-1] and _is_above(weeks, baseline)
        )

    return outlook.weeks.nights(OF, may_grow)


def _see(night: Night) -> Iterable[Sighting]:
    for key in OF:
        drops = night.drops(key)
        if drops and is_growth(drops.values, signal(key).minimum):
            values = drops.values
            baseline = sum(values[-RECENT_WEEKS - BASELINE_WEEKS : -RECENT_WEEKS])
            yield Sighting(NAME, key, Level.OK, Growth(sum(values[-RECENT_WEEKS:]), baseline, night.week))


def _sentence(sighting: Sighting) -> str:
    growth: Growth = sighting.figures
    of = signal(str(sighting.signal))
    usual = figure(Fraction(growth.baseline, BASELINE_WEEKS * of.unit))
    return (
        f"{capitalized(of.title)} {of.were} at or above the usual {usual} a week for {RECENT_WEEKS} weeks, together "
        f"{round_half_up(growth.percent)} %: room for more seats?"
    )


def _evidence(sighting: Sighting) -> tuple[Evidence, ...]:
    growth: Growth = sighting.figures
    of = signal(str(sighting.signal))
    return (
        Evidence(
            capitalized(of.title),
            "in four weeks",
            sunday(growth.week),
            decimal_number(Fraction(growth.baseline * RECENT_WEEKS, BASELINE_WEEKS * of.unit)),
            decimal_number(Fraction(growth.now, of.unit)),
            percent=decimal_number(growth.percent),
        ),
    )


def _span(sighting: Sighting) -> tuple[int, int]:
    return monday(sighting.figures.week - RECENT_WEEKS + 1), sunday(sighting.figures.week)


DETECTOR = Detector(NAME, Schedule.WEEKLY, _see, _sentence, _evidence, _span, _spans)
