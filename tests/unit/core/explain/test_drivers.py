from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given

from healthscore.core.explain.drivers import drivers
from healthscore.core.health import assess, snapshot
from healthscore.core.model import Component
from healthscore.core.scoring.standard import weights_for
from tests.unit.core.cases import AS_OF, DEFAULT_MILESTONES, ago, any_facts, crm_facts, reached, snapshot_of

YESTERDAY = ago(1)


def moved(then, now):
    """The drivers from yesterday to now, as JSON by component."""
    silent = {"last_seen_at": ago(4.5)}
    found = drivers(snapshot_of(**silent | then), snapshot_of(**silent | {"as_of": AS_OF} | now))
    return {driver.component: driver.to_json() for driver in found}


def cause(component, then, now):
    return moved(then, now)[component]["cause"]


def exact_score(taken):
    weights = weights_for(taken.components)
    return sum(Fraction(weights[name] * score, 100) for name, score in taken.components.items())


def test_drivers__nothing_changed__are_none():
    assert moved({}, {}) == {}


def test_drivers__several_changes__are_listed_largest_first_in_points():
    then = {"events": 60, "last_seen_at": ago(2), "milestones": reached("account_created")}
    found = moved(then, {"events": 42, "last_seen_at": ago(8), "session_events": 0})
    assert [(name.value, driver["points"]) for name, driver in found.items()] == [
        ("activity", -8.0),
        ("engagement", -6.0),
        ("milestones", 5.0),
        ("recency", -4.0),
    ]
    assert [(driver["from"], driver["to"]) for driver in found.values()] == [(100, 80), (50, 30), (50, 75), (80, 40)]


def test_drivers__equal_changes__keep_the_order_of_the_components():
    found = moved({"events": 60, "last_seen_at": ago(1.5)}, {"events": 42, "last_seen_at": ago(20)})
    assert [(name.value, driver["points"]) for name, driver in found.items()] == [("activity", -8.0), ("recency", -8.0)]


CRM = crm_facts(provider="hubspot", open_tickets=1, last_email_at=ago(3), active_deal=True)


@given(any_facts(as_of=YESTERDAY), any_facts())
def test_drivers__of_any_two_snapshots__sum_to_the_change_of_the_unrounded_score(before, after):
    then, now = (snapshot(assess("acme", facts, [], None)) for facts in (before, after))
    found = drivers(then, now)
    assert Fraction(sum(driver.hundredths for driver in found), 100) == exact_score(now) - exact_score(then)
    sizes = [abs(driver.hundredths) for driver in found]
    assert sizes == sorted(sizes, reverse=True)
    assert 0 not in sizes
    assert all(driver.cause for driver in found)


def test_drivers__crm_connected__counts_each_snapshot_with_its_own_weights():
    found = moved({}, {"crm": CRM})
    assert {name.value: driver["points"] for name, driver in found.items()} == {
        "crm": 9.9,
        "activity": -4.0,
        "milestones": -3.75,
        "engagement": -2.5,
    }
    assert found[Component.CRM]["cause"] == "CRM facts came in from hubspot and count 15 % of the score now"
    assert (found[Component.CRM]["from"], found[Component.CRM]["to"]) == (None, 66)
    assert found[Component.ACTIVITY]["cause"] == "its weight is 35 % instead of 40 %, since CRM facts came in"


def test_drivers__crm_without_provider_connected__does_not_name_one():
    nameless = crm_facts(open_tickets=0)
    assert cause(Component.CRM, {}, {"crm": nameless}) == "CRM facts came in and count 15 % of the score now"


def test_drivers__crm_gone__says_so_for_it_and_for_the_weights():
    found = moved({"crm": CRM}, {})
    assert found[Component.CRM]["cause"] == "nothing is known from the CRM any more, so it does not count"
    assert (found[Component.CRM]["points"], found[Component.CRM]["to"]) == (-9.9, None)
    assert found[Component.ACTIVITY]["cause"] == "its weight is 40 % instead of 35 %, since CRM facts are missing"


