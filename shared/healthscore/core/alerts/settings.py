"""The alert settings of a workspace: which rules are on, and from which size of change.

Named tuples, since every function loads these at its start, and the classes of dataclasses take longer to make.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class BandFell(NamedTuple):
    """Alert when an account's band is lower than the band that people know of."""

    enabled: bool = True


class Declining(NamedTuple):
    """Alert when the score lies this many points below the mean of the seven days before."""

    enabled: bool = True
    points: int = 10


class Silent(NamedTuple):
    """Alert when the account has had no event for this many days of 24 hours."""

    enabled: bool = True
    days: int = 7


class ScoreFell(NamedTuple):
    """Alert when the score has fallen by this many points from the highest of this many days before."""

    enabled: bool = True
    points: int = 20
    days: int = 7


class Recovered(NamedTuple):
    """Alert, as good news, when an account is healthy again."""

    enabled: bool = True


class TicketOpened(NamedTuple):
    """Alert at once when the CRM reports open tickets of high priority where it reported none before."""

    enabled: bool = True


class AlertSettings(NamedTuple):
    """The settings of all rules."""

    band_fell: BandFell = BandFell()
    declining: Declining = Declining()
    silent: Silent = Silent()
    score_fell: ScoreFell = ScoreFell()
    recovered: Recovered = Recovered()
    ticket_opened: TicketOpened = TicketOpened()

    def to_json(self) -> dict[str, dict[str, Any]]:
        """Every rule's settings by the rule's name."""
        return {name: rule._asdict() for name, rule in self._asdict().items()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Mapping[str, Any]]) -> AlertSettings:
        """Read what `to_json` wrote; a missing rule gets its default."""
        return cls(
            band_fell=BandFell(**stored.get("band_fell", {})),
            declining=Declining(**stored.get("declining", {})),
            silent=Silent(**stored.get("silent", {})),
            score_fell=ScoreFell(**stored.get("score_fell", {})),
            recovered=Recovered(**stored.get("recovered", {})),
            ticket_opened=TicketOpened(**stored.get("ticket_opened", {})),
        )
