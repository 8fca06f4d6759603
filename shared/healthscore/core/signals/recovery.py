"""Recovery: how much of the usual from before a fall is there again (signal rule 10).

It is measured by the baseline that was frozen when the fall began. Against last month, every loss would be recovered
after a quarter.
"""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

from healthscore.core.signals.weeks import BASELINE_WEEKS, RECENT_WEEKS

if TYPE_CHECKING:
    from collections.abc import Sequence

RECOVERED_PERCENT = 80
"""Four weeks at this share of four usual ones are within what a usual month varies by."""
PARTIAL_PERCENT = 50
"""Half: what a low week stays under."""


class Recovery(StrEnum):
    """How far it has come back."""

    RECOVERED = "recovered"
    PARTIAL = "partial"
    DEPRESSED = "depressed"


def recovered_percent(weeks: Sequence[int], baseline: int) -> Fraction:
    """The last four weeks, in percent of four usual ones of a frozen baseline.

    Args:
        weeks: complete weeks, oldest first.
        baseline: the sum of the twelve weeks before the fall, above 0.
    """
    return Fraction(100 * sum(weeks[-RECENT_WEEKS:]) * BASELINE_WEEKS, baseline * RECENT_WEEKS)


def recovery(percent: Fraction) -> Recovery:
    """What a recovered percentage is called."""
    if percent >= RECOVERED_PERCENT:
        return Recovery.RECOVERED
    return Recovery.PARTIAL if percent >= PARTIAL_PERCENT else Recovery.DEPRESSED
