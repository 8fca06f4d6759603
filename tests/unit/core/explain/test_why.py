from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from healthscore.core.explain.why import explain_activity, explain_milestones, explain_recency
from healthscore.core.explain.why_engagement import explain_engagement
from healthscore.core.scoring.standard import activity, engagement_terms, milestones, recency, standard_score
from healthscore.core.time import parse_instant
from tests.unit.core.cases import AS_OF, DEFAULT_MILESTONES, MILLISECOND, ago, any_facts, facts, instants, reached


def of_activity(**changes):
    account = facts(**changes)
    return explain_activity(activity(account.events), account)


def of_engagement(**changes):
    account = facts(**changes)
    return explain_engagement(standard_score(account).engagement, account)


def of_milestones(*names, configured=DEFAULT_MILESTONES):
    account = facts(milestones=reached(*names), configured_milestones=configured)
    return explain_milestones(milestones(len(names)), account)


def of_recency(last_seen_at):
    return explain_recency(recency(last_seen_at, AS_OF), facts(last_seen_at=last_seen_at))


def test_explain_activity__worked_example__says_what_the_next_tier_takes():
    explanation = of_activity()
    assert explanation.facts == {"events": 42, "window_days": 30}
    assert explanation.reason == "42 events in the last 30 days: 31 to 50 events score 80."
    assert explanation.next_tier.to_json() == {
        "score": 100,
        "distance": 9,
        "unit": "events",
        "text": "9 more events in the 30-day window reach 100.",
    }


@pytest.mark.parametrize(
    ("events", "reason", "next_tier"),
    [
        (0, "0 events in the last 30 days: no events score 0.", "1 more event in the 30-day window reaches 20."),
        (1, "1 event in the last 30 days: 1 to 5 events score 20.", "5 more events in the 30-day window reach 40."),
        (
            50,
            "50 events in the last 30 days: 31 to 50 events score 80.",
            "1 more event in the 30-day window reaches 100.",
        ),
    ],
)
def test_explain_activity__edge_of_a_tier__has_good_english_sentences(events, reason, next_tier):
    explanation = of_activity(events=events)
    assert (explanation.reason, explanation.next_tier.text) == (reason, next_tier)


def test_explain_activity__top_tier__has_no_next():
    explanation = of_activity(events=51)
    assert explanation.reason == "51 events in the last 30 days: more than 50 events score 100."
    assert explanation.next_tier is None


@given(st.integers(0, 50))
def test_explain_activity__distance__is_exactly_enough(events):
    tier = of_activity(events=events).next_tier
    assert activity(events + tier.distance) == tier.score > activity(events + tier.distance - 1)


@pytest.mark.parametrize(("events", "words"), [(0, "tracking"), (42, "went quiet"), (51, "keep it there")])
def test_explain_activity__tip__fits_the_tier(events, words):
    assert words in of_activity(events=events).tip


def test_explain_engagement__example__says_the_points_of_each_term_and_which_lacks_most():
    explanation = of_engagement(sessions=9, session_events=42, session_ms=1_350_000, days_active=12)
    assert explanation.facts == {
        "sessions": 9,
        "average_session_seconds": 150.0,
        "average_events_per_session": 4.7,
        "days_active": 12,
        "session_events": 42,
        "session_seconds": 1350.0,
        "window_days": 30,
    }
    assert explanation.details == {
        "terms": {
            "session_length": {"points": 20.0, "of": 40},
            "session_depth": {"points": 18.67, "of": 40},
            "consistency": {"points": 8.0, "of": 20},
        },
        "lacks_most": "session_depth",
    }
    assert explanation.reason == (
        "9 sessions in the last 30 days, on average 2 min 30 s (20 of 40 points) and 4.7 events (18.7 of 40 points); "
        "activity on 12 of 30 days (8 of 20 points). Session depth lacks most."
    )
    assert explanation.next_tier.to_json() == {
        "score": 68,
        "distance": 5.4,
        "unit": "events per session",
        "text": "5.4 more events in the average session (10 or more) earn all 40 points of this term "
        "and make engagement 68.",
    }


