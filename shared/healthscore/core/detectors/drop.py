"""One signal's drop: weeks in a row at or below half of the usual (signal rules 12 to 17).

A week is unusual only beyond as many low weeks as the account had in the weeks before. This needs no distribution: use
comes in bursts, and a binomial tail calls every account that is used in bursts a drop.
"""

from __future__ import annotations

from bisect import bisect_right
from enum import StrEnum
from fractions import Fraction
from itertools import accumulate
from operator import sub
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.detectors.finding import Detector, Evidence, Level, Schedule, Sighting
from healthscore.core.detectors.settings import Sensitivity
from healthscore.core.detectors.wording import weeks_from, weeks_in_a_row
from healthscore.core.rounding import decimal_number
from healthscore.core.signals.calendar import monday, sunday
from healthscore.core.signals.model import BREADTH, signal
from healthscore.core.signals.weeks import BASELINE_WEEKS
from healthscore.core.text import capitalized, figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from healthscore.core.detectors.night import Night
    from healthscore.core.detectors.outlook import Outlook
    from healthscore.core.detectors.spans import Span
    from healthscore.core.signals.model import Signal

LOW = 2
"""A week is low at one half of the usual or below: the project's reading of "from 30 to 2 a month". A week with a day
of leave is none."""
CALM_WEEKS = 26
"""Calm looks back half a year, so that one bad stretch of a quarter ago still counts as known."""
MOST_LOW_BEFORE = {Sensitivity.BALANCED: 6, Sensitivity.LITERAL: 6, Sensitivity.CALM: 8}
"""With more low weeks than this before, half of the weeks are low: there is no usual week to fall from."""
YELLOW_WEEKS = 3
"""Of drops of active days, about two thirds pass within two weeks; of those that last three, one in six is back within
the next quarter."""
NEW_NORMAL_WEEKS = 26
"""After half a year, the low weeks are what is usual."""


class DropState(StrEnum):
    """How far a drop has gone."""

    USUAL_DIPS = "usual dips"
    MONITOR = "monitor"
    YELLOW = "yellow"
    IRREGULAR = "irregular"
    NEW_NORMAL = "new normal"


class Drop(NamedTuple):
    """A run of low weeks, as of its last one."""

    baseline: int
    """The sum of the twelve weeks before it, frozen when it began."""
    before: int
    """How many of the weeks before were as low."""
    looked_back: int
    """How many weeks before were looked at for that."""
    low_weeks: int
    unusual: int
    """Low weeks beyond as many as there were before."""
    state: DropState
    first: int
    """The first low week; `last` is the last one."""
    last: int
    first_at: int
    """Its position among the weeks that exist; `last_at` is that of the last one."""
    last_at: int
    values: tuple[int, ...]
    """The low weeks' figures, oldest first."""

    @property
    def falling(self) -> int:
        """The unusual weeks, as far as the drop is judged by them: 0 where it is irregular or the new normal."""
        judged = self.state is not DropState.IRREGULAR and self.state is not DropState.NEW_NORMAL
        return max(self.unusual, 0) if judged else 0

    def usual(self, of: Signal) -> Fraction:
        """What a week of the baseline held."""
        return Fraction(self.baseline, BASELINE_WEEKS * of.unit)

    def now(self, of: Signal) -> Fraction:
        """What a low week holds."""
        return Fraction(sum(self.values), len(self.values) * of.unit)


class Run(NamedTuple):
    """A run of low weeks, by positions among the weeks that exist."""

    first: int
    last: int
    baseline: int
    before: int
    looked_back: int


class Series:
    """All weeks of one signal that exist, without excused ones, and the runs of low weeks in them."""

    __slots__ = ("_drops", "_firsts", "_sensitivity", "baselines", "runs", "values", "weeks")

    def __init__(
        self,
        weeks: Sequence[int],
        values: Sequence[int],
        minimum: int,
        sensitivity: Sensitivity = Sensitivity.BALANCED,
    ) -> None:
        """Take the complete weeks, oldest first, and find the runs.

        Args:
            weeks: the numbers of the weeks.
            values: the signal's figure of each.
            minimum: what twelve weeks must hold at least for a drop to open (signal rule 15).
            sensitivity: which low weeks are usual ones.
        """
        self.weeks = weeks
        self.values = values
        self._sensitivity = sensitivity
        up_to = [0, *accumulate(values)]
        self.baselines = list(map(sub, up_to[BASELINE_WEEKS:], up_to))
        """The sum of the twelve weeks before each, from the thirteenth on."""
        self.runs = self._runs(minimum)
        self._drops: dict[int, Drop] = {}
        self._firsts = [run.first for run in self.runs]

    def counted(self, week: int) -> int:
        """How many of the weeks there are up to one."""
        return bisect_right(self.weeks, week)

    def drop(self, at: int) -> Drop | None:
        """The drop that the week at a position is part of, as of that week."""
        number = bisect_right(self._firsts, at) - 1
        if number < 0 or self.runs[number].last < at:
            return None
        return self._drop(self.runs[number], at)

    def ended(self, at: int) -> list[Drop]:
        """The drops that the weeks before a position have ended, oldest first, each as of its last week."""
        return [self._drop(run, run.last) for run in self.runs if run.last < at]

    def falling(self) -> Iterator[tuple[int, int]]:
        """The positions, from one to another, of low weeks beyond as many as there were before."""
        for run in self.runs:
            usual = 0 if self._sensitivity is Sensitivity.LITERAL else run.before
            if run.before <= MOST_LOW_BEFORE[self._sensitivity] and run.first + usual <= run.last:
                yield run.first + usual, run.last

    def _runs(self, minimum: int) -> list[Run]:
        """A week that ends a run, or comes after half a year of it, may begin another one."""
        values, runs, end = self.values, [], -1
        later = zip(range(BASELINE_WEEKS, len(values)), self.baselines, values[BASELINE_WEEKS:], strict=False)
        opening = [at for at, baseline, value in later if minimum <= baseline >= LOW * BASELINE_WEEKS * value]
        for first in opening:
            if first <= end:
                continue
            baseline, end = self.baselines[first - BASELINE_WEEKS], first
            most = min(len(values), first + NEW_NORMAL_WEEKS)
            while end + 1 < most and LOW * BASELINE_WEEKS * values[end + 1] <= baseline:
                end += 1
            looked_back = min(first, CALM_WEEKS if self._sensitivity is Sensitivity.CALM else BASELINE_WEEKS)
            before = sum(LOW * BASELINE_WEEKS * value <= baseline for value in values[first - looked_back : first])
            runs.append(Run(first, end, baseline, before, looked_back))
        return runs

    def _drop(self, run: Run, last: int) -> Drop:
        if last not in self._drops:
            self._drops[last] = self._drop_of(run, last)
        return self._drops[last]

    def _drop_of(self, run: Run, last: int) -> Drop:
        low_weeks = last - run.first + 1
        unusual = low_weeks - (0 if self._sensitivity is Sensitivity.LITERAL else run.before)
        return Drop(
            baseline=run.baseline,
            before=run.before,
            looked_back=run.looked_back,
            low_weeks=low_weeks,
            unusual=unusual,
            state=_state(low_weeks, unusual, irregular=run.before > MOST_LOW_BEFORE[self._sensitivity]),
            first=self.weeks[run.first],
            last=self.weeks[last],
            first_at=run.first,
            last_at=last,
            values=tuple(self.values[run.first : last + 1]),
        )


