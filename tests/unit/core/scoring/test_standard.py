from __future__ import annotations

import dataclasses
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.model import Band, Component
from healthscore.core.scoring.standard import (
    WEIGHTS,
    WEIGHTS_WITH_CRM,
    activity,
    band,
    engagement,
    engagement_terms,
    milestones,
    overall,
    recency,
    standard_score,
)
from tests.unit.core.cases import AS_OF, MILLISECOND, ago, any_facts, crm_facts, facts, reached

COUNTS = st.integers(0, 200)


def components(activity, engagement, milestones, recency, crm=None):
    scores = dict(zip(Component, (activity, engagement, milestones, recency, crm), strict=True))
    return {name: score for name, score in scores.items() if score is not None}


@pytest.mark.parametrize("weights", [WEIGHTS, WEIGHTS_WITH_CRM])
def test_weights__summed__are_100_percent(weights):
    assert sum(weights.values()) == 100


def test_overall__worked_example__is_68():
    assert overall(components(80, 50, 75, 60)) == 68


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((100, 0, 0, 0), 40),
        ((0, 100, 0, 0), 30),
        ((0, 0, 100, 0), 20),
        ((0, 0, 0, 100), 10),
        ((100, 0, 0, 0, 0), 35),
        ((0, 100, 0, 0, 0), 25),
        ((0, 0, 100, 0, 0), 15),
        ((0, 0, 0, 100, 0), 10),
        ((0, 0, 0, 0, 100), 15),
    ],
)
def test_overall__one_component_at_100__is_its_weight(scores, expected):
    assert overall(components(*scores)) == expected


@pytest.mark.parametrize(
    ("scores", "expected"),
    [((60, 65, 100, 60), 70), ((60, 64, 100, 60), 69), ((60, 66, 100, 60), 70)],
    ids=["69.5 rounds up", "69.2 rounds down", "69.8 rounds up"],
)
def test_overall__fraction_of_a_point__is_rounded_half_up_once(scores, expected):
    assert overall(components(*scores)) == expected


@pytest.mark.parametrize(
    ("score", "expected", "color"),
    [
        (0, Band.CRITICAL, "red"),
        (39, Band.CRITICAL, "red"),
        (40, Band.AT_RISK, "amber"),
        (69, Band.AT_RISK, "amber"),
        (70, Band.HEALTHY, "green"),
        (100, Band.HEALTHY, "green"),
    ],
)
def test_band__shown_score__decides_band_and_color(score, expected, color):
    assert band(score) is expected
    assert band(score).color == color


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (0, 0),
        (1, 20),
        (5, 20),
        (6, 40),
        (15, 40),
        (16, 60),
        (30, 60),
        (31, 80),
        (50, 80),
        (51, 100),
        (1_000_000, 100),
    ],
)
def test_activity__events_in_window__scores_their_tier(events, expected):
    assert activity(events) == expected


@pytest.mark.parametrize(("reached", "expected"), [(0, 0), (1, 50), (2, 75), (3, 100), (4, 100)])
def test_milestones__number_reached__scores_its_tier(reached, expected):
    assert milestones(reached) == expected


@pytest.mark.parametrize(
    ("elapsed", "expected"),
    [
        (timedelta(0), 100),
        (timedelta(days=1) - MILLISECOND, 100),
        (timedelta(days=1), 80),
        (timedelta(days=3), 80),
        (timedelta(days=3) + MILLISECOND, 60),
        (timedelta(days=3, hours=12), 60),
        (timedelta(days=7), 60),
        (timedelta(days=7) + MILLISECOND, 40),
        (timedelta(days=14), 40),
        (timedelta(days=14) + MILLISECOND, 20),
        (timedelta(days=30), 20),
        (timedelta(days=30) + MILLISECOND, 0),
        (timedelta(days=4000), 0),
    ],
)
def test_recency__exact_time_since_last_event__scores_its_tier(elapsed, expected):
    assert recency(AS_OF - elapsed, AS_OF) == expected


def test_recency__never_seen__is_0():
    assert recency(None, AS_OF) == 0


