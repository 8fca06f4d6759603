"""The findings of an account over its life: what a detector saw, from when until when (rules 17, 18 and 43)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from hashlib import sha256
from typing import TYPE_CHECKING

from healthscore.core.decisions.episode import Ending
from healthscore.core.detectors import drop
from healthscore.core.detectors.drop import DropState
from healthscore.core.detectors.finding import Level
from healthscore.core.signals.calendar import date_of
from healthscore.core.signals.weeks import BASELINE_WEEKS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from healthscore.core.detectors.finding import Sighting
    from healthscore.core.detectors.night import Night


class FindingState(StrEnum):
    """How far a finding has come."""

    OPEN = "open"
    """Seen, and not yet grave: monitor."""
    FIRING = "firing"
    """Seen, yellow or red."""
    RECOVERING = "recovering"
    """Not seen any more, and its episode is not over."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one detector saw of one signal, as long as it lasted."""

    sighting: Sighting
    """As it was last seen."""
    level: Level
    """The gravest that it was."""
    opened: int
    raised: int | None
    """The day on which it became yellow or red; None while it is monitor."""
    state: FindingState
    closed: int | None = None
    closed_how: Ending | None = None
    rebound: Fraction | None = None
    """Of a drop that passed: the week that ended it, in percent of a usual one."""

    def finding_id(self, account_id: str) -> str:
        """Its id: the same however often a night is run."""
        return finding_id(date_of(self.opened), self.sighting.detector, self.sighting.signal, account_id)

    def is_same(self, detector: str, signal: str | None, opened: date) -> bool:
        """Whether it is one that an earlier night has stored as open (signal rule 43).

        Late events can move a finding by some days: it is of the same detector and signal, and was seen at a time that
        the stored one lasted.
        """
        same = (self.sighting.detector, self.sighting.signal) == (detector, signal)
        return same and (self.closed is None or self.closed >= opened.toordinal())


def finding_id(opened: date, detector: str, signal: str | None, account_id: str) -> str:
    """The id of a finding: the day on which it opened, the detector, the signal, and a hash of the account's id."""
    parts = [opened.isoformat(), detector, *([signal] if signal else [])]
    return "-".join([*parts, sha256(account_id.encode()).hexdigest()[:20]])


class Findings:
    """The findings so far, stepped from night to night."""

    def __init__(self) -> None:
        self.open: dict[tuple[str, str | None], Finding] = {}
        self.closed: list[Finding] = []

    def step(self, night: Night, seen: Iterable[Sighting], *, in_episode: bool) -> None:
        """Take in what a night sees.

        Args:
            night: the night.
            seen: its sightings of level monitor and above.
            in_episode: whether an episode is open; a grave finding then waits for its end.
        """
        now = {(sighting.detector, sighting.signal): sighting for sighting in seen}
        for key, sighting in now.items():
            known = self.open.get(key)
            if known is not None and known.sighting is sighting and known.state is not FindingState.RECOVERING:
                continue
            level = max(sighting.level, known.level) if known else sighting.level
            state = FindingState.FIRING if sighting.level >= Level.YELLOW else FindingState.OPEN
            opened = known.opened if known else night.day
            raised = known.raised if known else None
            if raised is None and level >= Level.YELLOW:
                raised = night.day
            self.open[key] = Finding(sighting, level, opened, raised, state)
        for key in [key for key in self.open if key not in now]:
            finding = self.open[key]
            if _is_new_normal(night, finding.sighting):
                self._close(key, night.day, Ending.NEW_NORMAL)
            elif in_episode and finding.level >= Level.YELLOW:
                if finding.state is not FindingState.RECOVERING:
                    self.open[key] = replace(finding, state=FindingState.RECOVERING)
            else:
                self._close(key, night.day, Ending.PASSED, _rebound(night, finding.sighting))

    def end(self, day: int, how: Ending) -> None:
        """End an episode: what is not seen any more closes, and everything where the customer has left."""
        for key, finding in list(self.open.items()):
            if finding.state is FindingState.RECOVERING or how is not Ending.RECOVERED:
                self._close(key, day, how)

    def _close(self, key: tuple[str, str | None], day: int, how: Ending, rebound: Fraction | None = None) -> None:
        finding = self.open.pop(key)
        self.closed.append(replace(finding, state=FindingState.CLOSED, closed=day, closed_how=how, rebound=rebound))


def _rebound(night: Night, sighting: Sighting) -> Fraction | None:
    drops = night.drops(sighting.signal or "") if sighting.detector == drop.NAME else None
    return None if drops is None else Fraction(100 * BASELINE_WEEKS * drops.values[-1], sighting.figures.baseline)


def _is_new_normal(night: Night, sighting: Sighting) -> bool:
    drops = night.drops(sighting.signal or "") if sighting.detector == drop.NAME else None
    current = None if drops is None else drops.current
    return current is not None and current.state is DropState.NEW_NORMAL
