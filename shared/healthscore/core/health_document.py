"""The types of the health answer, which `core.health` builds.

Only type checkers and the generator of the API's description import this module: making its forty classes would cost
every cold start some milliseconds. For the generator, annotations are evaluated here.
"""

from typing import Annotated, Literal

from typing_extensions import TypedDict

from healthscore.core.json_types import (
    BandName,
    Color,
    ComponentName,
    Count,
    Day,
    DirectionName,
    Instant,
    Money,
    Score,
    Shown,
    StateName,
)

TermName = Literal["session_length", "session_depth", "consistency"]
CrmState = Literal["not_connected", "connected", "partial", "unknown", "stale"]
_Known = Literal["known", "unknown"]


class TrendDocument(TypedDict):
    """How a score compares with the mean of the nights of the seven days before."""

    direction: DirectionName
    """`unknown` with fewer than 3 snapshots to compare with."""
    delta: float | None
    """Points above (or, negative, below) the baseline."""
    baseline: float | None
    """Mean of the snapshots of the seven days before."""
    snapshots: Count
    """How many snapshots that mean was taken of."""


class NextTierDocument(TypedDict):
    """The next higher score within reach, and what it takes."""

    score: Score
    distance: float
    """How much is missing, in `unit`."""
    unit: str
    """Such as `events`."""
    text: str
    """The same in words."""


class ExplainedComponent(TypedDict):
    """What every component says about its score."""

    score: Score
    weight: int
    """Per cent of the whole score."""
    points: float
    """What it contributes: its score times its weight, by 100."""
    lift: float
    """Points that the whole score would gain if this component were 100."""
    trend: TrendDocument
    reason: str
    """Why the score is what it is, in words."""
    next_tier: NextTierDocument | None
    """Null at 100, and where nothing known would raise it."""
    tip: str
    """What would raise it."""


class ActivityFacts(TypedDict):
    """The figures that activity is scored by."""

    events: Count
    window_days: int


class ActivityDocument(ExplainedComponent):
    """How much the account does: events in the window."""

    facts: ActivityFacts


class EngagementFacts(TypedDict):
    """The figures that engagement is scored by."""

    sessions: Count
    average_session_seconds: float
    average_events_per_session: float
    days_active: Count
    session_events: Count
    session_seconds: float
    window_days: int


class EngagementTerm(TypedDict):
    """One of the terms that engagement is the sum of."""

    points: float
    of: int
    """The most that this term can give."""


class EngagementTermDocuments(TypedDict):
    """The terms of engagement."""

    session_length: EngagementTerm
    session_depth: EngagementTerm
    consistency: EngagementTerm


class EngagementDocument(ExplainedComponent):
    """How long and how deep sessions are, and on how many days there are any."""

    facts: EngagementFacts
    terms: EngagementTermDocuments
    lacks_most: TermName | None


class ReachedMilestone(TypedDict):
    """A milestone and when it was first reached."""

    name: str
    at: Instant


class MilestoneFacts(TypedDict):
    """The milestones that are scored."""

    reached: list[ReachedMilestone]
    """Earliest first."""
    configured: list[str]
    missing: list[str]


class MilestonesDocument(ExplainedComponent):
    """Which of the workspace's milestones the account has ever reached."""

    facts: MilestoneFacts


class RecencyFacts(TypedDict):
    """The last event; null where there never was one."""

    last_seen_at: Instant | None
    days_since: float | None
    seconds_since: float | None


class NextFall(TypedDict):
    """When recency falls if nothing happens."""

    at: Instant
    score: Score
    text: str


class RecencyDocument(ExplainedComponent):
    """How long ago the last event was."""

    facts: RecencyFacts
    next_fall: NextFall | None
    """Null where it cannot fall any further."""


