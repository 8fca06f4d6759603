"""Trends: a score compared with the average of the week before (scoring rule 12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

from healthscore.core.rounding import decimal_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from healthscore.core.health_document import TrendDocument
    from healthscore.core.model import Component, DailyScore

TREND_DAYS = 7
TREND_POINTS = 10
FEWEST_SNAPSHOTS = 3
"""With fewer snapshots in the week, the trend is unknown."""


class Direction(StrEnum):
    """Where a score is heading."""

    IMPROVING = "improving"
    DECLINING = "declining"
    STEADY = "steady"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Trend:
    """A score compared with the average of the snapshots of the 7 days before."""

    direction: Direction
    delta: Fraction | None
    """Now minus baseline, exact; None while the direction is unknown."""
    baseline: Fraction | None
    """Mean of the snapshots' scores, exact; None while the direction is unknown."""
    snapshots: int
    """How many snapshots there were, 0 to 7."""

    def to_json(self) -> TrendDocument:
        """The JSON of the health answer: figures rounded half up to one decimal."""
        return {
            "direction": self.direction.value,
            "delta": None if self.delta is None else decimal_number(self.delta),
            "baseline": None if self.baseline is None else decimal_number(self.baseline),
            "snapshots": self.snapshots,
        }


@dataclass(frozen=True, slots=True)
class Trends:
    """The trend of the score and of each of its components."""

    overall: Trend
    components: Mapping[Component, Trend]


def trend(now: int, earlier: Sequence[int]) -> Trend:
    """Compare a score with earlier ones (scoring rule 12).

    Args:
        now: the score, 0 to 100.
        earlier: scores of the snapshots of the 7 days before the as-of day, at most one a day.
    """
    count = len(earlier)
    if count < FEWEST_SNAPSHOTS:
        return Trend(direction=Direction.UNKNOWN, delta=None, baseline=None, snapshots=count)
    baseline = Fraction(sum(earlier), count)
    delta = now - baseline
    if delta >= TREND_POINTS:
        direction = Direction.IMPROVING
    elif delta <= -TREND_POINTS:
        direction = Direction.DECLINING
    else:
        direction = Direction.STEADY
    return Trend(direction=direction, delta=delta, baseline=baseline, snapshots=count)


def trends(now: DailyScore, recent: Sequence[DailyScore]) -> Trends:
    """The trends of a score and of its components (scoring rule 12).

    A component is compared with the snapshots that have it, so a CRM that was just connected has no trend yet.

    Args:
        now: the scores of the as-of day.
        recent: nightly scores, at most one a day; only those of the 7 days before `now.day` count.
    """
    first_day = now.day - timedelta(days=TREND_DAYS)
    week = [daily for daily in recent if first_day <= daily.day < now.day]
    return Trends(
        overall=trend(now.score, [daily.score for daily in week]),
        components={
            name: trend(score, [daily.components[name] for daily in week if name in daily.components])
            for name, score in now.components.items()
        },
    )
