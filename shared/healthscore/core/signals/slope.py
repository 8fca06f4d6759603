"""Slope: the later half of some weeks against the earlier half (signal rule 8).

Halves and no regression: a reader can check them by adding bars, and one spike cannot turn the sign.
"""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

SPANS = {30: 4, 60: 8, 90: 12}
"""Weeks by the days that a reader asks for: 28, 56 and 84 days, so that every weekday is in each half equally often."""
STEADY_PERCENT = 25
"""From this change on it is no longer steady."""
FEWEST = 4
"""With fewer in the earlier half, one more or less is a quarter of it: the slope is unknown."""


class Direction(StrEnum):
    """Where a signal is heading."""

    RISING = "rising"
    FALLING = "falling"
    STEADY = "steady"
    UNKNOWN = "unknown"


class Slope(NamedTuple):
    """The change over a span."""

    direction: Direction
    percent: Fraction | None
    """Of the earlier half; None where unknown."""


def slope(weeks: Sequence[int], span: int, unit: int = 1) -> Slope:
    """The slope over the last `span` complete weeks.

    Args:
        weeks: complete weeks, oldest first.
        span: how many of them to look at, an even number.
        unit: how much of a week's figure is one.
    """
    half = span // 2
    if len(weeks) < span or (earlier := sum(weeks[-span:-half])) < FEWEST * unit:
        return Slope(Direction.UNKNOWN, None)
    percent = Fraction(100 * (sum(weeks[-half:]) - earlier), earlier)
    if percent <= -STEADY_PERCENT:
        return Slope(Direction.FALLING, percent)
    return Slope(Direction.RISING if percent >= STEADY_PERCENT else Direction.STEADY, percent)