@pytest.mark.parametrize(
    ("changes", "lacks", "distance", "unit", "words"),
    [
        ({"session_ms": 0}, "session_length", 300, "seconds per session", "5 min more in the average session"),
        ({"session_events": 72, "session_ms": 8 * 400_000}, "consistency", 15, "active days", "15 more active days"),
        (
            {"session_events": 80, "session_ms": 8 * 300_000, "days_active": 29},
            "consistency",
            1,
            "active days",
            "1 more active day in",
        ),
        (
            {"session_events": 72, "session_ms": 2_400_000, "days_active": 30},
            "session_depth",
            1.0,
            "events per session",
            "1 more event in",
        ),
    ],
)
def test_explain_engagement__weakest_term__is_what_the_next_tier_is_about(changes, lacks, distance, unit, words):
    explanation = of_engagement(**changes)
    assert explanation.details["lacks_most"] == lacks
    assert (explanation.next_tier.distance, explanation.next_tier.unit) == (distance, unit)
    assert explanation.next_tier.text.startswith(words)


def test_explain_engagement__everything_full__lacks_nothing():
    explanation = of_engagement(sessions=1, session_events=10, session_ms=300_000, days_active=30)
    assert explanation.details["lacks_most"] is None
    assert explanation.next_tier is None
    assert explanation.reason.endswith("Nothing lacks.")


def test_explain_engagement__events_of_nobody__asks_for_user_ids():
    explanation = of_engagement(sessions=0, session_events=0, session_ms=0)
    assert explanation.facts["average_session_seconds"] == explanation.facts["average_events_per_session"] == 0
    assert explanation.reason == (
        "No sessions in the last 30 days, so only regularity counts: activity on 15 of 30 days (10 of 20 points)."
    )
    assert "user_id" in explanation.tip


def test_explain_engagement__no_events__does_not_ask_for_user_ids():
    explanation = of_engagement(events=0, sessions=0, session_events=0, session_ms=0, days_active=0)
    assert "user_id" not in explanation.tip


@pytest.mark.parametrize(
    ("last_seen_at", "words"),
    [(ago(7), "Visits are short"), (ago(8.5), "Nobody has come for 8 days: win people back first")],
)
def test_explain_engagement__tip__speaks_of_use_only_while_people_come(last_seen_at, words):
    account = {"sessions": 2, "session_events": 18, "session_ms": 1000, "last_seen_at": last_seen_at}
    assert of_engagement(**account).tip.startswith(words)


@given(any_facts())
def test_explain_engagement__distance__is_enough(account):
    terms = standard_score(account).engagement
    explanation = explain_engagement(terms, account)
    tier = explanation.next_tier
    assume(tier is not None)
    sessions = max(account.sessions, 1)
    # All in tenths, because the distance in events has one decimal.
    milliseconds, events, days = account.session_ms * 10, account.session_events * 10, account.days_active
    lacking = explanation.details["lacks_most"]
    if lacking == "session_length":
        milliseconds += tier.distance * 1000 * sessions * 10
    elif lacking == "session_depth":
        events += round(tier.distance * 10) * sessions
    else:
        days += tier.distance
    reached_terms = engagement_terms(sessions * 10, events, milliseconds, days)
    assert reached_terms.score >= tier.score >= terms.score


def test_explain_milestones__two_of_three__lists_reached_and_missing():
    explanation = of_milestones("account_created", "first_feature_used")
    assert explanation.facts == {
        "reached": [
            {"name": "account_created", "at": "2026-08-23T10:00:00Z"},
            {"name": "first_feature_used", "at": "2026-08-23T10:00:00Z"},
        ],
        "configured": list(DEFAULT_MILESTONES),
        "missing": ["integration_connected"],
    }
    assert explanation.reason == (
        "2 of 3 configured milestones reached, most recently first_feature_used on 2026-08-23 10:00 UTC: "
        "2 milestones score 75."
    )
    assert explanation.next_tier.to_json() == {
        "score": 100,
        "distance": 1,
        "unit": "milestones",
        "text": "1 more milestone reaches 100; still missing: integration_connected.",
    }


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ((), "None of 3 configured milestones reached so far, which scores 0."),
        (("account_created",), "1 milestone scores 50."),
        (DEFAULT_MILESTONES, "3 or more milestones score 100."),
    ],
)
def test_explain_milestones__number_reached__reads_as_good_english(names, reason):
    assert of_milestones(*names).reason.endswith(reason)