@pytest.mark.parametrize(
    ("sessions", "session_events", "session_ms", "days_active", "expected"),
    [
        (0, 0, 0, 0, 0),
        (0, 0, 0, 15, 10),
        (8, 40, 8 * 150_000, 15, 50),
        (1, 10, 300_000, 30, 100),
        (1, 10, 299_999, 30, 100),
        (1, 9, 300_000, 30, 96),
        (1, 11, 300_001, 30, 100),
        (2, 3, 0, 0, 6),
        (3, 4, 0, 1, 6),
    ],
    ids=[
        "no session and no day",
        "days without sessions",
        "worked example",
        "exactly full",
        "a millisecond short of full rounds up",
        "one event short of full",
        "more than full counts as full",
        "6 exactly",
        "5 1/3 and 2/3 are 6",
    ],
)
def test_engagement__sessions_and_days__scores_the_three_terms(
    sessions, session_events, session_ms, days_active, expected
):
    assert engagement(sessions, session_events, session_ms, days_active) == expected


def test_engagement__sum_of_exactly_half_a_point__is_rounded_up():
    # 40 x 1/80 = 1/2 exactly; a sum of floats might miss it.
    assert engagement(sessions=8, session_events=1, session_ms=0, days_active=0) == 1
    assert engagement(sessions=8, session_events=1, session_ms=0, days_active=3) == 3


def test_engagement_terms__worked_example__are_exact_points():
    terms = engagement_terms(sessions=9, session_events=42, session_ms=1_350_000, days_active=12)
    assert (terms.session_length, terms.session_depth, terms.consistency) == (20, Fraction(56, 3), 8)


def test_standard_score__worked_example__is_68_at_risk():
    result = standard_score(facts())
    assert list(result.components.items()) == [
        (Component.ACTIVITY, 80),
        (Component.ENGAGEMENT, 50),
        (Component.MILESTONES, 75),
        (Component.RECENCY, 60),
    ]
    assert (result.score, result.band, result.weights) == (68, Band.AT_RISK, WEIGHTS)


def test_standard_score__crm_says_something__counts_15_percent():
    crm = crm_facts(open_tickets=1, last_email_at=ago(3), active_deal=True)
    result = standard_score(facts(crm=crm))
    assert result.components[Component.CRM] == 66
    assert result.weights == WEIGHTS_WITH_CRM
    assert result.score == 68  # 28 + 12.5 + 11.25 + 6 + 9.9 = 67.65


def test_standard_score__crm_says_nothing_that_counts__is_scored_without_crm():
    result = standard_score(facts(crm=crm_facts(provider="hubspot")))
    assert result.weights == WEIGHTS
    assert Component.CRM not in result.components
    assert result.crm is None


@given(any_facts())
def test_standard_score__any_facts__is_recomputable_from_its_integers(facts):
    result = standard_score(facts)
    assert all(type(score) is int and 0 <= score <= 100 for score in result.components.values())
    exact = sum(Fraction(result.weights[name], 100) * score for name, score in result.components.items())
    assert Fraction(-1, 2) < result.score - exact <= Fraction(1, 2)
    assert result.weights.keys() == result.components.keys()
    assert result.band is band(result.score)


@given(any_facts(), COUNTS)
def test_standard_score__more_events__is_never_lower(facts, more):
    grown = dataclasses.replace(facts, events=facts.events + more)
    assert standard_score(grown).score >= standard_score(facts).score


@given(any_facts(), COUNTS, st.integers(0, 10**7), st.integers(0, 30))
def test_standard_score__deeper_longer_or_more_regular_sessions__is_never_lower(facts, events, milliseconds, days):
    grown = dataclasses.replace(
        facts,
        session_events=facts.session_events + events,
        session_ms=facts.session_ms + milliseconds,
        days_active=max(facts.days_active, days),
    )
    assert standard_score(grown).score >= standard_score(facts).score


@given(any_facts(), st.integers(0, 40 * 86_400_000))
def test_standard_score__later_last_event__is_never_lower(facts, milliseconds):
    last_seen_at = min((facts.last_seen_at or ago(400)) + milliseconds * MILLISECOND, facts.as_of)
    later = dataclasses.replace(facts, last_seen_at=last_seen_at)
    assert standard_score(later).score >= standard_score(facts).score


@given(any_facts())
def test_standard_score__one_more_milestone__is_never_lower(facts):
    grown = dataclasses.replace(facts, milestones=(*facts.milestones, *reached("another")))
    assert standard_score(grown).score >= standard_score(facts).score
