"""An episode: from the first yellow or red night until the account is back, or this is how it is now (rules 18 and 19).

One visit ends nothing: this is worth more than any detector. An account that has left often comes by once more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

from healthscore.core.detectors import drop, fade
from healthscore.core.detectors.finding import Level
from healthscore.core.rounding import round_up
from healthscore.core.signals.active_days import QUARTER
from healthscore.core.signals.recovery import RECOVERED_PERCENT, recovered_percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.core.detectors.finding import Sighting
    from healthscore.core.detectors.night import Night
    from healthscore.core.signals.active_days import ActiveDays

RECENT_DAYS = 28
SILENT_DAYS = 14
"""From two weeks of silence on, the usual rate is that of the quarter up to the last active day, not of one with the
silence in it."""
OF_BEST = Fraction(1, 2)
"""After a fade, the quarter before the episode is low already: half of the best one is the least to come back to."""
NEW_NORMAL_DAYS = 91
"""A quarter in which nothing fired: it stays as it is, and is compared with itself from then on."""


class Ending(StrEnum):
    """How an episode or a finding ends."""

    PASSED = "passed"
    """A drop that ended before it was yellow."""
    RECOVERED = "recovered"
    NEW_NORMAL = "new_normal"
    WITHDRAWN = "withdrawn"
    """Later data show that it never was."""
    LOST = "lost"
    """The customer has left."""


@dataclass(slots=True)
class Episode:
    """A time of trouble."""

    started: int
    usual_days: Fraction
    """The active days of 91 that it has to come back to, frozen when it started."""
    level: Level
    last_fired: int
    baselines: dict[str, int] = field(default_factory=dict)
    """The frozen baselines of the signals whose drops were yellow in it, each of its first such drop."""
    sightings: dict[tuple[str, str | None], Sighting] = field(default_factory=dict)
    """What was seen in it, the gravest and latest of each detector and signal."""
    _enough_days: int = field(init=False, repr=False, compare=False)
    """The active days of 28 that are at 80 % of the usual rate."""

    def __post_init__(self) -> None:
        self._enough_days = round_up(RECOVERED_PERCENT * self.usual_days * RECENT_DAYS / (100 * QUARTER))

    @classmethod
    def begin(cls, night: Night, seen: Iterable[Sighting]) -> Episode:
        """The episode that starts on a night on which something yellow or red is seen."""
        episode = cls(night.day, _usual_days(night, seen), Level.YELLOW, night.day)
        episode.go_on(night, seen)
        return episode

    def go_on(self, night: Night, seen: Iterable[Sighting]) -> None:
        """Note what a night sees. The level only rises (signal rule 19)."""
        for sighting in seen:
            key = sighting.detector, sighting.signal
            known = self.sightings.get(key)
            if known is None or sighting.level >= known.level:
                self.sightings[key] = sighting
            if sighting.level >= Level.YELLOW:
                self.last_fired = night.day
                self.level = max(self.level, sighting.level)
                if sighting.detector == drop.NAME:
                    self.baselines.setdefault(str(sighting.signal), sighting.figures.baseline)

    def ending(self, night: Night) -> Ending | None:
        """How it ends on a night on which nothing yellow or red is seen; None while it goes on."""
        if self._days_are_back(night.day, night.days) and all(
            _is_back(night, key, baseline) for key, baseline in self.baselines.items()
        ):
            return Ending.RECOVERED
        return Ending.NEW_NORMAL if night.day - self.last_fired >= NEW_NORMAL_DAYS else None

    def may_end(self, day: int, days: ActiveDays) -> bool:
        """Whether it is worth asking how it ends: by what its days alone say."""
        return day - self.last_fired >= NEW_NORMAL_DAYS or self._days_are_back(day, days)

    def _days_are_back(self, day: int, days: ActiveDays) -> bool:
        return days.count(day - RECENT_DAYS + 1, day) >= self._enough_days


def _usual_days(night: Night, seen: Iterable[Sighting]) -> Fraction:
    """The active days of the 91 before the trouble began."""
    last = night.rhythm.last if night.rhythm else night.day
    until = last if night.day - last >= SILENT_DAYS else night.day - RECENT_DAYS
    usual = Fraction(night.days.quarter(until))
    best: list[int] = [sighting.figures.best for sighting in seen if sighting.detector == fade.NAME]
    return max([usual, *(OF_BEST * days for days in best)])


def _is_back(night: Night, key: str, baseline: int) -> bool:
    drops = night.drops(key)
    return drops is None or recovered_percent(drops.values, baseline) >= RECOVERED_PERCENT
