"""The alert settings of a workspace: which rules are on, and from which size of change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class BandFell:
    """Alert when an account's band is lower than the band that people know of."""

    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Declining:
    """Alert when the score lies this many points below the mean of the seven days before."""

    enabled: bool = True
    points: int = 10


@dataclass(frozen=True, slots=True)
class Silent:
    """Alert when the account has had no event for this many days of 24 hours."""

    enabled: bool = True
    days: int = 7


@dataclass(frozen=True, slots=True)
class ScoreFell:
    """Alert when the score has fallen by this many points from the highest of this many days before."""

    enabled: bool = True
    points: int = 20
    days: int = 7


@dataclass(frozen=True, slots=True)
class Recovered:
    """Alert, as good news, when an account is healthy again."""

    enabled: bool = True


@dataclass(frozen=True, slots=True)
class TicketOpened:
    """Alert at once when the CRM reports open tickets of high priority where it reported none before."""

    enabled: bool = True


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """The settings of all rules."""

    band_fell: BandFell = field(default_factory=BandFell)
    declining: Declining = field(default_factory=Declining)
    silent: Silent = field(default_factory=Silent)
    score_fell: ScoreFell = field(default_factory=ScoreFell)
    recovered: Recovered = field(default_factory=Recovered)
    ticket_opened: TicketOpened = field(default_factory=TicketOpened)

    @classmethod
    def from_json(cls, stored: Mapping[str, Mapping[str, Any]]) -> AlertSettings:
        """Read what `dataclasses.asdict` gives of such settings; a missing rule gets its default."""
        return cls(
            band_fell=BandFell(**stored.get("band_fell", {})),
            declining=Declining(**stored.get("declining", {})),
            silent=Silent(**stored.get("silent", {})),
            score_fell=ScoreFell(**stored.get("score_fell", {})),
            recovered=Recovered(**stored.get("recovered", {})),
            ticket_opened=TicketOpened(**stored.get("ticket_opened", {})),
        )
