"""What a workspace sets of the detectors."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Sensitivity(StrEnum):
    """How many low weeks are an account's usual ones (signal rule 14)."""

    BALANCED = "balanced"
    """As many as in the twelve weeks before."""
    CALM = "calm"
    """As many as in up to 26 weeks before."""
    LITERAL = "literal"
    """None: every low week is unusual."""


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """Which detectors are on, and how sensitive they are."""

    sensitivity: Sensitivity = Sensitivity.BALANCED
    off: frozenset[str] = frozenset()
    """The names of the detectors that are off."""
    on: frozenset[str] = frozenset()
    """The names of those that are on though they are off by default."""
    overdue_irregular: int = 45
    """After how many days without an event an account without a weekly rhythm is overdue. Longer than a month, so that
    monthly use is not overdue every month; 30 finds leavers sooner, and gives more false alerts."""

    def turns_on(self, name: str, *, by_default: bool) -> bool:
        """Whether a detector judges; where it is named twice, it is off."""
        return name not in self.off and (by_default or name in self.on)