def test_drivers__score_and_weight_changed__are_both_named():
    then = {"milestones": reached("account_created")}
    assert cause(Component.MILESTONES, then, {"crm": CRM}) == (
        "milestone reached: first_feature_used, on 2026-08-23 10:00 UTC; "
        "its weight is 15 % instead of 20 %, since CRM facts came in"
    )


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        (
            {"events": 70},
            {"events": 42},
            "no event since 2026-11-16 22:00 UTC, while older ones left the window (70 → 42 events in 30 days)",
        ),
        (
            {"events": 70},
            {"events": 42, "last_seen_at": ago(0.5)},
            "less use: more events left the window than came in (70 → 42 events in 30 days)",
        ),
        (
            {"events": 20},
            {"events": 60, "last_seen_at": ago(0.5)},
            "a burst of 40 events more than on 2026-11-20 (20 → 60 events in 30 days)",
        ),
        ({"events": 30}, {"events": 31, "last_seen_at": ago(0.5)}, "more use: 30 → 31 events in 30 days"),
        ({"events": 3}, {"events": 6, "last_seen_at": ago(0.5)}, "more use: 3 → 6 events in 30 days"),
        ({"events": 0}, {"events": 1, "last_seen_at": ago(0.5)}, "use began again: 0 → 1 event in 30 days"),
        (
            {"events": 0, "last_seen_at": None},
            {"events": 20, "last_seen_at": ago(0.5)},
            "first use: 0 → 20 events in 30 days",
        ),
        ({"events": 30}, {"events": 31}, "1 event with earlier dates arrived late (30 → 31 events in 30 days)"),
        (
            {"events": 30},
            {"events": 0, "last_seen_at": None},
            "less use: more events left the window than came in (30 → 0 events in 30 days)",
        ),
    ],
)
def test_drivers__activity__says_how_events_came_and_left(then, now, expected):
    assert cause(Component.ACTIVITY, then, now) == expected


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        (ago(3), ago(3.5), "use stopped, no event since 2026-11-17 22:00 UTC (3 days 12 hours)"),
        (ago(1.5), ago(1.5), "no event since 2026-11-19 22:00 UTC (1 day 12 hours)"),
        (
            ago(10),
            ago(0.5),
            "used again, last on 2026-11-20 22:00 UTC, where by 2026-11-20 there had been no event for 9 days",
        ),
        (None, ago(0.5), "first event ever, on 2026-11-20 22:00 UTC"),
        (ago(10), ago(2), "an event of 2026-11-19 10:00 UTC arrived late"),
        (None, ago(2), "an event of 2026-11-19 10:00 UTC arrived late"),
        (ago(10), None, "no event is known any more"),
    ],
)
def test_drivers__recency__says_since_when(then, now, expected):
    assert cause(Component.RECENCY, {"last_seen_at": then}, {"last_seen_at": now}) == expected


@pytest.mark.parametrize(
    ("then", "now", "configured", "expected"),
    [
        ((), ("account_created",), None, "first milestone reached: account_created, on 2026-08-23 10:00 UTC"),
        (
            ("account_created",),
            ("account_created", "first_feature_used"),
            None,
            "milestone reached: first_feature_used, on 2026-08-23 10:00 UTC",
        ),
        (
            (),
            ("account_created", "first_feature_used"),
            None,
            "2 milestones reached: account_created and first_feature_used",
        ),
        (
            (),
            ("signed_up",),
            ("signed_up",),
            "the milestones in the settings changed: signed_up, reached before, counts now",
        ),
        (
            ("account_created", "first_feature_used"),
            ("account_created",),
            ("account_created",),
            "the milestones in the settings changed: first_feature_used no longer counts",
        ),
    ],
)
def test_drivers__milestones__names_them(then, now, configured, expected):
    after = {"milestones": reached(*now), "configured_milestones": configured or DEFAULT_MILESTONES}
    assert cause(Component.MILESTONES, {"milestones": reached(*then)}, after) == expected


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        ({"session_ms": 2_400_000}, {}, "sessions got shorter: 5 min → 2 min 30 s on average"),
        ({}, {"session_ms": 2_400_000}, "sessions got longer: 2 min 30 s → 5 min on average"),
        ({}, {"session_events": 20}, "sessions got shallower: 5 → 2.5 events on average"),
        ({}, {"session_events": 80}, "sessions got deeper: 5 → 10 events on average"),
        ({}, {"days_active": 12}, "fewer active days: 15 → 12 of 30"),
        ({}, {"days_active": 18}, "more active days: 15 → 18 of 30"),
        (
            {"session_ms": 2_400_000},
            {"days_active": 12},
            "sessions got shorter: 5 min → 2 min 30 s on average; fewer active days: 15 → 12 of 30",
        ),
        (
            {"session_ms": 2_400_000},
            {"days_active": 18},
            "sessions got shorter: 5 min → 2 min 30 s on average",
        ),
        (
            {"sessions": 1000, "session_events": 5124, "session_ms": 150_000_000},
            {"sessions": 1000, "session_events": 5126, "session_ms": 150_000_000},
            "sessions got slightly deeper: 5.1 events on average",
        ),
        (
            {},
            {"sessions": 0, "session_events": 0, "session_ms": 0},
            "no session left in the last 30 days, after 8 by 2026-11-20",
        ),
        (
            {"sessions": 0, "session_events": 0, "session_ms": 0},
            {"sessions": 1},
            "1 session in the last 30 days, after none by 2026-11-20",
        ),
    ],
)
def test_drivers__engagement__names_the_terms_that_moved_most(then, now, expected):
    assert cause(Component.ENGAGEMENT, then, now) == expected


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        (
            {"sessions": 12, "session_events": 60, "session_ms": 12 * 300_000},
            {},
            (
                "no event since 2026-11-16 22:00 UTC, "
                "while longer sessions left the window (5 min → 2 min 30 s on average)"
            ),
        ),
        (
            {"sessions": 12, "session_events": 60, "session_ms": 12 * 60_000},
            {},
            (
                "no event since 2026-11-16 22:00 UTC, "
                "while shorter sessions left the window (1 min → 2 min 30 s on average)"
            ),
        ),
        (
            {"sessions": 12, "session_events": 60, "session_ms": 12 * 300_000},
            {"session_events": 8, "days_active": 12},
            (
                "no event since 2026-11-16 22:00 UTC, while longer and deeper sessions left the window "
                "(5 min → 2 min 30 s, 5 → 1 event on average); fewer active days: 15 → 12 of 30"
            ),
        ),
        (
            {"sessions": 1002, "session_events": 5136, "session_ms": 1002 * 150_000},
            {"sessions": 1000, "session_events": 5124, "session_ms": 1000 * 150_000},
            "no event since 2026-11-16 22:00 UTC, while deeper sessions left the window (5.1 events on average)",
        ),
        ({"sessions": 12, "session_events": 60}, {"days_active": 12}, "fewer active days: 15 → 12 of 30"),
        (
            {"sessions": 12, "session_events": 60, "session_ms": 12 * 300_000},
            {"last_seen_at": ago(0.5)},
            "sessions got shorter: 5 min → 2 min 30 s on average",
        ),
    ],
)
def test_drivers__engagement_moved_without_new_events__names_the_sessions_that_left(then, now, expected):
    then = {"session_ms": then["sessions"] * 150_000} | then
    assert cause(Component.ENGAGEMENT, then, now) == expected


