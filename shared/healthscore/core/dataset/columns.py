"""The columns of the nightly dataset: one row an account and night (docs/dataset.md is made from this table).

Columns are only ever added: a file of an older schema reads as if it had the newer ones, with nothing in them. No
column names an end user, so that the erasure of a person never touches the dataset.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from healthscore.core.contract import Contract
from healthscore.core.dataset import last_nights
from healthscore.core.model import Component
from healthscore.core.scoring.standard import MODEL
from healthscore.core.scoring.trend import trends
from healthscore.core.time import format_instant, parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from healthscore.core.account import Account
    from healthscore.core.dataset.last_nights import Fall
    from healthscore.core.model import DailyScore, Risk, Snapshot

SCHEMA = 3
"""Raised whenever columns are added."""


class Type(Enum):
    """What a column holds, by the type that it has in DuckDB."""

    TEXT = "VARCHAR"
    WHOLE = "BIGINT"
    NUMBER = "DOUBLE"
    FLAG = "BOOLEAN"
    DAY = "DATE"
    INSTANT = "TIMESTAMP WITH TIME ZONE"


@dataclass(frozen=True)
class AccountNight:
    """An account as a night leaves it: what a row is made of."""

    account: Account
    night: date
    """The night's day in the workspace's time zone."""
    as_of: datetime
    """The instant that the night scores, aware."""
    recorded_at: datetime
    """An instant before the account was read, aware: a row tells nothing of what happened later."""
    snapshot: Snapshot | None
    """The account's newest score; None where it has none yet."""
    attributes: Sequence[str] = ()
    """Names of the attributes that the workspace has chosen for its dataset."""

    @property
    def risk(self) -> Risk | None:
        """The account's risk; None before the first night that judged it."""
        return None if self.snapshot is None else self.snapshot.risk

    @cached_property
    def before(self) -> DailyScore | None:
        """The score before the newest; None where there is none."""
        return None if self.snapshot is None else last_nights.before(self.snapshot.daily, self.account.recent)

    @cached_property
    def fall(self) -> Fall | None:
        """The largest fall over 7 days; None where no component fell."""
        return None if self.snapshot is None else last_nights.largest_fall(self.snapshot.daily, self.account.recent)

    def fact(self, component: Component, name: str) -> Any:  # noqa: ANN401  (a JSON value)
        """A fact behind a component's score; None where the account has no score, or the component no such fact."""
        facts: Mapping[str, Any] = {} if self.snapshot is None else self.snapshot.facts.get(component, {})
        return facts.get(name)

    def component(self, component: Component) -> int | None:
        """A component's score; None where the account was not scored, or not by that component."""
        return None if self.snapshot is None else self.snapshot.components.get(component)


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    type: Type
    about: str
    value: Callable[[AccountNight], Any]
    """The value as JSON has it: instants and days as texts."""


def _trend(of: AccountNight) -> str | None:
    return None if of.snapshot is None else trends(of.snapshot.daily, of.account.recent).overall.direction.value


def _recent(of: AccountNight) -> str | None:
    if of.snapshot is None:
        return None
    return last_nights.packed([*of.account.recent, of.snapshot.daily], of.night)


def _created_at(of: AccountNight) -> str:
    stated = of.account.profile.get("created_at")
    if stated is None:
        return format_instant(of.account.known_since)
    at = parse_instant(stated) if ":" in stated else datetime.fromisoformat(stated).replace(tzinfo=UTC)
    return format_instant(at)


def _segment(of: AccountNight) -> str | None:
    return _text(_attribute(of, "segment") or of.account.profile.get("plan"))


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _attribute(of: AccountNight, name: str) -> Any:  # noqa: ANN401  (a JSON value)
    return (of.account.profile.get("attributes") or {}).get(name)


def _chosen(of: AccountNight) -> str | None:
    known: Mapping[str, Any] = of.account.profile.get("attributes") or {}
    chosen = {name: known[name] for name in of.attributes if name in known}
    return json.dumps(chosen, ensure_ascii=False, separators=(",", ":")) if chosen else None


def _contract(of: AccountNight) -> Contract:
    return Contract.of(of.account.profile, of.account.crm)


