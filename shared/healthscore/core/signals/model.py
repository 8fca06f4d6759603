"""What is measured of an account: its signals, and what the night knows of its profile (signal rules 5 and 6)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING

from healthscore.core.model import MICROS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

ACTIVE_DAYS, USERS, VALUE, BREADTH, TICKETS = "active_days", "users", "value", "breadth", "tickets"
INTEGRATION = "integration:"
UNSTATED_CADENCE = 90
"""Days between two uses where a profile says `periodic` and no cadence: the longest common rhythm, a quarter."""


class Family(StrEnum):
    """Signals of one family fall together, and count as one (signal rule 5)."""

    USAGE = "usage"
    VALUE = "value"
    INTEGRATION = "integration"
    SUPPORT = "support"


@dataclass(frozen=True, slots=True)
class Signal:
    """One measured series."""

    key: str
    family: Family
    minimum: int
    """The least that twelve weeks must hold before a drop can be seen: signal rule 15."""
    unit: int = 1
    """How much of a week's figure is one: values are in millionths."""

    @property
    def title(self) -> str:
        """Its name in a sentence."""
        return TITLES.get(self.key) or f"{self.key.removeprefix(INTEGRATION)} volume"

    @property
    def were(self) -> str:
        """The verb that its name takes."""
        return "was" if self.family is Family.INTEGRATION or self.key == VALUE else "were"


TITLES: Mapping[str, str] = MappingProxyType(
    {
        ACTIVE_DAYS: "active days",
        USERS: "active users",
        VALUE: "value activity",
        BREADTH: "features used",
        TICKETS: "open tickets",
    }
)
MINIMUM_DAYS = 12
"""One active day a week: below it, one visit more or less is half of the usual."""
MINIMUM = 24
"""Two a week, for the same reason: of everything else, single ones come by chance more often than days do."""


def signal(key: str) -> Signal:
    """The signal of a key: `active_days`, `users`, `value`, `breadth`, `tickets` or `integration:<name>`."""
    if key == ACTIVE_DAYS:
        return Signal(key, Family.USAGE, MINIMUM_DAYS)
    if key == USERS:
        return Signal(key, Family.USAGE, MINIMUM)
    if key == VALUE:
        return Signal(key, Family.VALUE, MINIMUM * MICROS, MICROS)
    if key == BREADTH:
        return Signal(key, Family.VALUE, MINIMUM)
    if key == TICKETS:
        return Signal(key, Family.SUPPORT, MINIMUM)
    return Signal(key, Family.INTEGRATION, MINIMUM * MICROS, MICROS)


class UsageChannel(StrEnum):
    """By what an account uses the product."""

    PEOPLE = "people"
    API = "api"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Definitions:
    """Which event names make up the signals: a workspace's settings, or an account's own."""

    value_events: frozenset[str] = frozenset()
    """What the customer has bought the product for."""
    integrations: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    features: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    """Event names by feature; where there is none, every event name is a feature."""

    @property
    def of_integrations(self) -> frozenset[str]:
        """All event names that are an integration's."""
        return frozenset().union(*self.integrations.values())

    @property
    def fingerprint(self) -> int:
        """64 bits that tell these definitions from others."""
        parts = [sorted(self.value_events)]
        parts += [[name, *sorted(events)] for name, events in sorted(self.integrations.items())]
        parts += [[""]]
        parts += [[name, *sorted(events)] for name, events in sorted(self.features.items())]
        return int.from_bytes(blake2b(json.dumps(parts).encode(), digest_size=8).digest())

    def features_of(self, names: Collection[str]) -> frozenset[str]:
        """The features that events of these names use."""
        if not self.features:
            return frozenset(names)
        return frozenset(feature for feature, events in self.features.items() if not events.isdisjoint(names))


@dataclass(frozen=True, slots=True)
class Profile:
    """What a night knows of an account beside its use."""

    usage_channel: UsageChannel = UsageChannel.PEOPLE
    expected_cadence_days: int | None = None
    """After how many days the account is expected again."""
    periodic: bool = False
    champions: tuple[str, ...] = ()
    """The people who carry the product, by user id; where none is named, one is inferred."""
    created: int | None = None
    """The day on which it became a customer."""
    churned: bool = False
    owner: str | None = None

    @property
    def cadence(self) -> int | None:
        """The days between two uses, where the account is not expected every week."""
        if self.expected_cadence_days is not None:
            return self.expected_cadence_days
        return UNSTATED_CADENCE if self.periodic else None

    @property
    def of_people(self) -> bool:
        """Whether people use the product: of an API there are no users and no champions."""
        return self.usage_channel is not UsageChannel.API
