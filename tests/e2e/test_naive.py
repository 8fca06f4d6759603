"""Compares the naive model with figures worked out by hand, since the product is compared with that model."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from tests.e2e import naive
from tests.e2e.comparing import differences
from tests.e2e.naive import Event

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MILESTONES = ("signed_up", "invited")


def event(before=timedelta(0), name="viewed", user="ann"):
    at = NOON - before
    return Event(at, at.date(), name, user)


def scored(*events):
    return naive.score(sorted(events, key=lambda one: one.at), NOON, MILESTONES, UTC)


def test_weighted__worked_example__is_68():
    components = {"activity": 80, "engagement": 50, "milestones": 75, "recency": 60}
    assert naive.half_up(naive.weighted(components)) == 68


@pytest.mark.parametrize(
    ("events", "expected"),
    [(0, 0), (1, 20), (5, 20), (6, 40), (15, 40), (16, 60), (30, 60), (31, 80), (50, 80), (51, 100), (900, 100)],
)
def test_activity__either_side_of_each_tier__scores_as_the_table_says(events, expected):
    assert naive.activity(events) == expected


@pytest.mark.parametrize(("days", "within", "beyond"), [(3, 80, 60), (7, 60, 40), (14, 40, 20), (30, 20, 0)])
def test_recency__limits__belong_to_the_better_score(days, within, beyond):
    limit = timedelta(days=days)
    assert (naive.recency(limit), naive.recency(limit + naive.MILLISECOND)) == (within, beyond)


def test_recency__one_day__belongs_to_the_lesser_score():
    day = timedelta(days=1)
    assert (naive.recency(day - naive.MILLISECOND), naive.recency(day)) == (100, 80)


def test_score__of_a_few_events__is_as_worked_out_by_hand():
    minutes = [0, 10, 40, 71]  # the last but one pause is 30 minutes, the last one more
    run = [event(timedelta(days=1, minutes=-minute)) for minute in minutes]
    nobody = event(timedelta(days=29), user=None)
    too_old = event(timedelta(days=30), name="signed_up")
    to_come = event(timedelta(minutes=-1))
    found = scored(*run, nobody, too_old, to_come)
    assert (found.events, found.sessions, found.days_active) == (5, 2, 2)
    assert found.average_session_seconds == Fraction(40 * 60, 2)
    assert found.average_events_per_session == Fraction(4, 2)
    assert found.last_seen == NOON - timedelta(days=1, minutes=-71)
    assert found.reached == ((too_old.at, "signed_up"),)
    # 40 for sessions of 20 minutes, 8 for two events in each, 4/3 for two days
    assert found.components == {"activity": 20, "engagement": 49, "milestones": 50, "recency": 100}
    assert (found.score, found.band) == (43, "at_risk")


def test_sessions__of_two_users_over_midnight__are_cut_by_user_and_by_day():
    midnight = timedelta(hours=12)
    minute = timedelta(minutes=1)
    events = [event(midnight + minute), event(midnight + minute, user="bob"), event(midnight), event(midnight - minute)]
    assert [len(run) for run in naive.sessions(events)] == [1, 1, 2]


def test_read_events__zone__decides_on_the_day():
    row = {"event_id": "1", "account_id": "acme", "name": "viewed", "timestamp": "2026-11-20T12:59:59Z"}
    later = row | {"event_id": "2", "timestamp": "2026-11-20T13:00:00Z"}
    events = naive.read_events([later, row], ZoneInfo("Australia/Lord_Howe"))["acme"]
    assert [str(one.day) for one in events] == ["2026-11-20", "2026-11-21"]


@pytest.mark.parametrize(
    ("now", "week", "expected"),
    [
        (70, [80, 80], ("unknown", None, None)),
        (70, [80, 80, 80], ("declining", Fraction(-10), Fraction(80))),
        (71, [80, 81, 81], ("steady", Fraction("-9.7"), Fraction("80.7"))),
        (90, [80, 80, 80, 80], ("improving", Fraction(10), Fraction(80))),
    ],
)
def test_trend__against_the_week_before__has_the_limits_included(now, week, expected):
    found = naive.trend(now, week)
    assert (found["direction"], found["delta"], found["baseline"]) == expected
    assert found["snapshots"] == len(week)


@pytest.mark.parametrize(
    "answer",
    [
        {"score": 67, "at": "2026-11-20T12:00:00Z", "crm": None, "list": [{"a": 1}]},
        {"score": 68, "at": "2026-11-20T12:00:00.001Z", "crm": None, "list": [{"a": 1}]},
        {"score": 68, "at": "2026-11-20T12:00:00Z", "list": [{"a": 1}]},
        {"score": 68, "at": "2026-11-20T12:00:00Z", "crm": None, "list": [{"a": 1}, {"a": 1}]},
        {"score": 68, "at": "2026-11-20T12:00:00Z", "crm": None, "list": [{"a": None}]},
    ],
)
def test_differences__one_thing_is_off__finds_it(answer):
    expected = {"score": 68, "at": NOON, "crm": None, "list": [{"a": 1}]}
    assert len(differences(expected, answer)) == 1


def test_differences__answer_says_more__is_none():
    answer = {"score": 68, "at": "2026-11-20T12:00:00Z", "more": 1, "list": [{"a": 1, "b": 2}]}
    assert differences({"score": 68, "at": NOON, "list": [{"a": 1}]}, answer) == []
