"""Facts as they are made of a CRM's fields."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from healthscore.core.contract import MAX_ARR
from healthscore.integrations.crm.facts import UNKNOWN, Deal, Records, Ticket, crm_facts, revenue

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
AHEAD, PAST = date(2027, 1, 31), date(2026, 1, 31)
EARLIER = NOW - timedelta(days=1)
OPEN, CLOSED, MAYBE = Ticket(True, False), Ticket(False, True), Ticket(UNKNOWN, True)
ACTIVE, LOST = Deal(True, False, EARLIER, None), Deal(False, False, NOW, None)


def won(renewal, updated=NOW):
    return Deal(False, True, updated, renewal)


def facts(**given):
    nothing = dict.fromkeys(("tickets", "deals", "meetings", "emails", "contacts", "churned", "arr"))
    return crm_facts("hubspot", Records(**(nothing | given)), NOW)


def of(found, *names):
    """Facts by name, UNKNOWN where they are."""
    return tuple(UNKNOWN if name in found.unknown else getattr(found, name) for name in names)


@pytest.mark.parametrize(
    ("given", "arr"),
    [
        ("1200.5", 1200.5),
        ("1200", 1200.0),
        (0, 0.0),
        (MAX_ARR, float(MAX_ARR)),
        (None, None),
        ("", None),
        ("about 1200", None),
        ("1,200", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("1e300", None),
    ],
)
def test_revenue__of_a_field_that_people_fill_in__is_an_amount_or_unknown(given, arr):
    assert revenue(given) == arr


@pytest.mark.parametrize(
    ("tickets", "expected"),
    [
        ([], (0, 0)),
        ([CLOSED], (0, 0)),
        ([MAYBE], (UNKNOWN, UNKNOWN)),
        ([CLOSED, MAYBE], (UNKNOWN, UNKNOWN)),
        ([OPEN, MAYBE], (1, UNKNOWN)),
        ([Ticket(True, True), MAYBE], (1, 1)),
        ([Ticket(UNKNOWN, False)], (UNKNOWN, 0)),
        ([Ticket(True, UNKNOWN)], (1, UNKNOWN)),
        (None, (UNKNOWN, UNKNOWN)),
    ],
)
def test_tickets__that_may_be_open__are_not_counted_and_alone_leave_the_number_unknown(tickets, expected):
    assert of(facts(tickets=tickets), "open_tickets", "high_priority_open") == expected


UNKNOWN_DEAL = Deal(UNKNOWN, UNKNOWN, NOW, AHEAD)


@pytest.mark.parametrize(
    ("deals", "expected"),
    [
        ([], (False, None, None)),
        ([LOST], (False, None, None)),
        ([ACTIVE], (True, EARLIER, None)),
        ([won(AHEAD)], (False, NOW, AHEAD)),
        ([won(PAST)], (False, None, PAST)),
        ([won(UNKNOWN)], (UNKNOWN, UNKNOWN, UNKNOWN)),
        ([won(UNKNOWN), ACTIVE], (True, EARLIER, UNKNOWN)),
        ([won(UNKNOWN), won(AHEAD, EARLIER)], (False, EARLIER, AHEAD)),
        ([won(AHEAD, UNKNOWN)], (False, UNKNOWN, AHEAD)),
        ([UNKNOWN_DEAL], (UNKNOWN, UNKNOWN, UNKNOWN)),
        ([UNKNOWN_DEAL, LOST], (UNKNOWN, UNKNOWN, UNKNOWN)),
        ([UNKNOWN_DEAL, won(PAST)], (UNKNOWN, UNKNOWN, PAST)),
        ([Deal(True, False, EARLIER, UNKNOWN)], (True, EARLIER, UNKNOWN)),
        ([Deal(False, False, NOW, UNKNOWN)], (False, None, None)),
        (None, (UNKNOWN, UNKNOWN, UNKNOWN)),
    ],
)
def test_deals__of_which_something_is_unknown__count_as_far_as_they_are_sure(deals, expected):
    assert of(facts(deals=deals), "active_deal", "deal_updated_at", "renewal_date") == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], None),
        ([EARLIER], EARLIER),
        ([UNKNOWN], UNKNOWN),
        ([UNKNOWN, EARLIER], EARLIER),
        ([NOW + timedelta(days=1), UNKNOWN], UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_contacts__of_which_one_is_unknown__are_the_last_that_is_known(given, expected):
    found = facts(meetings=given, emails=given, contacts=given)
    assert of(found, "last_meeting_at", "last_email_at", "last_contact_at") == (expected,) * 3


@pytest.mark.parametrize(("given", "expected"), [(True, True), (False, False), (UNKNOWN, UNKNOWN), (None, UNKNOWN)])
def test_churned__that_nobody_has_said__is_unknown(given, expected):
    assert of(facts(churned=given), "churned") == (expected,)


def test_arr__that_is_unknown__is_not_said():
    assert facts(arr=UNKNOWN).arr is None
