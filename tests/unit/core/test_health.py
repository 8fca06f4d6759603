from __future__ import annotations

import copy
import json
import re
from datetime import timedelta

import pytest
from hypothesis import given

from healthscore.core.documents import crm_from_json, crm_to_json
from healthscore.core.health import assess, document, snapshot
from healthscore.core.model import Component
from tests.unit.core.cases import (
    AS_OF,
    DEFAULT_MILESTONES,
    ago,
    any_facts,
    crm_facts,
    daily,
    facts,
    reached,
    snapshot_of,
)

USAGE = ["activity", "engagement", "milestones", "recency"]


def answer(recent=(), previous=None, **changes):
    return document(assess("acme", facts(**changes), recent, previous))


def test_document__worked_example__reads_in_the_order_of_the_contract():
    assert list(answer()) == [
        "account_id",
        "as_of",
        "model",
        "score",
        "band",
        "color",
        "trend",
        "components",
        "biggest_opportunity",
        "recommended_action",
        "drivers",
        "compared_with",
        "coverage",
        "window",
        "not_counted",
        "recent",
        "risk",
    ]


def test_document__components__are_always_all_named_and_missing_crm_is_null():
    components = answer()["components"]
    assert list(components) == [*USAGE, "crm"]
    assert components["crm"] is None


@pytest.mark.parametrize("name", [*USAGE, "crm"])
def test_document__component__has_the_same_shape_whichever_it_is(name):
    component = answer(crm=crm_facts(open_tickets=1))["components"][name]
    keys = {"score", "weight", "points", "lift", "trend", "facts", "reason", "next_tier", "tip"}
    assert keys <= component.keys()


def test_document__window__is_the_as_of_day_and_the_29_before():
    assert answer()["window"] == {"days": 30, "from": "2026-10-23", "to": "2026-11-21"}


def test_document__recent__holds_the_30_days_before_the_as_of_day():
    recent = [daily(days, days) for days in (31, 30, 1, 0)]
    assert answer(recent)["recent"] == [{"date": "2026-10-22", "score": 30}, {"date": "2026-11-20", "score": 1}]


def test_document__previous_snapshot__is_named_and_compared_with():
    result = answer(previous=snapshot_of(events=60))
    assert result["compared_with"] == {"date": "2026-11-20", "as_of": "2026-11-20T10:00:00Z", "score": 78}
    assert [driver["component"] for driver in result["drivers"]] == ["activity", "recency"]


def test_document__no_previous_snapshot__has_no_drivers():
    result = answer()
    assert (result["compared_with"], result["drivers"]) == (None, [])


@pytest.mark.parametrize(
    ("crm", "expected"),
    [
        (None, {"crm": "not_connected"}),
        (
            crm_facts(open_tickets=0, last_contact_at=None, active_deal=None),
            {
                "crm": "connected",
                "crm_parts": {"support": "known", "relationship": "known", "commercial": "known"},
            },
        ),
        (
            crm_facts(last_contact_at=None),
            {
                "crm": "partial",
                "crm_parts": {"support": "unknown", "relationship": "known", "commercial": "unknown"},
            },
        ),
        (
            crm_facts(provider="attio"),
            {
                "crm": "unknown",
                "crm_parts": {"support": "unknown", "relationship": "unknown", "commercial": "unknown"},
            },
        ),
    ],
    ids=["not connected", "connected", "partial", "unknown"],
)
def test_document__coverage__says_which_parts_of_the_crm_are_known(crm, expected):
    assert answer(crm=crm)["coverage"] == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "engagement"),
        ({"events": 0}, "activity"),
        # Activity, engagement and milestones are at 50 or below: the lowest wins, not the one with the largest lift.
        ({"milestones": reached("a"), "days_active": 18}, "milestones"),
        # Engagement and milestones are both at 50: the one with the larger weight.
        ({"milestones": reached("a")}, "engagement"),
        # Milestones and CRM are both at 50 and weigh 15 each: the first one.
        ({"milestones": reached("a"), "days_active": 18, "crm": crm_facts(active_deal=True)}, "milestones"),
    ],
)
def test_document__biggest_opportunity__is_the_lowest_then_the_heaviest_then_the_first(changes, expected):
    result = answer(**changes)
    opportunity = result["biggest_opportunity"]
    component = result["components"][expected]
    assert opportunity == {"component": expected, "lift": component["lift"], "tip": component["tip"]}


