from __future__ import annotations

import pytest
from hypothesis import assume, given

from healthscore.core.explain.why_crm import explain_crm
from healthscore.core.scoring.crm import crm
from tests.unit.core.cases import AS_OF, ago, any_crm, crm_facts

TODAY = AS_OF.date()


def explain(**known):
    facts = crm_facts(**known)
    return explain_crm(crm(facts, AS_OF, TODAY), facts, AS_OF)


def why(part, **known):
    return explain(**known).details["parts"][part]["why"]


def test_explain_crm__all_parts__are_listed_with_score_weight_and_why():
    explanation = explain(
        provider="hubspot", open_tickets=3, high_priority_open=0, last_email_at=ago(3), active_deal=True
    )
    assert explanation.details == {
        "parts": {
            "support": {
                "score": 20,
                "weight": 40,
                "effective_weight": 40.0,
                "known": True,
                "why": "3 open tickets, none of high priority",
            },
            "relationship": {
                "score": 80,
                "weight": 40,
                "effective_weight": 40.0,
                "known": True,
                "why": "last email 3 days ago on 2026-11-18 10:00 UTC, within 7 days; "
                "last meeting and contact not reported",
            },
            "commercial": {
                "score": 50,
                "weight": 20,
                "effective_weight": 20.0,
                "known": True,
                "why": "active deal, date of its last update not known",
            },
        }
    }
    assert explanation.reason == (
        "Support 20 (3 open tickets, none of high priority); relationship 80 (last email 3 days ago on "
        "2026-11-18 10:00 UTC, within 7 days; last meeting and contact not reported); commercial 50 (active deal, "
        "date of its last update not known)."
    )
    assert explanation.facts == {
        "received_at": "2026-08-23T10:00:00Z",
        "provider": "hubspot",
        "open_tickets": 3,
        "high_priority_open": 0,
        "last_email_at": "2026-11-18T10:00:00Z",
        "active_deal": True,
    }


def test_explain_crm__unknown_part__carries_no_weight_and_says_what_is_missing():
    parts = explain(last_email_at=ago(3), active_deal=True).details["parts"]
    assert parts["support"] == {
        "score": None,
        "weight": 40,
        "effective_weight": 0.0,
        "known": False,
        "why": "open_tickets was not reported",
    }
    assert (parts["relationship"]["effective_weight"], parts["commercial"]["effective_weight"]) == (66.7, 33.3)


@pytest.mark.parametrize(
    ("part", "known", "expected"),
    [
        ("support", {"open_tickets": 0}, "no open ticket"),
        ("support", {"open_tickets": 1}, "1 open ticket, priorities not reported"),
        ("support", {"open_tickets": 3, "high_priority_open": 1}, "1 high-priority ticket open"),
        (
            "relationship",
            {"last_meeting_at": ago(2)},
            "last meeting 2 days ago on 2026-11-19 10:00 UTC, within 14 days",
        ),
        (
            "relationship",
            {"last_meeting_at": ago(20), "last_email_at": None, "last_contact_at": ago(40)},
            "last meeting 20 days ago on 2026-11-01 10:00 UTC, within 30 days",
        ),
        (
            "relationship",
            {"last_meeting_at": ago(60), "last_email_at": ago(40), "last_contact_at": None},
            "no contact in 30 days, last email 40 days ago on 2026-10-12 10:00 UTC",
        ),
        ("relationship", {"last_meeting_at": None}, "no contact known; last email and contact not reported"),
        ("relationship", {"open_tickets": 0}, "no date of a meeting, email or other contact was reported"),
        (
            "commercial",
            {"active_deal": True, "deal_updated_at": ago(2)},
            "active deal, updated 2 days ago on 2026-11-19 10:00 UTC, within 30 days",
        ),
        (
            "commercial",
            {"active_deal": True, "deal_updated_at": ago(40)},
            "active deal, last updated 40 days ago on 2026-10-12 10:00 UTC, stale after 30 days",
        ),
        (
            "commercial",
            {"active_deal": True, "deal_updated_at": ago(-1)},
            "active deal, date of its last update not known",
        ),
        (
            "commercial",
            {"active_deal": False, "renewal_date": TODAY, "deal_updated_at": None},
            "won deal with its renewal ahead on 2026-11-21, date of its last update not known",
        ),
        ("commercial", {"active_deal": False}, "no active deal"),
        (
            "commercial",
            {"active_deal": False, "renewal_date": ago(1).date()},
            "no active deal, renewal was 2026-11-20",
        ),
        ("commercial", {"churned": True}, "churned"),
        ("commercial", {"open_tickets": 0}, "no deal was reported"),
        ("commercial", {"open_tickets": 0, "churned": False}, "not churned, but active_deal was not reported"),
    ],
)
def test_explain_crm__part__says_what_decided_it(part, known, expected):
    assert why(part, **known) == expected


@pytest.mark.parametrize(
    ("known", "distance", "unit", "text"),
    [
        (
            {"open_tickets": 5, "high_priority_open": 2},
            2,
            "tickets",
            "Closing 2 high-priority tickets would bring support to 20 and CRM health to 20.",
        ),
        (
            {"open_tickets": 1, "high_priority_open": 1},
            1,
            "tickets",
            "Closing 1 high-priority ticket would bring support to 100 and CRM health to 100.",
        ),
        ({"open_tickets": 5}, 3, "tickets", "Closing 3 tickets would bring support to 60 and CRM health to 60."),
        ({"open_tickets": 2}, 2, "tickets", "Closing 2 open tickets would bring support to 100 and CRM health to 100."),
        (
            {"open_tickets": 0, "last_contact_at": None},
            1,
            "meetings",
            "1 meeting would bring relationship to 100 and CRM health to 100.",
        ),
        (
            {"open_tickets": 0, "active_deal": True},
            1,
            "deal updates",
            "1 update of the deal would bring commercial to 100 and CRM health to 100.",
        ),
        (
            {"open_tickets": 1, "churned": True},
            1,
            "active deals",
            "1 active deal would bring commercial to 100 and CRM health to 73.",
        ),
    ],
)
def test_explain_crm__next_tier__is_the_step_of_the_part_that_costs_most(known, distance, unit, text):
    tier = explain(**known).next_tier
    assert (tier.distance, tier.unit, tier.text) == (distance, unit, text)


def test_explain_crm__all_known_parts_full__has_no_next_tier():
    explanation = explain(open_tickets=0, last_meeting_at=AS_OF)
    assert explanation.next_tier is None
    assert explanation.tip == "All is well in the CRM: keep it up to date."


@given(any_crm())
def test_explain_crm__next_tier__is_higher_unless_at_100(facts):
    score = crm(facts, AS_OF, TODAY)
    assume(score is not None)
    tier = explain_crm(score, facts, AS_OF).next_tier
    assert tier is None if score.score == 100 else tier.score > score.score