def crm_cause(then, now):
    """The cause of a change of the CRM score; support and relationship are known in both snapshots."""
    base = {"open_tickets": 0, "last_email_at": ago(3)}
    return cause(Component.CRM, {"crm": crm_facts(**base | then)}, {"crm": crm_facts(**base | now)})


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        ({}, {"open_tickets": 1}, "1 support ticket was opened (0 → 1 open ticket)"),
        ({"open_tickets": 5}, {"open_tickets": 2}, "3 support tickets were closed (5 → 2 open tickets)"),
        (
            {"open_tickets": 2},
            {"open_tickets": 3, "high_priority_open": 1},
            "a high-priority support ticket was opened (2 → 3 open tickets)",
        ),
        (
            {"open_tickets": 3, "high_priority_open": 1},
            {"open_tickets": 2, "high_priority_open": 0},
            "no high-priority support ticket is open any more (3 → 2 open tickets)",
        ),
        (
            {},
            {"last_email_at": ago(40)},
            (
                "no recent contact: no contact in 30 days, last email 40 days ago on 2026-10-12 10:00 UTC; "
                "last meeting and contact not reported"
            ),
        ),
        (
            {},
            {"last_email_at": ago(9)},
            (
                "less contact: last email 9 days ago on 2026-11-12 10:00 UTC, within 30 days; "
                "last meeting and contact not reported"
            ),
        ),
        (
            {},
            {"last_meeting_at": ago(0.5)},
            "new contact: last meeting 12 hours ago on 2026-11-20 22:00 UTC, within 14 days",
        ),
        ({"active_deal": True}, {"churned": True}, "the account churned"),
        ({"active_deal": True}, {"active_deal": False}, "no deal is active any more"),
        (
            {"active_deal": False},
            {"active_deal": True},
            "a deal is active now: active deal, date of its last update not known",
        ),
        (
            {"churned": True},
            {"active_deal": True},
            "a deal is active now: active deal, date of its last update not known",
        ),
        (
            {"active_deal": True},
            {"active_deal": True, "deal_updated_at": ago(0)},
            "the deal was updated: active deal, updated less than a minute ago on 2026-11-21 10:00 UTC, within 30 days",
        ),
        (
            {"active_deal": True, "deal_updated_at": ago(30.5)},
            {"active_deal": True, "deal_updated_at": ago(30.5)},
            (
                "the deal has gone stale: active deal, last updated 30 days 12 hours ago on 2026-10-21 22:00 UTC, "
                "stale after 30 days"
            ),
        ),
        (
            {},
            {"active_deal": False},
            "commercial is known now: no active deal",
        ),
        (
            {"active_deal": False},
            {},
            "commercial is not known any more (no deal was reported), so the other parts count more",
        ),
        (
            {"open_tickets": 3, "active_deal": True},
            {"open_tickets": 0, "active_deal": False},
            "3 support tickets were closed (3 → 0 open tickets); no deal is active any more",
        ),
    ],
)
def test_drivers__crm__says_what_changed_in_the_crm(then, now, expected):
    assert crm_cause(then, now) == expected


def test_drivers__same_crm_facts_a_day_later__are_judged_at_each_time():
    crm = crm_facts(last_meeting_at=datetime(2026, 11, 6, 12, tzinfo=UTC))
    found = moved({"crm": crm}, {"crm": crm})
    assert found[Component.CRM]["cause"].startswith("less contact: last meeting 14 days 22 hours ago")
    assert (found[Component.CRM]["from"], found[Component.CRM]["to"]) == (100, 50)


def test_drivers__worked_example__read_as_json():
    assert moved({"events": 60}, {"events": 42})[Component.ACTIVITY] == {
        "component": "activity",
        "points": -8.0,
        "cause": "no event since 2026-11-16 22:00 UTC, while older ones left the window (60 → 42 events in 30 days)",
        "from": 100,
        "to": 80,
    }
