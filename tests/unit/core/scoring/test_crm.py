from __future__ import annotations

import dataclasses
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from healthscore.core.scoring.crm import COMMERCIAL, PART_WEIGHTS, RELATIONSHIP, SUPPORT, crm, crm_parts
from tests.unit.core.cases import AS_OF, MILLISECOND, ago, any_crm, crm_facts

TODAY = AS_OF.date()
TOMORROW, YESTERDAY = TODAY + timedelta(days=1), TODAY - timedelta(days=1)
LATER = AS_OF + MILLISECOND


def part(name, **known):
    return next(part for part in crm_parts(crm_facts(**known), AS_OF, TODAY) if part.name == name).score


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"open_tickets": 0, "high_priority_open": 0}, 100),
        ({"open_tickets": None, "high_priority_open": None}, 100),
        ({"open_tickets": 1, "high_priority_open": 0}, 60),
        ({"open_tickets": 2, "high_priority_open": 0}, 60),
        ({"open_tickets": 3, "high_priority_open": 0}, 20),
        ({"open_tickets": 40, "high_priority_open": 0}, 20),
        ({"open_tickets": 1, "high_priority_open": 1}, 0),
        ({"open_tickets": 40, "high_priority_open": 2}, 0),
        ({"open_tickets": 2}, 60),
        ({"high_priority_open": 1}, None),
        ({}, None),
    ],
)
def test_support__tickets__score_their_tier(known, expected):
    assert part(SUPPORT, **known) == expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"last_meeting_at": AS_OF}, 100),
        ({"last_meeting_at": ago(14)}, 100),
        ({"last_meeting_at": ago(14) - MILLISECOND}, 50),
        ({"last_meeting_at": ago(30)}, 50),
        ({"last_meeting_at": ago(30) - MILLISECOND}, 0),
        ({"last_email_at": AS_OF}, 80),
        ({"last_email_at": ago(7)}, 80),
        ({"last_email_at": ago(7) - MILLISECOND}, 50),
        ({"last_email_at": ago(30)}, 50),
        ({"last_email_at": ago(30) - MILLISECOND}, 0),
        ({"last_contact_at": AS_OF}, 50),
        ({"last_contact_at": ago(30)}, 50),
        ({"last_contact_at": ago(30) - MILLISECOND}, 0),
        ({"last_meeting_at": ago(15), "last_email_at": ago(7)}, 80),
        ({"last_meeting_at": ago(14), "last_email_at": ago(1)}, 100),
        ({"last_meeting_at": ago(60), "last_email_at": ago(60), "last_contact_at": ago(30)}, 50),
        ({"last_meeting_at": LATER}, 0),
        ({"last_email_at": LATER}, 0),
        ({"last_contact_at": LATER}, 0),
        ({"last_meeting_at": LATER, "last_email_at": ago(1)}, 80),
        ({"last_meeting_at": None, "last_email_at": None, "last_contact_at": None}, 0),
        ({"last_meeting_at": None}, 0),
        ({}, None),
    ],
)
def test_relationship__contacts_up_to_as_of__score_the_best_that_holds(known, expected):
    assert part(RELATIONSHIP, **known) == expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"active_deal": True, "deal_updated_at": AS_OF}, 100),
        ({"active_deal": True, "deal_updated_at": ago(30)}, 100),
        ({"active_deal": True, "deal_updated_at": ago(30) - MILLISECOND}, 50),
        ({"active_deal": True, "deal_updated_at": LATER}, 50),
        ({"active_deal": True, "deal_updated_at": None}, 50),
        ({"active_deal": True}, 50),
        ({"active_deal": False, "deal_updated_at": AS_OF}, 0),
        ({"active_deal": None}, 0),
        ({"churned": True}, 0),
        ({"churned": True, "active_deal": True, "deal_updated_at": AS_OF, "renewal_date": TOMORROW}, 0),
        ({"churned": False, "active_deal": True, "deal_updated_at": AS_OF}, 100),
        ({"churned": False, "active_deal": False}, 0),
        ({}, None),
    ],
)
def test_commercial__deal__scores_its_tier(known, expected):
    assert part(COMMERCIAL, **known) == expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"active_deal": False, "renewal_date": TOMORROW, "deal_updated_at": ago(1)}, 100),
        ({"active_deal": False, "renewal_date": TODAY, "deal_updated_at": ago(1)}, 100),
        ({"active_deal": False, "renewal_date": TODAY}, 50),
        ({"active_deal": None, "renewal_date": TOMORROW}, 50),
        ({"active_deal": False, "renewal_date": YESTERDAY, "deal_updated_at": ago(1)}, 0),
        ({"active_deal": True, "renewal_date": YESTERDAY, "deal_updated_at": ago(1)}, 100),
        ({"churned": False, "renewal_date": TOMORROW, "deal_updated_at": ago(1)}, 100),
    ],
)
def test_commercial__renewal_date__makes_a_won_deal_active_until_its_day_is_over(known, expected):
    assert part(COMMERCIAL, **known) == expected


