"""The standard score, `standard-v1`: scoring rules 1 to 10 of docs/scoring.md.

The model never changes, so that scores stay comparable over time and between accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING

from healthscore.core.model import Band, Component, Facts
from healthscore.core.rounding import round_half_up
from healthscore.core.scoring.crm import CrmScore, crm
from healthscore.core.time import DAY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

MODEL = "standard-v1"
WINDOW_DAYS = 30
"""Activity and engagement look at the as-of day and the 29 days before it (scoring rule 4)."""

WEIGHTS: Mapping[Component, int] = MappingProxyType(
    {Component.ACTIVITY: 40, Component.ENGAGEMENT: 30, Component.MILESTONES: 20, Component.RECENCY: 10}
)
"""Percent of the score that each component carries, without CRM (scoring rule 1)."""

WEIGHTS_WITH_CRM: Mapping[Component, int] = MappingProxyType(
    {
        Component.ACTIVITY: 35,
        Component.ENGAGEMENT: 25,
        Component.MILESTONES: 15,
        Component.RECENCY: 10,
        Component.CRM: 15,
    }
)
"""Percent of the score that each component carries with CRM (scoring rule 1)."""

FULL_SCORE = 100

HEALTHY_FROM = 70
AT_RISK_FROM = 40

ACTIVITY_TIERS = ((0, 0), (5, 20), (15, 40), (30, 60), (50, 80))
"""Events up to and including the first figure score the second; more than the last score 100 (scoring rule 5)."""

FULL_SESSION_MS = 300_000
FULL_SESSION_EVENTS = 10
SESSION_LENGTH_POINTS = 40
SESSION_DEPTH_POINTS = 40
CONSISTENCY_POINTS = 20

MILESTONE_SCORES = (0, 50, 75, 100)
"""Score of none, one, two, and three or more milestones (scoring rule 8)."""

RECENCY_TIERS = ((3, 80), (7, 60), (14, 40), (30, 20))
"""Days up to and including the first figure score the second; under one day 100, longer ago 0 (scoring rule 9)."""


@dataclass(frozen=True, slots=True)
class EngagementTerms:
    """The three terms of engagement, in exact points (scoring rule 6)."""

    session_length: Fraction
    """0 to 40: full for an average session of 300 seconds or more."""
    session_depth: Fraction
    """0 to 40: full for an average session of 10 events or more."""
    consistency: Fraction
    """0 to 20: full for activity on every day of the window."""

    @property
    def score(self) -> int:
        """The engagement score: the terms' sum, rounded half up."""
        return round_half_up(self.session_length + self.session_depth + self.consistency)


@dataclass(frozen=True, slots=True)
class StandardScore:
    """The standard score with the components and weights that it is the sum of."""

    score: int
    band: Band
    components: Mapping[Component, int]
    """Component scores, 0 to 100, in the order of answers; CRM is missing where the account has no CRM score."""
    weights: Mapping[Component, int]
    """Percent of each of the components; they sum to 100."""
    engagement: EngagementTerms
    crm: CrmScore | None


def standard_score(facts: Facts) -> StandardScore:
    """Score an account (scoring rules 1 to 10).

    Args:
        facts: what the account did in the 30 days up to `facts.as_of`, its milestones, and what its CRM says.

    Returns:
        The score, its band, and the components and weights from which a reader can recompute it.
    """
    terms = engagement_terms(facts.sessions, facts.session_events, facts.session_ms, facts.days_active)
    crm_score = crm(facts.crm, facts.as_of, facts.as_of_day) if facts.crm else None
    components = {
        Component.ACTIVITY: activity(facts.events),
        Component.ENGAGEMENT: terms.score,
        Component.MILESTONES: milestones(len(facts.milestones)),
        Component.RECENCY: recency(facts.last_seen_at, facts.as_of),
    }
    if crm_score:
        components[Component.CRM] = crm_score.score
    score = overall(components)
    return StandardScore(
        score=score,
        band=band(score),
        components=components,
        weights=weights_for(components),
        engagement=terms,
        crm=crm_score,
    )


def weights_for(components: Mapping[Component, int]) -> Mapping[Component, int]:
    """The weights that apply to these component scores: with CRM, if CRM is among them (scoring rule 1)."""
    return WEIGHTS_WITH_CRM if Component.CRM in components else WEIGHTS


def overall(components: Mapping[Component, int]) -> int:
    """The weighted sum of the component scores, rounded half up once (scoring rules 1 and 2)."""
    weights = weights_for(components)
    return round_half_up(Fraction(sum(weights[name] * score for name, score in components.items()), 100))


def band(score: int) -> Band:
    """The band of a rounded score (scoring rule 3)."""
    if score >= HEALTHY_FROM:
        return Band.HEALTHY
    return Band.AT_RISK if score >= AT_RISK_FROM else Band.CRITICAL


def activity(events: int) -> int:
    """Score the number of events in the window (scoring rule 5)."""
    return next((score for most, score in ACTIVITY_TIERS if events <= most), FULL_SCORE)


def engagement(sessions: int, session_events: int, session_ms: int, days_active: int) -> int:
    """Score the length, depth and regularity of use (scoring rule 6).

    Args:
        sessions: sessions in the window.
        session_events: events in those sessions.
        session_ms: sum of those sessions' durations, in milliseconds.
        days_active: days of the window with at least one event, 0 to 30.
    """
    return engagement_terms(sessions, session_events, session_ms, days_active).score


def engagement_terms(sessions: int, session_events: int, session_ms: int, days_active: int) -> EngagementTerms:
    """The three terms of engagement (scoring rule 6); arguments as for `engagement`."""
    return EngagementTerms(
        session_length=_share(session_ms, sessions * FULL_SESSION_MS) * SESSION_LENGTH_POINTS,
        session_depth=_share(session_events, sessions * FULL_SESSION_EVENTS) * SESSION_DEPTH_POINTS,
        consistency=Fraction(days_active * CONSISTENCY_POINTS, WINDOW_DAYS),
    )


def _share(amount: int, full: int) -> Fraction:
    """The reached part of the full amount, at most 1; 0 where there is no session."""
    return min(Fraction(amount, full), Fraction(1)) if full else Fraction(0)


def milestones(reached: int) -> int:
    """Score the number of different milestones ever reached (scoring rule 8)."""
    return MILESTONE_SCORES[min(reached, len(MILESTONE_SCORES) - 1)]


def recency(last_seen_at: datetime | None, as_of: datetime) -> int:
    """Score the exact time that has passed since the last event (scoring rule 9).

    Args:
        last_seen_at: the last event at or before `as_of`, aware; None if there never was one.
        as_of: the instant to score, aware.
    """
    if last_seen_at is None:
        return 0
    elapsed = as_of - last_seen_at
    if elapsed < DAY:
        return FULL_SCORE
    return next((score for days, score in RECENCY_TIERS if elapsed <= days * DAY), 0)
