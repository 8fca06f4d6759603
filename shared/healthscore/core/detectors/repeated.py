"""Repeated drop: active days fall again before they had come back from the last fall (signal rule 23)."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.detectors.drop import Drop, DropState
from healthscore.core.detectors.finding import Detector, Evidence, Level, Schedule, Sighting
from healthscore.core.detectors.wording import weeks_from
from healthscore.core.rounding import decimal_number, round_half_up
from healthscore.core.signals.calendar import monday, sunday
from healthscore.core.signals.model import ACTIVE_DAYS, signal
from healthscore.core.signals.weeks import BASELINE_WEEKS
from healthscore.core.text import figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from healthscore.core.detectors.drop import Drops
    from healthscore.core.detectors.night import Night
    from healthscore.core.detectors.outlook import Outlook
    from healthscore.core.detectors.spans import Span

NAME = "repeated"
WEEKS = 2
"""A week earlier than a first drop: an account that has just fallen gets less patience."""
WITHIN_WEEKS = 26
"""Half a year: an older drop has been overcome, or has become the usual."""
REBOUND_PERCENT = 90
"""Two weeks in a row above this share of two usual ones count as a rebound: one good week does not."""


class Again(NamedTuple):
    """A drop after a drop without a rebound between."""

    earlier: Drop
    now: Drop
    rebound: Fraction
    """The best two weeks in a row between them, in percent of two usual ones of the first drop's baseline."""


def again(drops: Drops) -> Again | None:
    """The second of two drops of a signal, where it did not come back between them."""
    now = drops.current
    if now is None or now.falling < WEEKS:
        return None
    for earlier in reversed(drops.ended):
        if now.last_at - earlier.last_at > WITHIN_WEEKS:
            return None
        if earlier.unusual < 1 or earlier.state is DropState.IRREGULAR:
            continue
        rebound = rebound_percent(drops.values[earlier.last_at + 1 : now.first_at], earlier.baseline)
        if rebound <= REBOUND_PERCENT:
            return Again(earlier, now, rebound)
    return None


def rebound_percent(between: Sequence[int], baseline: int) -> Fraction:
    """The best two weeks in a row, in percent of two usual weeks; of one week, twice that week."""
    if len(between) == 1:
        best = 2 * between[0]
    else:
        best = max((one + following for one, following in pairwise(between)), default=0)
    return Fraction(100 * best * BASELINE_WEEKS, 2 * baseline)


def _spans(outlook: Outlook) -> Iterable[Span]:
    return outlook.weeks.falling_nights()


def _see(night: Night) -> Iterable[Sighting]:
    drops = night.drops(ACTIVE_DAYS)
    found = again(drops) if drops else None
    return (Sighting(NAME, ACTIVE_DAYS, Level.YELLOW, found),) if found else ()


def _sentence(sighting: Sighting) -> str:
    found: Again = sighting.figures
    of, now = signal(ACTIVE_DAYS), found.now
    usual = figure(found.earlier.usual(of))
    return (
        f"Active days fell for the second time in {WITHIN_WEEKS} weeks, from the usual {usual} a week to "
        f"{figure(now.now(of))} ({weeks_from(now.first, now.last)}); in between they came back to "
        f"{round_half_up(found.rebound)} % of usual at most."
    )


def _evidence(sighting: Sighting) -> tuple[Evidence, ...]:
    found: Again = sighting.figures
    usual = decimal_number(Fraction(found.earlier.baseline, BASELINE_WEEKS))
    now = decimal_number(Fraction(sum(found.now.values), len(found.now.values)))
    return (
        Evidence("Active days", "a week", sunday(found.now.last), usual, now, since=monday(found.earlier.first)),
        Evidence(
            "Best two weeks between the drops",
            "percent of usual",
            sunday(found.now.last),
            100,
            decimal_number(found.rebound),
            percent=decimal_number(found.rebound),
        ),
    )


def _span(sighting: Sighting) -> tuple[int, int]:
    return monday(sighting.figures.earlier.first), sunday(sighting.figures.now.last)


DETECTOR = Detector(NAME, Schedule.WEEKLY, _see, _sentence, _evidence, _span, _spans)
