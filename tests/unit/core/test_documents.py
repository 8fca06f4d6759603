from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.documents import (
    crm_from_json,
    crm_to_json,
    daily_from_json,
    daily_to_json,
    snapshot_from_json,
    snapshot_to_json,
)
from healthscore.core.health import assess, snapshot
from tests.unit.core.cases import AS_OF, MILLISECOND, any_crm, any_facts, crm_facts, daily, snapshot_of


def through_json(value):
    return json.loads(json.dumps(value))


@given(any_facts())
def test_snapshot__written_and_read__is_the_same(facts):
    taken = snapshot(assess("acme", facts, [], None))
    assert snapshot_from_json(through_json(snapshot_to_json(taken))) == taken


def test_snapshot_to_json__worked_example__names_what_it_keeps():
    document = snapshot_to_json(snapshot_of(as_of=AS_OF - MILLISECOND))
    assert document["date"] == "2026-11-21"
    assert document["as_of"] == "2026-11-21T09:59:59.999Z"
    assert (document["score"], document["band"]) == (68, "at_risk")
    assert document["components"] == {"activity": 80, "engagement": 50, "milestones": 75, "recency": 60}
    assert list(document["facts"]) == list(document["components"])


@pytest.mark.parametrize(
    ("crm", "expected"),
    [({}, ["2026-11-20", 68, [80, 50, 75, 60, None]]), ({"crm": 0}, ["2026-11-20", 68, [80, 50, 75, 60, 0]])],
)
def test_daily__written_and_read__is_the_same(crm, expected):
    kept = daily(1, 68, activity=80, engagement=50, milestones=75, recency=60, **crm)
    assert daily_to_json(kept) == expected
    assert daily_from_json(through_json(expected)) == kept


@given(any_crm())
def test_crm__written_and_read__is_the_same(facts):
    assert crm_from_json(through_json(crm_to_json(facts))) == facts


def test_crm_to_json__unknown_and_none__stay_apart():
    facts = crm_facts(received_at=AS_OF, open_tickets=None, renewal_date=AS_OF.date(), last_email_at=AS_OF)
    assert crm_to_json(facts) == {
        "received_at": "2026-11-21T10:00:00Z",
        "open_tickets": None,
        "last_email_at": "2026-11-21T10:00:00Z",
        "renewal_date": "2026-11-21",
    }


@given(st.data())
def test_crm_to_json__same_facts__are_the_same_bytes(data):
    facts = data.draw(any_crm())
    again = crm_from_json(dict(reversed(crm_to_json(facts).items())))
    assert json.dumps(crm_to_json(again)) == json.dumps(crm_to_json(facts))
