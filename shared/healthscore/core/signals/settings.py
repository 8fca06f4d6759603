"""What a workspace chooses of early warning: which events are signals, and how they are judged.

A named tuple of plain values, since every function loads the settings at its start.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Groups = Mapping[str, tuple[str, ...]]
    """Event names by the name of an integration or a feature."""

NONE: Mapping[str, Any] = MappingProxyType({})
DEFINITIONS = ("value_events", "integrations", "features")
"""What an account can have otherwise than its workspace."""


class EarlyWarningSettings(NamedTuple):
    """The settings of signals and detectors."""

    value_events: tuple[str, ...] = ()
    """Names of the events that the customer has bought the product for."""
    integrations: Groups = NONE
    features: Groups = NONE
    """Where there is none, every event name is a feature."""
    quiet_days: tuple[str, ...] = ()
    """Days, as `YYYY-MM-DD`, whose weeks are excused for every account."""
    escalation_owner: str | None = None
    """Who hears at once of a red account that nobody looks after."""
    sensitivity: str = "balanced"
    """`balanced`, `calm` or `literal`: see `core.detectors.settings`."""
    overdue_irregular: int = 45
    """After how many days without an event an account without a weekly rhythm is overdue."""
    signals: Mapping[str, bool] = NONE
    """Whether a detector is on, by its name; one that is left out has its default."""

    def to_json(self) -> dict[str, Any]:
        """The settings as they are stored."""
        return {
            "value_events": list(self.value_events),
            "integrations": _lists(self.integrations),
            "features": _lists(self.features),
            "quiet_days": list(self.quiet_days),
            "escalation_owner": self.escalation_owner,
            "sensitivity": self.sensitivity,
            "overdue_irregular": self.overdue_irregular,
            "signals": {name: {"enabled": enabled} for name, enabled in self.signals.items()},
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> EarlyWarningSettings:
        """Read what `to_json` wrote, among other settings; a missing setting has its default."""
        values = {name: stored[name] for name in cls._fields if name in stored}
        for name in ("value_events", "quiet_days"):
            if name in values:
                values[name] = tuple(values[name])
        for name in ("integrations", "features"):
            if name in values:
                values[name] = {group: tuple(events) for group, events in values[name].items()}
        if "signals" in values:
            values["signals"] = {name: rule["enabled"] for name, rule in values["signals"].items()}
        return cls(**values)


def _lists(groups: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {name: list(events) for name, events in groups.items()}