def _scored(name: str, component: Component, words: str) -> Column:
    about = f"The score of {words}, 0 to 100"
    return Column(name, Type.WHOLE, about, lambda of: of.component(component))


def _fact(component: Component, name: str, type_: Type, about: str, column: str | None = None) -> Column:
    return Column(column or name, type_, about, lambda of: of.fact(component, name))


def _count(component: Component, name: str, column: str, about: str) -> Column:
    def value(of: AccountNight) -> int | None:
        found = of.fact(component, name)
        return None if found is None else len(found)

    return Column(column, Type.WHOLE, about, value)


def _handling(of: AccountNight) -> str | None:
    acknowledgement = of.account.acknowledgement
    return acknowledgement.status.value if acknowledgement and acknowledgement.until > of.as_of else None


def _handled_until(of: AccountNight) -> str | None:
    acknowledgement = of.account.acknowledgement
    return format_instant(acknowledgement.until) if acknowledgement and acknowledgement.until > of.as_of else None


def _risk(name: str) -> Callable[[AccountNight], Any]:
    def value(of: AccountNight) -> Any:  # noqa: ANN401  (a JSON value)
        found = None if of.risk is None else getattr(of.risk, name)
        return found.isoformat() if isinstance(found, date) else found

    return value


def _findings(of: AccountNight) -> str | None:
    if of.risk is None or not of.risk.findings:
        return None
    found = [
        {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(one).items()}
        for one in of.risk.findings
    ]
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


