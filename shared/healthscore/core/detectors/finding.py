"""What a detector sees, as values: a sighting of one night, with its figures."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from healthscore.core.signals.calendar import date_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from typing_extensions import TypedDict

    from healthscore.core.detectors.night import Night
    from healthscore.core.detectors.outlook import Outlook
    from healthscore.core.detectors.spans import Span
    from healthscore.core.json_types import Day

    _FromTo = TypedDict("_FromTo", {"from": float | None, "to": float | None})

    class EvidenceJson(_FromTo):
        """One figure: what is usual, and what it is now."""

        what: str
        unit: str
        since: Day | None
        date: Day
        percent: float | None


class Level(IntEnum):
    """How grave a finding is; good news is OK, and changes no state."""

    OK = 0
    MONITOR = 1
    YELLOW = 2
    RED = 3

    @property
    def word(self) -> str:
        """Its name in JSON."""
        return self.name.lower()


class Schedule(Enum):
    """When a detector judges (signal rule 2)."""

    NIGHTLY = "nightly"
    WEEKLY = "weekly"
    """In Tuesday's night, when the weeks of all accounts are counted; the verdict stands until the next one."""


class Sighting(NamedTuple):
    """What a detector sees of an account on a night."""

    detector: str
    signal: str | None
    level: Level
    figures: Any
    """The detector's own tuple of figures, from which its sentence and evidence are written."""

    @property
    def reason(self) -> str:
        """Its short name: `drop:active_days`, `regime_change`."""
        return f"{self.detector}:{self.signal}" if self.signal else self.detector


@dataclass(frozen=True, slots=True)
class Evidence:
    """One figure: `before` is the usual, `after` what it is now. In JSON `from` and `to`."""

    what: str
    unit: str
    day: int
    """The day on which it reads `after`."""
    before: float | None
    after: float | None
    since: int | None = None
    percent: float | None = None

    def to_json(self) -> EvidenceJson:
        """The form in which evidence is stored and shown."""
        return {
            "what": self.what,
            "unit": self.unit,
            "since": date_of(self.since).isoformat() if self.since else None,
            "date": date_of(self.day).isoformat(),
            "from": self.before,
            "to": self.after,
            "percent": self.percent,
        }


@dataclass(frozen=True, slots=True)
class Detector:
    """One rule."""

    name: str
    """As in settings, reasons and stored findings."""
    schedule: Schedule
    see: Callable[[Night], Iterable[Sighting]]
    """What it sees on a night: nothing, or a sighting, at most one for each signal."""
    sentence: Callable[[Sighting], str]
    """The sighting in plain English."""
    evidence: Callable[[Sighting], Sequence[Evidence]]
    """The figures behind it."""
    span: Callable[[Sighting], tuple[int, int]]
    """The first and the last day of what it is about, for links to the events."""
    spans: Callable[[Outlook], Iterable[Span]] | None = None
    """A hint, since a night on which nobody is asked costs nothing; without one, it is asked always. It sees nothing
    outside of these spans of nights, which do not overlap. In one span and until the next count of the weeks, a nightly
    detector sees the same signals at the same levels, or nothing; what a count ends has no figures that follow the day.
    """
    of_young: bool = False
    """Whether it judges accounts younger than 90 days."""
    by_default: bool = True
    """Whether it is on where a workspace has set nothing."""
    of_cadence: bool = False
    """Whether it judges accounts that are expected only now and then (signal rule 6)."""
