"""A customer of the demo workspace, and what happens to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from healthscore.core.signals.calendar import week_of
from healthscore.core.time import DAY, format_instant
from tools.demo.usage import Moment, Phase, Weeks, events

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

CREATED, USED, CONNECTED = "account_created", "first_feature_used", "integration_connected"
"""The milestones that count in a workspace that has not chosen others."""

MAYA = {"owner": "Maya Okafor", "owner_email": "maya.okafor@example.com"}
TOM = {"owner": "Tom Lindqvist", "owner_email": "tom.lindqvist@example.com"}
PRIYA = {"owner": "Priya Raman", "owner_email": "priya.raman@example.com"}


@dataclass(frozen=True, slots=True)
class CrmReport:
    """The CRM facts of one day."""

    days_ago: int
    facts: Mapping[str, Any]
    """As `PUT …/crm` takes them, with days ago in place of instants."""


@dataclass(frozen=True, slots=True)
class Story:
    """One customer."""

    account_id: str
    name: str
    plot: str
    """The story in a few words."""
    owner: Mapping[str, str]
    plan: str
    arr: int
    renews_in: int
    """Days."""
    users: tuple[str, ...]
    phases: tuple[Phase | Weeks, ...]
    moments: tuple[Moment, ...]
    crm: tuple[CrmReport, ...] = ()
    """Oldest first, the last one of today."""
    about: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Further fields of its profile."""
    open_tickets: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    """How many tickets were open at the ends of weeks before the present one, from the given ones on."""

    def events(self, now: datetime) -> Iterator[dict[str, Any]]:
        """What its users did up to now, as `POST /v1/events` takes it."""
        return events(self.account_id, self.users, self.phases, self.moments, now)

    def profile(self, now: datetime) -> dict[str, Any]:
        """What `PUT /v1/accounts/{id}` takes."""
        created = max(moment.days_ago for moment in self.moments)
        return {
            "name": self.name,
            **self.owner,
            **self.about,
            "plan": self.plan,
            "arr": self.arr,
            "renewal_date": (now + self.renews_in * DAY).date().isoformat(),
            "created_at": (now - created * DAY).date().isoformat(),
        }

    def tickets(self, now: datetime) -> dict[int, int]:
        """The open tickets at the ends of weeks, by the number of the week from which on there were so many."""
        present = week_of(now.astimezone(UTC).date().toordinal() - 1)
        return {present - weeks_ago: count for weeks_ago, count in self.open_tickets.items()}

    def crm_facts(self, report: CrmReport, now: datetime) -> dict[str, Any]:
        """The CRM facts of one day as `PUT /v1/accounts/{id}/crm` takes them."""
        return {
            **{name: _instant(now, value) if name.endswith("_at") else value for name, value in report.facts.items()},
            "renewal_date": (now + self.renews_in * DAY).date().isoformat(),
        }


def _instant(now: datetime, days_ago: int) -> str:
    return format_instant((now - days_ago * DAY).replace(microsecond=0))


def milestones(*days_ago: int) -> tuple[Moment, ...]:
    """The first milestones, in their order, so many days ago."""
    return tuple(Moment(days, name) for days, name in zip(days_ago, (CREATED, USED, CONNECTED), strict=False))
