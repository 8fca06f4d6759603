"""The settings of a workspace and their defaults."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from healthscore.core.alerts.settings import AlertSettings
from healthscore.core.identity.settings import IdentitySettings
from healthscore.core.signals.settings import EarlyWarningSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_RETENTION_DAYS = 20_000


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """What keys of the scope `write` may send, which may be public.

    Attributes:
        events_only: whether they may send nothing but events, so that identify, group and alias calls are refused.
        known_accounts_only: whether what names an account that nobody else has created is refused.
        events_per_day: how many events and calls each of them may send in a day of UTC.
        new_accounts_per_day: how many accounts each of them may create in a day of UTC.
    """

    events_only: bool = False
    known_accounts_only: bool = False
    events_per_day: int = 1_000_000
    new_accounts_per_day: int = 10_000

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> PublicKeys:
        """Read what `asdict` made; a missing setting has its default."""
        return cls(**{name: stored[name] for name in cls.__slots__ if name in stored})


@dataclass(frozen=True, slots=True)
class DatasetSettings:
    """What the nightly dataset has beside its own columns.

    Attributes:
        attributes: names of the accounts' attributes that a row keeps, in the column `attributes`.
    """

    attributes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The settings as they are shown and stored."""
        return {"attributes": list(self.attributes)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> DatasetSettings:
        """Read what `to_json` wrote; a missing setting has its default."""
        return cls(tuple(stored.get("attributes", ())))


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one workspace.

    Attributes:
        timezone: IANA name of the zone whose calendar days are counted; fixed once there are events.
        milestones: event names that count as milestones (scoring rule 8), in the order they are shown.
        retention_days: how far back events are accepted and scores can be asked for, 1 to `MAX_RETENTION_DAYS`.
        alerts: which changes raise alerts, and from which size on.
        identity: which ids name nobody, and which users do not count.
        public_keys: what keys may send that may be public.
        dataset: what the nightly dataset has beside its own columns.
        early_warning: which events are signals, and how they are judged.
    """

    timezone: str = "UTC"
    milestones: tuple[str, ...] = ("account_created", "first_feature_used", "integration_connected")
    retention_days: int = 460
    alerts: AlertSettings = field(default_factory=AlertSettings)
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    public_keys: PublicKeys = field(default_factory=PublicKeys)
    dataset: DatasetSettings = field(default_factory=DatasetSettings)
    early_warning: EarlyWarningSettings = field(default_factory=EarlyWarningSettings)

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
            "public_keys": asdict(self.public_keys),
            "dataset": self.dataset.to_json(),
            **self.early_warning.to_json(),
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
            public_keys=PublicKeys.from_json(stored.get("public_keys", {})),
            dataset=DatasetSettings.from_json(stored.get("dataset", {})),
            early_warning=EarlyWarningSettings.from_json(stored),
        )


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