class Drops:
    """The drops of one signal, as of a week."""

    __slots__ = ("_series", "_weeks")

    def __init__(self, series: Series, weeks: int) -> None:
        """The first so many weeks of a series."""
        self._series = series
        self._weeks = weeks

    @property
    def weeks(self) -> Sequence[int]:
        """The numbers of the weeks."""
        return self._series.weeks[: self._weeks]

    @property
    def values(self) -> Sequence[int]:
        """The figure of each."""
        return self._series.values[: self._weeks]

    @property
    def current(self) -> Drop | None:
        """The drop that the last week is part of."""
        return self._series.drop(self._weeks - 1)

    @property
    def ended(self) -> list[Drop]:
        """Earlier ones, oldest first, each as of its last week."""
        return self._series.ended(self._weeks - 1)


def _state(low_weeks: int, unusual: int, *, irregular: bool) -> DropState:
    if low_weeks >= NEW_NORMAL_WEEKS:
        return DropState.NEW_NORMAL
    if irregular:
        return DropState.IRREGULAR
    if unusual <= 0:
        return DropState.USUAL_DIPS
    return DropState.YELLOW if unusual >= YELLOW_WEEKS else DropState.MONITOR


def drops_of(values: Sequence[int], minimum: int, sensitivity: Sensitivity = Sensitivity.BALANCED) -> Drops:
    """The drops of a whole series of weeks, oldest first."""
    return Drops(Series(range(len(values)), values, minimum, sensitivity), len(values))


def _spans(outlook: Outlook) -> Iterable[Span]:
    return outlook.weeks.falling_nights()


def _see(night: Night) -> Iterable[Sighting]:
    for key, drop in night.falling.items():
        if key != BREADTH:  # breadth alone opens no finding: it counts among several
            yield Sighting(NAME, key, Level.YELLOW if drop.falling >= YELLOW_WEEKS else Level.MONITOR, drop)


def _sentence(sighting: Sighting) -> str:
    """Active days were at or below half of the usual 5 a week for 3 weeks in a row (2, 1, 2; weeks of 2 to 16 Nov)."""
    drop: Drop = sighting.figures
    of = signal(str(sighting.signal))
    low = ", ".join(figure(Fraction(value, of.unit)) for value in drop.values[-SHOWN_WEEKS:])
    if len(drop.values) > SHOWN_WEEKS:
        low = f"lately {low}"
    usual = figure(drop.usual(of))
    before = "none" if not drop.before else str(drop.before)
    was = "was" if drop.before <= 1 else "were"
    return (
        f"{capitalized(of.title)} {of.were} at or below half of the usual {usual} a week for "
        f"{weeks_in_a_row(drop.low_weeks)} ({low}; {weeks_from(drop.first, drop.last)}). "
        f"In the {drop.looked_back} weeks before, {before} {was} that low."
    )


def drop_evidence(of: Signal, drop: Drop) -> Evidence:
    """A week of a drop beside a usual one."""
    usual, now = drop.usual(of), drop.now(of)
    return Evidence(
        what=capitalized(of.title),
        unit="a week",
        since=monday(drop.first),
        day=sunday(drop.last),
        before=decimal_number(usual),
        after=decimal_number(now),
        percent=decimal_number(100 * now / usual),
    )


def _evidence(sighting: Sighting) -> tuple[Evidence, ...]:
    drop: Drop = sighting.figures
    of = signal(str(sighting.signal))
    return (
        drop_evidence(of, drop),
        Evidence("Low weeks in a row", "weeks", sunday(drop.last), drop.before, drop.low_weeks),
    )


def _span(sighting: Sighting) -> tuple[int, int]:
    return monday(sighting.figures.first), sunday(sighting.figures.last)


NAME = "drop"
SHOWN_WEEKS = 6
"""Low weeks that a sentence lists: a month and a half can be read at a glance."""
DETECTOR = Detector(NAME, Schedule.WEEKLY, _see, _sentence, _evidence, _span, _spans)
