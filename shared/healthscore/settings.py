"""The settings of a workspace and their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from healthscore.core.alerts.settings import AlertSettings
from healthscore.core.identity.settings import IdentitySettings

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_RETENTION_DAYS = 20_000


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one workspace.

    Attributes:
        timezone: IANA name of the zone whose calendar days are counted; fixed once there are events.
        milestones: event names that count as milestones (scoring rule 8), in the order they are shown.
        retention_days: how far back events are accepted and scores can be asked for, 1 to `MAX_RETENTION_DAYS`.
        alerts: which changes raise alerts, and from which size on.
        identity: which ids name nobody, and which users do not count.
    """

    timezone: str = "UTC"
    milestones: tuple[str, ...] = ("account_created", "first_feature_used", "integration_connected")
    retention_days: int = 400
    alerts: AlertSettings = field(default_factory=AlertSettings)
    identity: IdentitySettings = field(default_factory=IdentitySettings)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return _zone(self.timezone)

    def to_json(self) -> dict[str, Any]:
        """The settings as `GET /v1/settings` shows them and as they are stored."""
        return {
            "timezone": self.timezone,
            "milestones": list(self.milestones),
            "retention_days": self.retention_days,
            "alerts": self.alerts.to_json(),
            "identity": self.identity.to_json(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Settings:
        """Read what `to_json` wrote; a missing setting has its default.

        It does not check its input; `healthscore.api.schemas` checks what people send.
        """
        default = cls()
        return cls(
            timezone=stored.get("timezone", default.timezone),
            milestones=tuple(stored.get("milestones", default.milestones)),
            retention_days=int(stored.get("retention_days", default.retention_days)),
            alerts=AlertSettings.from_json(stored.get("alerts", {})),
            identity=IdentitySettings.from_json(stored.get("identity", {})),
        )


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