def test_explain_milestones__nothing_reached__points_to_the_first():
    assert "account_created first" in of_milestones().tip


def test_explain_milestones__three_reached__has_no_next_tier():
    assert of_milestones(*DEFAULT_MILESTONES).next_tier is None


def test_explain_milestones__too_few_configured__says_that_the_settings_hold_it_back():
    explanation = of_milestones("a", "b", configured=("a", "b"))
    assert explanation.next_tier.text == (
        "Every configured milestone is reached; 100 needs one more in the settings, and reached."
    )
    assert "settings" in explanation.tip


def test_explain_milestones__none_configured__says_that_the_settings_hold_it_back():
    explanation = of_milestones(configured=())
    assert explanation.reason == "None of 0 configured milestones reached so far, which scores 0."
    assert "settings" in explanation.tip


def test_explain_milestones__many_missing__are_cut_in_words_and_complete_in_facts():
    explanation = of_milestones(configured=tuple("abcdef"))
    assert explanation.next_tier.text == "1 more milestone reaches 50; still missing: a, b, c and 3 more."
    assert explanation.facts["missing"] == list("abcdef")


def test_explain_recency__three_and_a_half_days__says_when_it_falls_to_what():
    explanation = of_recency(ago(3.5))
    assert explanation.facts == {
        "last_seen_at": "2026-11-17T22:00:00Z",
        "days_since": 3.5,
        "seconds_since": 302_400.0,
    }
    assert explanation.reason == (
        "Last event 3 days 12 hours ago, on 2026-11-17 22:00 UTC: more than 3 and up to 7 days score 60."
    )
    assert explanation.details["next_fall"] == {
        "at": "2026-11-24T22:00:00.001Z",
        "score": 40,
        "text": "Without a new event, recency falls to 40 on 2026-11-24 22:00 UTC.",
    }
    assert explanation.next_tier.to_json() == {
        "score": 100,
        "distance": 1,
        "unit": "events",
        "text": "1 new event brings recency to 100 at once.",
    }


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "less than 1 day scores 100"),
        (1, "1 to 3 days score 80"),
        (8, "more than 7 and up to 14 days score 40"),
        (15, "more than 14 and up to 30 days score 20"),
        (31, "more than 30 days score 0"),
    ],
)
def test_explain_recency__tier__is_named_with_its_bounds(days, words):
    assert of_recency(ago(days)).reason.endswith(f": {words}.")


def test_explain_recency__a_millisecond_beyond_3_days__does_not_read_as_3_days():
    assert of_recency(ago(3) - MILLISECOND).reason.startswith("Last event just over 3 days ago")


def test_explain_recency__never_seen__says_so():
    explanation = of_recency(None)
    assert explanation.facts == {"last_seen_at": None, "days_since": None, "seconds_since": None}
    assert explanation.reason == "No event has ever been seen, which scores 0."
    assert explanation.details["next_fall"] is None
    assert explanation.next_tier.score == 100


def test_explain_recency__longer_ago_than_the_window__cannot_fall_further():
    assert of_recency(ago(31)).details["next_fall"] is None


@given(instants(29))
def test_explain_recency__next_fall__is_the_very_first_instant_of_the_lower_score(last_seen_at):
    fall = of_recency(last_seen_at).details["next_fall"]
    at = parse_instant(fall["at"])
    assert at > AS_OF
    assert recency(last_seen_at, at) == fall["score"]
    assert recency(last_seen_at, at - MILLISECOND) == recency(last_seen_at, AS_OF) > fall["score"]


def test_explain_recency__hour_of_silence__has_no_next_tier_and_falls_within_the_day():
    explanation = of_recency(AS_OF - timedelta(hours=1))
    assert explanation.next_tier is None
    assert explanation.details["next_fall"]["at"] == "2026-11-22T09:00:00Z"