@pytest.mark.parametrize(
    "known", [{"churned": False}, {"churned": None}, {"churned": False, "renewal_date": YESTERDAY}]
)
def test_commercial__not_churned_and_no_deal_known__is_unknown_and_not_none(known):
    assert part(COMMERCIAL, **known) is None


def test_commercial__renewal_date_alone__is_not_enough():
    assert part(COMMERCIAL, renewal_date=TOMORROW) is None


def test_crm__all_parts_known__weighs_them_40_40_20():
    result = crm(crm_facts(open_tickets=1, last_email_at=ago(3), active_deal=True), AS_OF, TODAY)
    assert result.score == 66  # 24 + 32 + 10
    assert [result.effective_weight(part) for part in result.parts] == [40, 40, 20]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"last_email_at": ago(3), "active_deal": True}, 70),
        ({"open_tickets": 1, "active_deal": True}, 57),
        ({"open_tickets": 1, "last_email_at": ago(3)}, 70),
        ({"open_tickets": 1}, 60),
        ({"last_email_at": ago(3)}, 80),
        ({"active_deal": True}, 50),
    ],
    ids=["80:40 50:20", "60:40 50:20 is 56 2/3", "60:40 80:40", "support only", "relationship only", "commercial only"],
)
def test_crm__part_unknown__is_left_out_and_the_others_scaled_up_exactly(known, expected):
    result = crm(crm_facts(**known), AS_OF, TODAY)
    assert result.score == expected
    assert sum(result.effective_weight(part) for part in result.parts) == 100


def test_crm__nothing_known__is_no_score():
    assert crm(crm_facts(provider="attio", renewal_date=TOMORROW, high_priority_open=1), AS_OF, TODAY) is None


@given(any_crm())
def test_crm__any_facts__is_the_weighted_mean_of_its_known_parts(facts):
    result = crm(facts, AS_OF, TODAY)
    assume(result is not None)
    assert list(PART_WEIGHTS) == [part.name for part in result.parts]
    exact = sum(result.contribution(part) for part in result.parts)
    assert 0 <= exact <= 100
    assert Fraction(-1, 2) < result.score - exact <= Fraction(1, 2)


@given(any_crm(), st.sampled_from(["last_meeting_at", "last_email_at", "last_contact_at", "deal_updated_at"]))
def test_crm__known_date_moved_to_now__is_never_lower(facts, name):
    assume(name not in facts.unknown)
    before, after = (crm(f, AS_OF, TODAY) for f in (facts, dataclasses.replace(facts, **{name: AS_OF})))
    assert before is None or after.score >= before.score


@given(any_crm(), st.integers(0, 6), st.integers(0, 3))
def test_crm__fewer_tickets__is_never_lower(facts, tickets, closed):
    known = facts.unknown - {"open_tickets"}
    more, fewer = (
        crm(dataclasses.replace(facts, unknown=known, open_tickets=count), AS_OF, TODAY)
        for count in (tickets, max(tickets - closed, 0))
    )
    assert fewer.score >= more.score
