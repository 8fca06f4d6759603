"""The values of the domain: events, roll-ups, facts, scores and snapshots.

All of them are frozen. Times are aware UTC datetimes cut to the
millisecond; days are calendar days in the workspace's time zone; durations are whole milliseconds; amounts
(`value`) are whole millionths, so that sums are exact and do not depend on the order they are taken in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

MICROS = 1_000_000
"""Amounts are kept as whole millionths: a value of 1 is 1,000,000 micros."""


class Band(StrEnum):
    """What a score means for the person who looks after the account (scoring rule 3)."""

    HEALTHY = "healthy"
    AT_RISK = "at_risk"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Order of the bands: 0 for critical, 1 for at risk, 2 for healthy."""
        return _BAND_RANK[self]

    @property
    def color(self) -> str:
        """The traffic-light colour that stands for the band."""
        return _BAND_COLOR[self]


_BAND_RANK = {Band.CRITICAL: 0, Band.AT_RISK: 1, Band.HEALTHY: 2}
_BAND_COLOR = {Band.CRITICAL: "red", Band.AT_RISK: "amber", Band.HEALTHY: "green"}


class Component(StrEnum):
    """The parts of the standard score, in the order they are shown."""

    ACTIVITY = "activity"
    ENGAGEMENT = "engagement"
    MILESTONES = "milestones"
    RECENCY = "recency"
    CRM = "crm"


@dataclass(frozen=True, slots=True)
class Event:
    """One tracked action of a user of an account."""

    event_id: str
    account_id: str
    name: str
    at: datetime
    user_id: str | None = None
    anonymous_id: str | None = None
    session_id: str | None = None
    value: int = MICROS
    """Amount in millionths; a pre-aggregated count such as "120 messages" is 120,000,000."""
    page: str | None = None
    """The name of the viewed page or screen. It is stored and does not score."""
    internal: bool = False
    """Whether the event itself says that it is of staff or of a machine, and does not count."""


@dataclass(frozen=True, slots=True)
class NameCount:
    """How often one event name occurred on a day, and the sum of its values in millionths."""

    count: int
    value: int


@dataclass(frozen=True, slots=True)
class DayRollup:
    """What one account did on one day: the sums over that day's whole event log."""

    day: date
    events: int
    sessions: int
    session_events: int
    """Events that belong to a session (an event without user, anonymous id and session id belongs to none)."""
    session_ms: int
    """Sum of the sessions' durations, first to last event, in milliseconds."""
    people: int
    """Distinct users and anonymous ids seen."""
    first_at: datetime
    last_at: datetime
    names: Mapping[str, NameCount] = field(default_factory=dict)
    """The day's most frequent event names; the others are summed under the empty name."""
    not_counted: int = 0
    """Events of users who do not count, as staff and machines. They are in none of the other figures."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """A configured milestone that the account has reached, and when it first did."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CrmFacts:
    """What a CRM or a person reports about an account. Fields in `unknown` were not reported; None means "none".

    Field names are those of `PUT /v1/accounts/{id}/crm`.
    """

    received_at: datetime
    provider: str | None = None
    open_tickets: int | None = None
    high_priority_open: int | None = None
    """Open tickets of high priority, a count (true and false are read as 1 and 0)."""
    last_meeting_at: datetime | None = None
    last_email_at: datetime | None = None
    last_contact_at: datetime | None = None
    active_deal: bool | None = None
    deal_updated_at: datetime | None = None
    renewal_date: date | None = None
    churned: bool | None = None
    unknown: frozenset[str] = frozenset()
    """Names of the fields above that were not reported, and are unknown rather than none."""
    arr: float | None = None
    """Annual recurring revenue as the CRM has it, in its currency; None where it does not say. It does not score."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the standard score is computed from, as of one instant."""

    as_of: datetime
    as_of_day: date
    events: int
    sessions: int
    session_events: int
    session_ms: int
    days_active: int
    last_seen_at: datetime | None
    """The last event at or before `as_of`, however long ago."""
    milestones: tuple[Milestone, ...]
    """Configured milestones reached at or before `as_of`, earliest first."""
    configured_milestones: tuple[str, ...]
    crm: CrmFacts | None
    """None where no CRM facts were received by `as_of`."""
    crm_synced_at: datetime | None = None
    """When a connected CRM was last read completely; None for facts that came over the API."""
    not_counted: int = 0
    """Events of the window of users who do not count. They score nothing."""


@dataclass(frozen=True, slots=True)
class DailyScore:
    """The short form of one night's score, which trends and alert rules compare with."""

    day: date
    score: int
    components: Mapping[Component, int]
    """Component scores; without CRM in it, the account was scored without CRM that night."""


STATES = ("ok", "monitor", "yellow", "red")
"""The states of an account's risk, the gravest last."""


@dataclass(frozen=True, slots=True)
class OpenFinding:
    """A finding that is not closed, in short; levels and states as in `core.decisions`."""

    detector: str
    signal: str | None
    level: str
    state: str
    opened: date
    """The last complete day of the night that saw it first."""
    usual: float | None = None
    """Of its first figure: what is usual, what it is now, and that in percent."""
    now: float | None = None
    percent: float | None = None


@dataclass(frozen=True, slots=True)
class Risk:
    """The risk of an account as a night left it, beside its score (signal rule 31). It names no person."""

    day: date
    """The last complete day that the night knew."""
    state: str | None
    """One of `STATES`; None where the customer has left, or there is nothing to say yet."""
    since: date | None = None
    """The day in whose night it came to that; None where it never had a state."""
    previous: str | None = None
    """The state before."""
    reason: str | None = None
    """The gravest reason, in one sentence."""
    due: date | None = None
    """By when somebody should act."""
    findings: tuple[OpenFinding, ...] = ()
    """The open ones, the gravest first."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The score that a nightly run stored for an account and a day, with its facts."""

    day: date
    as_of: datetime
    score: int
    band: Band
    components: Mapping[Component, int]
    facts: Mapping[Component, Mapping[str, Any]]
    """Each component's facts, as in the health answer (JSON values)."""
    risk: Risk | None = None
    """The risk; None before the first night that judged it."""

    @property
    def daily(self) -> DailyScore:
        """The short form of this snapshot."""
        return DailyScore(day=self.day, score=self.score, components=self.components)
