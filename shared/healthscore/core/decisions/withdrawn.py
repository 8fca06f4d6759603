"""Findings that late data take back (signal rule 43)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthscore.core.decisions.episode import Ending
from healthscore.core.decisions.findings import Finding, FindingState

if TYPE_CHECKING:
    from collections.abc import Iterable


def withdrawn(known: Iterable[Finding], now: Iterable[Finding], day: int) -> list[Finding]:
    """The findings of earlier nights that tonight's fold does not see at any time, closed as withdrawn.

    One that late events have moved by some days is the same finding: it is seen of the same detector and signal at a
    time that the known one lasted.

    Args:
        known: the findings that were stored; closed ones stay as they are.
        now: all findings of tonight's fold, of the whole life of the account.
        day: tonight's last complete day.
    """
    seen = list(now)
    return [
        replace(finding, state=FindingState.CLOSED, closed=day, closed_how=Ending.WITHDRAWN)
        for finding in known
        if finding.state is not FindingState.CLOSED and not any(_is_same(finding, other) for other in seen)
    ]


def _is_same(known: Finding, other: Finding) -> bool:
    same = (known.sighting.detector, known.sighting.signal) == (other.sighting.detector, other.sighting.signal)
    return same and (other.closed is None or other.closed >= known.opened)