class CrmFactsDocument(TypedDict, total=False):
    """CRM facts: a field that is not there is unknown, null says that there is none."""

    received_at: Instant
    """When they were sent."""
    provider: str | None
    open_tickets: Count | None
    high_priority_open: Count | None
    last_meeting_at: Instant | None
    last_email_at: Instant | None
    last_contact_at: Instant | None
    active_deal: bool | None
    deal_updated_at: Instant | None
    renewal_date: Day | None
    churned: bool | None
    arr: Money


class CrmPartDocument(TypedDict):
    """A part of the CRM's score."""

    score: Score | None
    """Null where the part is unknown."""
    weight: int
    effective_weight: float
    """The weight after unknown parts are left out."""
    known: bool
    why: str


class CrmPartDocuments(TypedDict):
    """The parts of the CRM's score."""

    support: CrmPartDocument
    relationship: CrmPartDocument
    commercial: CrmPartDocument


class CrmDocument(ExplainedComponent):
    """What support tickets, contacts and the deal say."""

    facts: CrmFactsDocument
    parts: CrmPartDocuments


class ComponentDocuments(TypedDict):
    """The components of the score."""

    activity: ActivityDocument
    engagement: EngagementDocument
    milestones: MilestonesDocument
    recency: RecencyDocument
    crm: CrmDocument | None
    """Null where no CRM facts count; the others weigh more then."""


class Opportunity(TypedDict):
    """The component to work on first."""

    component: ComponentName
    lift: float
    tip: str


_ScoreMove = TypedDict("_ScoreMove", {"from": Score | None, "to": Score | None})


class DriverDocument(_ScoreMove):
    """What moved the score since the last snapshot: a component, and its score `from` then `to` now (null: none)."""

    component: ComponentName
    points: float
    """What it moved the score by, up or down."""
    cause: str
    """In words."""


class ComparedWith(TypedDict):
    """The snapshot that the drivers compare with: a night, or what `compare_to` names."""

    date: Day
    as_of: Instant
    score: Score


class CrmPartsKnown(TypedDict):
    """Which parts of the CRM are known."""

    support: _Known
    relationship: _Known
    commercial: _Known


class _CrmCoverage(TypedDict):
    crm: CrmState
    """`partial`: some parts are unknown and left out; `unknown`: all are; `stale`: not read lately."""


class Coverage(_CrmCoverage, total=False):
    """Whether CRM facts count, and which."""

    crm_parts: CrmPartsKnown
    crm_synced_at: Instant
    """When a connected CRM was last read completely."""


_WindowDays = TypedDict("_WindowDays", {"days": int, "from": Day, "to": Day})


class Window(_WindowDays):
    """The days that count."""


class RecentScore(TypedDict):
    """A night's score."""

    date: Day
    score: Score


class RiskDocument(TypedDict):
    """Whether an account's use weakens, as the newest night has judged it. It does not follow from the score."""

    date: Day
    """The last complete day that the night knew."""
    state: StateName | None
    """Null where the customer has left, or there is nothing to say yet."""
    since: Day | None
    previous: StateName | None
    reason: str | None
    """The gravest reason, in one sentence."""
    disagrees: str | None
    """In one line, where the score says otherwise."""
    due: Day | None
    """By when somebody should act."""


class HealthDocument(TypedDict):
    """An account's score as of an instant, with everything that explains it."""

    account_id: str
    as_of: Instant
    model: Annotated[str, Shown(const="standard-v1")]
    score: Score
    band: BandName
    color: Color
    trend: TrendDocument
    components: ComponentDocuments
    biggest_opportunity: Opportunity | None
    """Null where every component is at 100."""
    recommended_action: str
    drivers: list[DriverDocument]
    """Largest first; empty where there is nothing to compare with."""
    compared_with: ComparedWith | None
    coverage: Coverage
    window: Window
    not_counted: Count
    """Events of the window of users who do not count, as staff and machines. They are in no other figure."""
    risk: RiskDocument | None
    """Null before the first night that judged it."""
    recent: list[RecentScore]
    """The nights of the 30 days before, oldest first."""