FULL = {
    "events": 51,
    "sessions": 1,
    "session_events": 10,
    "session_ms": 300_000,
    "days_active": 30,
    "last_seen_at": AS_OF,
    "milestones": reached(*DEFAULT_MILESTONES),
}


def test_document__everything_at_100__has_no_opportunity_and_no_next_tier():
    result = answer(**FULL)
    assert result["score"] == 100
    assert result["biggest_opportunity"] is None
    assert all(result["components"][name]["next_tier"] is None for name in USAGE)
    assert result["recommended_action"] == "Every component is at 100: keep in touch, and look for room to expand."


@pytest.mark.parametrize(
    ("changes", "start", "weakest"),
    [
        (FULL | {"last_seen_at": ago(2)}, "Keep in touch", "recency, at 80 (up to 2 points to gain)"),
        ({}, "Find out what holds back engagement", "the weakest part at 50 (up to 15 points to gain)"),
        ({"events": 0, "last_seen_at": None}, "Put this account first", "activity, the weakest part at 0"),
        ({"crm": crm_facts(churned=True)}, "Find out what holds back CRM health", "the weakest part at 0"),
    ],
    ids=["healthy", "at risk", "critical", "CRM"],
)
def test_document__recommended_action__fits_the_band_and_names_the_weakest_component(changes, start, weakest):
    result = answer(**changes)
    assert result["recommended_action"].startswith(start)
    assert weakest in result["recommended_action"]
    assert result["recommended_action"].endswith(result["biggest_opportunity"]["tip"])


def test_document__points_and_lift__are_exact_hundredths():
    component = answer(crm=crm_facts(open_tickets=0))["components"]["milestones"]
    assert (component["points"], component["lift"]) == (11.25, 3.75)


def test_snapshot__crm_without_a_known_part__keeps_no_crm_score():
    taken = snapshot_of(crm=crm_facts(provider="attio"))
    assert Component.CRM not in taken.components
    assert Component.CRM not in taken.facts


def test_snapshot__as_of_any_instant__keeps_that_instant_and_its_day():
    taken = snapshot_of(as_of=AS_OF - timedelta(days=7))
    assert (taken.day.isoformat(), taken.as_of) == ("2026-11-14", AS_OF - timedelta(days=7))


@given(any_facts(as_of=ago(1)), any_facts())
def test_document__any_facts__is_json_and_recomputable_from_what_it_shows(before, now):
    previous = snapshot(assess("acme", before, [], None))
    result = document(assess("acme", now, [previous.daily], previous))
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    components = [component for component in result["components"].values() if component]
    assert sum(component["weight"] for component in components) == 100
    hundredths = sum(component["weight"] * component["score"] for component in components)
    assert result["score"] == (hundredths + 50) // 100
    for component in components:
        assert component["points"] == component["weight"] * component["score"] / 100
        assert component["lift"] == component["weight"] * (100 - component["score"]) / 100
        tier = component["next_tier"]
        assert (tier is None) == (component["score"] == 100)
        assert tier is None or tier["score"] >= component["score"]


@given(any_facts(as_of=ago(1)), any_facts())
def test_document__equal_facts__is_equal_byte_for_byte(before, now):
    def answered(before, now):
        previous = snapshot(assess("acme", before, [], None))
        return json.dumps(document(assess("acme", now, [previous.daily], previous)))

    assert answered(before, now) == answered(copy.deepcopy(before), again(now))


def again(given):
    """Equal facts, with the set of unknown CRM fields filled in another order."""
    twin = copy.deepcopy(given)
    if twin.crm:
        object.__setattr__(twin, "crm", crm_from_json(dict(reversed(crm_to_json(twin.crm).items()))))
    return twin


def sentences(value):
    """All texts in a JSON value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value for text in sentences(item)]
    return [value] if isinstance(value, str) else []


@given(any_facts(as_of=ago(1)), any_facts())
def test_document__any_facts__has_good_english_sentences(before, now):
    previous = snapshot(assess("acme", before, [], None))
    for text in sentences(document(assess("acme", now, [], previous))):
        assert not re.search(r"(?<![\d.,])1 (more )?(event|session|day|hour|minute|milestone|ticket)s\b", text), text
        assert not re.search(r"None\b(?! of)|Fraction|datetime|  ", text), text
        assert text == text.strip()
