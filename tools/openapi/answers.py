"""What answers hold, the health answer apart. Used to describe them and to check them, never to make them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from tools.openapi.answer_types import EXACTLY, Band, Count, CrmFacts, Day, Instant, Score


@with_config(EXACTLY)
class Rejected(TypedDict):
    """One event of a batch that was not taken."""

    index: Annotated[Count, Field(description="Its position in the batch as sent, from 0.")]
    event_id: Annotated[str | None, Field(description="Its id, as far as one was sent that can be shown.")]
    code: Annotated[str, Field(description="Why, for programs.")]
    message: Annotated[str, Field(description="Why, for people, and what to do.")]


@with_config(EXACTLY)
class FieldFault(TypedDict):
    """One field that is wrong."""

    field: str
    message: str


@with_config(EXACTLY)
class Error(TypedDict):
    """What went wrong. `code` is for programs and does not change; `message` is for people."""

    success: Literal[False]
    code: str
    message: str
    request_id: Annotated[str, Field(description="Under which the log has this request.")]
    fields: NotRequired[
        Annotated[list[FieldFault], Field(description="With `invalid_request`: every fault of the body.")]
    ]
    rejected: NotRequired[Annotated[list[Rejected], Field(description="With `all_rejected`: why, one by one.")]]


@with_config(EXACTLY)
class GatewayError(TypedDict):
    """What the gateway answers by itself, before or instead of the product."""

    message: str


@with_config(EXACTLY)
class Ingested(TypedDict):
    """What became of a batch. Everything that is accepted is durably stored."""

    success: Literal[True]
    accepted: Annotated[Count, Field(description="Events that are new.")]
    duplicates: Annotated[Count, Field(description="Events that were known already; they change nothing.")]
    rejected: Annotated[list[Rejected], Field(description="Events that were not taken, and why.")]


@with_config(EXACTLY)
class Recorded(Ingested):
    """What became of calls of the Segment dialect."""

    updates: Annotated[Count, Field(description="Calls that told who somebody is, rather than what somebody did.")]


@with_config(EXACTLY)
class KnownProfile(TypedDict, total=False):
    """What is known about an account: fields that are not known are not there."""

    name: str
    owner: str
    owner_email: str
    plan: str
    arr: Annotated[float, Field(ge=0)]
    renewal_date: Day
    created_at: Annotated[str, Field(description="A day, or an instant.")]
    attributes: dict[str, Any]
    champions: list[str]
    expected_cadence_days: int
    usage_mode: Literal["continuous", "periodic"]


@with_config(EXACTLY)
class LatestNight(TypedDict):
    """An account's newest snapshot, in short."""

    score: Score
    band: Band
    date: Day


@with_config(EXACTLY)
class Account(TypedDict):
    """An account: what is known of it beside its live score."""

    account_id: str
    path: Annotated[str, Field(description="Where this account is, ready to be asked for.")]
    profile: KnownProfile
    from_traits: Annotated[
        list[str], Field(description="Fields of the profile that stand there by the traits of group calls.")
    ]
    crm: Annotated[CrmFacts | None, Field(description="Null where nothing was ever said.")]
    since: Annotated[Instant, Field(description="Its first sign of life.")]
    latest: Annotated[LatestNight | None, Field(description="Null until a night has scored it.")]


@with_config(EXACTLY)
class Snapshot(TypedDict):
    """A night's score."""

    date: Day
    score: Score
    band: Band
    components: Annotated[
        dict[Literal["activity", "engagement", "milestones", "recency", "crm"], Score],
        Field(description="By name; without `crm` where it did not count."),
    ]


@with_config(EXACTLY)
class History(TypedDict):
    """An account's nights, oldest first."""

    account_id: str
    snapshots: list[Snapshot]


@with_config(EXACTLY)
class OnOff(TypedDict):
    """An alert rule that is on or off."""

    enabled: bool


@with_config(EXACTLY)
class DecliningRule(OnOff):
    """The alert on a declining trend."""

    points: int


@with_config(EXACTLY)
class SilentRule(OnOff):
    """The alert on an account that nobody uses any more."""

    days: int


@with_config(EXACTLY)
class ScoreFellRule(OnOff):
    """The alert on a score that fell fast."""

    points: int
    days: int


@with_config(EXACTLY)
class AlertRules(TypedDict):
    """Which changes are alerted."""

    band_fell: OnOff
    declining: DecliningRule
    silent: SilentRule
    score_fell: ScoreFellRule
    recovered: OnOff
    ticket_opened: OnOff


@with_config(EXACTLY)
class SettingsInForce(TypedDict):
    """Every setting, those that nobody has chosen with their defaults."""

    timezone: str
    milestones: list[str]
    retention_days: int
    alerts: AlertRules


@with_config(EXACTLY)
class VersionedSettings(TypedDict):
    """The settings and how often they were changed."""

    version: Annotated[Count, Field(description="0 while nobody has changed the defaults, then counting up.")]
    settings: SettingsInForce


@with_config(EXACTLY)
class Pulse(TypedDict):
    """A sign of life."""

    status: Literal["ok"]
