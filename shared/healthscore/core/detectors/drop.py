"""One signal's drop: weeks in a row at or below half of the usual (signal rules 12 to 17).

A week is unusual only beyond as many low weeks as the account had in the weeks before. This needs no distribution: use
comes in bursts, and a binomial tail calls every account that is used in bursts a drop.
"""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
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
    from collections.abc import Iterable

    from healthscore.core.detectors.night import Night
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
        return 0 if self.state in {DropState.IRREGULAR, DropState.NEW_NORMAL} else max(self.unusual, 0)

    def usual(self, of: Signal) -> Fraction:
        """What a week of the baseline held."""
        return Fraction(self.baseline, BASELINE_WEEKS * of.unit)

    def now(self, of: Signal) -> Fraction:
        """What a low week holds."""
        return Fraction(sum(self.values), len(self.values) * of.unit)


class Drops:
    """The drops of one signal, found week by week; the weeks are those that exist, without excused ones."""

    def __init__(self, minimum: int, sensitivity: Sensitivity = Sensitivity.BALANCED) -> None:
        """Begin before the first week.

        Args:
            minimum: what twelve weeks must hold at least for a drop to open (signal rule 15).
            sensitivity: which low weeks are usual ones.
        """
        self.weeks: list[int] = []
        self.values: list[int] = []
        self.current: Drop | None = None
        """The drop that the last week is part of."""
        self.ended: list[Drop] = []
        """Earlier ones, oldest first, each as of its last week."""
        self._minimum = minimum
        self._sensitivity = sensitivity
        self._before = 0  # the sum of the twelve weeks before the next one

    def add(self, week: int, value: int) -> None:
        """Judge the next complete week."""
        values, baseline = self.values, self._before
        at = len(values)
        self.weeks.append(week)
        values.append(value)
        self._before += value - (values[at - BASELINE_WEEKS] if at >= BASELINE_WEEKS else 0)
        current = self.current
        if current and current.low_weeks < NEW_NORMAL_WEEKS and LOW * BASELINE_WEEKS * value <= current.baseline:
            self.current = self._run(current.baseline, current.before, current.looked_back, current.first_at)
            return
        if current:
            self.ended.append(current)
        opens = at >= BASELINE_WEEKS and self._minimum <= baseline >= LOW * BASELINE_WEEKS * value
        self.current = self._opened(baseline, at) if opens else None

    def _opened(self, baseline: int, at: int) -> Drop:
        """The drop that begins with the last week, which is low beside the twelve weeks before it."""
        looked_back = min(at, CALM_WEEKS if self._sensitivity is Sensitivity.CALM else BASELINE_WEEKS)
        before = sum(LOW * BASELINE_WEEKS * value <= baseline for value in self.values[at - looked_back : at])
        return self._run(baseline, before, looked_back, at)

    def _run(self, baseline: int, before: int, looked_back: int, first_at: int) -> Drop:
        last_at = len(self.values) - 1
        low_weeks = last_at - first_at + 1
        unusual = low_weeks - (0 if self._sensitivity is Sensitivity.LITERAL else before)
        return Drop(
            baseline=baseline,
            before=before,
            looked_back=looked_back,
            low_weeks=low_weeks,
            unusual=unusual,
            state=_state(low_weeks, unusual, irregular=before > MOST_LOW_BEFORE[self._sensitivity]),
            first=self.weeks[first_at],
            last=self.weeks[last_at],
            first_at=first_at,
            last_at=last_at,
            values=tuple(self.values[first_at:]),
        )


def _state(low_weeks: int, unusual: int, *, irregular: bool) -> DropState:
    if low_weeks >= NEW_NORMAL_WEEKS:
        return DropState.NEW_NORMAL
    if irregular:
        return DropState.IRREGULAR
    if unusual <= 0:
        return DropState.USUAL_DIPS
    return DropState.YELLOW if unusual >= YELLOW_WEEKS else DropState.MONITOR


def drops_of(values: Iterable[int], minimum: int, sensitivity: Sensitivity = Sensitivity.BALANCED) -> Drops:
    """The drops of a whole series of weeks, oldest first."""
    drops = Drops(minimum, sensitivity)
    for week, value in enumerate(values):
        drops.add(week, value)
    return drops


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
DETECTOR = Detector(NAME, Schedule.WEEKLY, _see, _sentence, _evidence, _span)