COLUMNS: tuple[Column, ...] = (
    Column("night", Type.DAY, "The night's day in the workspace's time zone", lambda of: of.night.isoformat()),
    Column("as_of", Type.INSTANT, "The instant that the night scores", lambda of: format_instant(of.as_of)),
    Column(
        "recorded_at", Type.INSTANT, "When the account was read for this row", lambda of: format_instant(of.recorded_at)
    ),
    Column("schema", Type.WHOLE, "The version of these columns", lambda _: SCHEMA),
    Column("model", Type.TEXT, "The scoring model; null before the first score", lambda of: of.snapshot and MODEL),
    Column("account_id", Type.TEXT, "The account", lambda of: of.account.account_id),
    Column("name", Type.TEXT, "Its name", lambda of: of.account.profile.get("name")),
    Column("owner", Type.TEXT, "Who looks after it", lambda of: of.account.profile.get("owner")),
    Column("segment", Type.TEXT, "Its attribute `segment`, or the plan where there is none", _segment),
    Column("plan", Type.TEXT, "What it has bought", lambda of: of.account.profile.get("plan")),
    Column("stage", Type.TEXT, "Its attribute `stage`", lambda of: _text(_attribute(of, "stage"))),
    Column(
        "arr", Type.NUMBER, "Annual recurring revenue, in the workspace's one currency", lambda of: _contract(of).arr
    ),
    Column("renewal_date", Type.DAY, "When the contract renews", lambda of: _contract(of).renewal_date),
    Column("created_at", Type.INSTANT, "Since when it is a customer; else when it was first heard of", _created_at),
    Column(
        "score_night",
        Type.DAY,
        "The night of the score: an older one where it could not be taken this night",
        lambda of: of.snapshot and of.snapshot.day.isoformat(),
    ),
    Column(
        "score",
        Type.WHOLE,
        "The score, 0 to 100; null before the first one",
        lambda of: of.snapshot and of.snapshot.score,
    ),
    Column("band", Type.TEXT, "`healthy`, `at_risk` or `critical`", lambda of: of.snapshot and of.snapshot.band.value),
    Column("trend", Type.TEXT, "`improving`, `declining`, `steady` or `unknown`, against the week before", _trend),
    Column(
        "score_before",
        Type.WHOLE,
        "The score before that, of the newest night that has one",
        lambda of: of.before and of.before.score,
    ),
    Column(
        "score_before_night",
        Type.DAY,
        "The night of that score",
        lambda of: of.before and of.before.day.isoformat(),
    ),
    Column(
        "recent",
        Type.TEXT,
        "The scores of the 30 nights up to this one, oldest first, a byte each, in base64; 255 is none",
        _recent,
    ),
    Column(
        "fell",
        Type.TEXT,
        "The component whose fall over 7 days has cost the most points, such as `activity`",
        lambda of: of.fall and of.fall.component.value,
    ),
    Column(
        "fell_points",
        Type.NUMBER,
        "How many points of the score that are",
        lambda of: of.fall and of.fall.points,
    ),
    Column("why", Type.TEXT, "The same in a sentence", lambda of: of.fall and of.fall.sentence),
    _scored("activity_score", Component.ACTIVITY, "activity"),
    _scored("engagement_score", Component.ENGAGEMENT, "engagement"),
    _scored("milestones_score", Component.MILESTONES, "milestones"),
    _scored("recency_score", Component.RECENCY, "recency"),
    _scored("crm_score", Component.CRM, "what the CRM says; null where it says nothing that scores"),
    _fact(Component.ACTIVITY, "events", Type.WHOLE, "Events in the 30 days"),
    _fact(Component.ENGAGEMENT, "sessions", Type.WHOLE, "Sessions in the 30 days"),
    _fact(Component.ENGAGEMENT, "session_events", Type.WHOLE, "Events in these sessions"),
    _fact(Component.ENGAGEMENT, "session_seconds", Type.NUMBER, "The sum of their durations"),
    _fact(Component.ENGAGEMENT, "days_active", Type.WHOLE, "Days of the 30 with an event"),
    _count(Component.MILESTONES, "reached", "milestones_reached", "Configured milestones that were reached"),
    _count(Component.MILESTONES, "configured", "milestones_configured", "Milestones that were configured"),
    _fact(Component.RECENCY, "last_seen_at", Type.INSTANT, "The last event before `as_of`"),
    _fact(Component.RECENCY, "days_since", Type.NUMBER, "Days from there to `as_of`"),
    Column(
        "cadence",
        Type.WHOLE,
        "How many days may pass between two visits while all is well, by its profile",
        lambda of: of.account.profile.get("expected_cadence_days"),
    ),
    _fact(
        Component.CRM,
        "provider",
        Type.TEXT,
        "The CRM that these facts are from; null for facts over the API",
        "crm_provider",
    ),
    _fact(Component.CRM, "received_at", Type.INSTANT, "When they were received", "crm_received_at"),
    _fact(Component.CRM, "open_tickets", Type.WHOLE, "Open tickets"),
    _fact(Component.CRM, "high_priority_open", Type.WHOLE, "Open tickets of high priority"),
    _fact(Component.CRM, "last_meeting_at", Type.INSTANT, "The last meeting"),
    _fact(Component.CRM, "last_email_at", Type.INSTANT, "The last e-mail"),
    _fact(Component.CRM, "last_contact_at", Type.INSTANT, "The last contact of any kind"),
    _fact(Component.CRM, "active_deal", Type.FLAG, "Whether a deal is open"),
    _fact(Component.CRM, "deal_updated_at", Type.INSTANT, "When it was last changed"),
    _fact(Component.CRM, "churned", Type.FLAG, "Whether the CRM says that the customer has left"),
    Column("handling", Type.TEXT, "`acknowledged` or `snoozed` while somebody has its alerts in hand", _handling),
    Column("handled_until", Type.INSTANT, "Until when", _handled_until),
    Column(
        "risk_state",
        Type.TEXT,
        "`ok`, `monitor`, `yellow` or `red`; null where there is nothing to say",
        _risk("state"),
    ),
    Column("risk_since", Type.DAY, "Since which night", _risk("since")),
    Column("risk_previous", Type.TEXT, "The state before", _risk("previous")),
    Column("risk_reason", Type.TEXT, "The gravest reason in one sentence, which names nobody", _risk("reason")),
    Column("risk_due", Type.DAY, "By when somebody should act", _risk("due")),
    Column(
        "findings",
        Type.TEXT,
        "The open findings as a JSON list: `detector`, `signal`, `level`, `state`, `opened`, and of the first figure "
        "`usual`, `now` and `percent`",
        _findings,
    ),
    Column("attributes", Type.TEXT, "What the setting `dataset.attributes` names, as a JSON object", _chosen),
)


def row(of: AccountNight) -> dict[str, Any]:
    """The row of an account and a night: every column by its name, as JSON values; what is not known is None."""
    return {column.name: column.value(of) for column in COLUMNS}
