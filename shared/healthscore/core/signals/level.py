"""Level: what is usual, and what it is now (signal rule 7)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.signals.weeks import BASELINE_WEEKS, RECENT_WEEKS

if TYPE_CHECKING:
    from collections.abc import Sequence


class Level(NamedTuple):
    """The last four weeks beside the twelve before them."""

    now: int
    base: int | None
    """The sum of the twelve weeks before; None with less than sixteen weeks of life."""

    @property
    def usual(self) -> Fraction | None:
        """What four weeks usually hold."""
        return None if self.base is None else Fraction(self.base * RECENT_WEEKS, BASELINE_WEEKS)

    @property
    def percent(self) -> Fraction | None:
        """Now, in percent of usual; None where nothing was usual."""
        return Fraction(100 * self.now) / self.usual if self.usual else None


def level(weeks: Sequence[int]) -> Level:
    """The level after complete weeks, oldest first: "12 (usually 25)"."""
    recent = sum(weeks[-RECENT_WEEKS:])
    if len(weeks) < RECENT_WEEKS + BASELINE_WEEKS:
        return Level(recent, None)
    return Level(recent, sum(weeks[-RECENT_WEEKS - BASELINE_WEEKS : -RECENT_WEEKS]))
