"""What the health answer holds. Used to describe it and to check it, never to make it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, with_config
from typing_extensions import TypedDict

from tools.openapi.answer_types import EXACTLY, Band, ComponentName, Count, CrmFacts, Day, Direction, Instant, Score


@with_config(EXACTLY)
class Trend(TypedDict):
    """How a score compares with the mean of the nights of the seven days before."""

    direction: Annotated[Direction, Field(description="`unknown` with fewer than 3 snapshots to compare with.")]
    delta: Annotated[float | None, Field(description="Points above (or, negative, below) the baseline.")]
    baseline: Annotated[float | None, Field(description="Mean of the snapshots of the seven days before.")]
    snapshots: Annotated[Count, Field(description="How many snapshots that mean was taken of.")]


@with_config(EXACTLY)
class NextTier(TypedDict):
    """The next higher score within reach, and what it takes."""

    score: Score
    distance: Annotated[float, Field(description="How much is missing, in `unit`.")]
    unit: Annotated[str, Field(examples=["events"])]
    text: Annotated[str, Field(description="The same in words.")]


@with_config(EXACTLY)
class Explained(TypedDict):
    """What every component says about its score."""

    score: Score
    weight: Annotated[int, Field(description="Per cent of the whole score.")]
    points: Annotated[float, Field(description="What it contributes: its score times its weight, by 100.")]
    lift: Annotated[float, Field(description="Points that the whole score would gain if this component were 100.")]
    trend: Trend
    reason: Annotated[str, Field(description="Why the score is what it is, in words.")]
    next_tier: Annotated[NextTier | None, Field(description="Null at 100, and where nothing known would raise it.")]
    tip: Annotated[str, Field(description="What would raise it.")]


@with_config(EXACTLY)
class ActivityFacts(TypedDict):
    """What activity is scored from."""

    events: Count
    window_days: int


@with_config(EXACTLY)
class ActivityHealth(Explained):
    """How much the account does: events in the window."""

    facts: ActivityFacts


@with_config(EXACTLY)
class EngagementFacts(TypedDict):
    """What engagement is scored from."""

    sessions: Count
    average_session_seconds: float
    average_events_per_session: float
    days_active: Count
    session_events: Count
    session_seconds: float
    window_days: int


@with_config(EXACTLY)
class Term(TypedDict):
    """One of the terms that engagement is the sum of."""

    points: float
    of: Annotated[int, Field(description="The most that this term can give.")]


@with_config(EXACTLY)
class Terms(TypedDict):
    """The terms of engagement."""

    session_length: Term
    session_depth: Term
    consistency: Term


@with_config(EXACTLY)
class EngagementHealth(Explained):
    """How long and how deep sessions are, and on how many days there are any."""

    facts: EngagementFacts
    terms: Terms
    lacks_most: Literal["session_length", "session_depth", "consistency"] | None


@with_config(EXACTLY)
class ReachedMilestone(TypedDict):
    """A milestone and when it was first reached."""

    name: str
    at: Instant


@with_config(EXACTLY)
class MilestoneFacts(TypedDict):
    """What milestones are scored from."""

    reached: Annotated[list[ReachedMilestone], Field(description="Earliest first.")]
    configured: list[str]
    missing: list[str]


@with_config(EXACTLY)
class MilestonesHealth(Explained):
    """Which of the workspace's milestones the account has ever reached."""

    facts: MilestoneFacts


@with_config(EXACTLY)
class RecencyFacts(TypedDict):
    """What recency is scored from; null where there never was an event."""

    last_seen_at: Instant | None
    days_since: float | None
    seconds_since: float | None


@with_config(EXACTLY)
class NextFall(TypedDict):
    """When recency falls if nothing happens."""

    at: Instant
    score: Score
    text: str


@with_config(EXACTLY)
class RecencyHealth(Explained):
    """How long ago the last event was."""

    facts: RecencyFacts
    next_fall: Annotated[NextFall | None, Field(description="Null where it cannot fall any further.")]


@with_config(EXACTLY)
class CrmPart(TypedDict):
    """A part of the CRM's score."""

    score: Annotated[Score | None, Field(description="Null where the part is unknown.")]
    weight: int
    effective_weight: Annotated[float, Field(description="The weight after unknown parts are left out.")]
    known: bool
    why: str


@with_config(EXACTLY)
class CrmParts(TypedDict):
    """The parts of the CRM's score."""

    support: CrmPart
    relationship: CrmPart
    commercial: CrmPart


@with_config(EXACTLY)
class CrmHealth(Explained):
    """What support tickets, contacts and the deal say."""

    facts: CrmFacts
    parts: CrmParts


@with_config(EXACTLY)
class Components(TypedDict):
    """The components of the score."""

    activity: ActivityHealth
    engagement: EngagementHealth
    milestones: MilestonesHealth
    recency: RecencyHealth
    crm: Annotated[CrmHealth | None, Field(description="Null where no CRM facts count; the others weigh more then.")]


@with_config(EXACTLY)
class Opportunity(TypedDict):
    """The component to work on first."""

    component: ComponentName
    lift: float
    tip: str


@with_config(EXACTLY)
class Driver(TypedDict):
    """What moved the score since the last snapshot."""

    component: ComponentName
    points: Annotated[float, Field(description="What it moved the score by, up or down.")]
    cause: Annotated[str, Field(description="In words.")]
    from_: Annotated[Score | None, Field(alias="from", description="The component's score then; null: not scored.")]
    to: Annotated[Score | None, Field(description="The component's score now.")]


@with_config(EXACTLY)
class ComparedWith(TypedDict):
    """The snapshot that the drivers compare with."""

    date: Day
    as_of: Instant
    score: Score


Known = Literal["known", "unknown"]


@with_config(EXACTLY)
class CrmPartsKnown(TypedDict):
    """Which parts of the CRM are known."""

    support: Known
    relationship: Known
    commercial: Known


@with_config(EXACTLY)
class CrmCoverage(TypedDict):
    """Whether CRM facts count."""

    crm: Annotated[
        Literal["not_connected", "connected", "partial", "unknown", "stale"],
        Field(
            description="`partial`: some parts are unknown and left out; `unknown`: all are; `stale`: not read lately."
        ),
    ]


@with_config(EXACTLY)
class Coverage(CrmCoverage, total=False):
    """What the score rests on."""

    crm_parts: CrmPartsKnown
    crm_synced_at: Annotated[Instant, Field(description="When a connected CRM was last read completely.")]


@with_config(EXACTLY)
class Window(TypedDict):
    """The days that are looked at."""

    days: int
    from_: Annotated[Day, Field(alias="from")]
    to: Day


@with_config(EXACTLY)
class RecentScore(TypedDict):
    """A night's score."""

    date: Day
    score: Score


@with_config(EXACTLY)
class Health(TypedDict):
    """An account's score as of an instant, with everything that explains it."""

    account_id: str
    as_of: Instant
    model: Literal["standard-v1"]
    score: Score
    band: Band
    color: Literal["green", "amber", "red"]
    trend: Trend
    components: Components
    biggest_opportunity: Annotated[Opportunity | None, Field(description="Null where every component is at 100.")]
    recommended_action: str
    drivers: Annotated[list[Driver], Field(description="Largest first; empty where there is nothing to compare with.")]
    compared_with: ComparedWith | None
    coverage: Coverage
    window: Window
    recent: Annotated[list[RecentScore], Field(description="The nights of the 30 days before, oldest first.")]
