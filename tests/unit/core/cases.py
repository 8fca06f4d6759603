"""Facts to score: the worked example of docs/scoring.md with changes, and strategies for any facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from healthscore.core.documents import CRM_FIELDS
from healthscore.core.health import assess, snapshot
from healthscore.core.model import Component, CrmFacts, DailyScore, Facts, Milestone, Snapshot

AS_OF = datetime(2026, 11, 21, 10, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
DEFAULT_MILESTONES = ("account_created", "first_feature_used", "integration_connected")


def ago(days: float = 0, as_of: datetime = AS_OF, **span: float) -> datetime:
    """An instant before `AS_OF`."""
    return as_of - timedelta(days=days, **span)


def reached(*names: str, at: datetime | None = None) -> tuple[Milestone, ...]:
    """Milestones reached 90 days ago, or at an instant."""
    return tuple(Milestone(name, at or ago(90)) for name in names)


def facts(**changes: Any) -> Facts:
    """The worked example with changes: activity 80, engagement 50, milestones 75, recency 60."""
    example = {
        "as_of": AS_OF,
        "as_of_day": changes.get("as_of", AS_OF).date(),
        "events": 42,
        "sessions": 8,
        "session_events": 40,
        "session_ms": 8 * 150_000,
        "days_active": 15,
        "last_seen_at": ago(3.5),
        "milestones": reached("account_created", "first_feature_used"),
        "configured_milestones": DEFAULT_MILESTONES,
        "crm": None,
    }
    return Facts(**example | changes)


def crm_facts(**known: Any) -> CrmFacts:
    """CRM facts with only these fields known."""
    known = {"received_at": ago(90)} | known
    return CrmFacts(unknown=frozenset(CRM_FIELDS).difference(known), **known)


def snapshot_of(**changes: Any) -> Snapshot:
    """The snapshot of the worked example with changes, taken the day before `AS_OF`."""
    return snapshot(assess("acme", facts(**{"as_of": ago(1)} | changes), [], None))


def daily(days_before: int, score: int, **components: int) -> DailyScore:
    """A nightly score of some days before the day of `AS_OF`."""
    return DailyScore(
        day=AS_OF.date() - timedelta(days=days_before),
        score=score,
        components={Component(name): value for name, value in components.items()},
    )


def instants(most_days: int, *, as_of: datetime = AS_OF) -> st.SearchStrategy[datetime]:
    """Instants up to `as_of`, to the millisecond, and often exactly a whole number of days before it."""
    milliseconds = st.integers(0, most_days * 86_400_000)
    days = st.builds(lambda days, off: max(days * 86_400_000 + off, 0), st.integers(0, most_days), st.integers(-1, 1))
    return st.one_of(milliseconds, days).map(lambda ms: as_of - timedelta(milliseconds=ms))


@st.composite
def any_crm(draw: st.DrawFn, as_of: datetime = AS_OF) -> CrmFacts:
    """CRM facts of every kind, each field known, none, or unknown."""
    some_instant = st.one_of(st.none(), instants(60, as_of=as_of))
    values = {
        "provider": st.sampled_from([None, "hubspot"]),
        "open_tickets": st.one_of(st.none(), st.integers(0, 6)),
        "high_priority_open": st.one_of(st.none(), st.integers(0, 2)),
        "last_meeting_at": some_instant,
        "last_email_at": some_instant,
        "last_contact_at": some_instant,
        "active_deal": st.sampled_from([None, True, False]),
        "deal_updated_at": some_instant,
        "renewal_date": st.one_of(st.none(), st.integers(-3, 3).map(lambda days: (as_of + timedelta(days)).date())),
        "churned": st.sampled_from([None, True, False]),
    }
    known = draw(st.sets(st.sampled_from(CRM_FIELDS)))
    return crm_facts(received_at=as_of, **{name: draw(values[name]) for name in CRM_FIELDS if name in known})


@st.composite
def any_facts(draw: st.DrawFn, as_of: datetime = AS_OF) -> Facts:
    """Any facts that an account can have."""
    events = draw(st.one_of(st.integers(0, 60), st.integers(0, 100_000)))
    session_events = draw(st.integers(0, events))
    sessions = draw(st.integers(1, session_events)) if session_events else 0
    names = draw(st.lists(st.sampled_from("abcde"), unique=True))
    known = draw(st.sets(st.sampled_from(names))) if names else set()
    milestones = [Milestone(name, draw(instants(400, as_of=as_of))) for name in names if name in known]
    return Facts(
        as_of=as_of,
        as_of_day=as_of.date(),
        events=events,
        sessions=sessions,
        session_events=session_events,
        session_ms=draw(st.integers(0, sessions * 400_000)),
        days_active=draw(st.integers(1, 30)) if events else 0,
        last_seen_at=draw(instants(29, as_of=as_of) if events else st.one_of(st.none(), instants(60, as_of=as_of))),
        milestones=tuple(sorted(milestones, key=lambda milestone: milestone.at)),
        configured_milestones=tuple(names),
        crm=draw(st.one_of(st.none(), any_crm(as_of=as_of))),
    )
