"""The answer shows whether a connected CRM is still read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from healthscore.core.health import STALE_AFTER, assess, document
from tests.unit.core.cases import AS_OF, ago, crm_facts, facts


def coverage(**given) -> dict:
    crm = crm_facts(open_tickets=0, last_contact_at=None, active_deal=False)
    return document(assess("acme", facts(crm=crm, **given), [], None))["coverage"]


def test_coverage__facts_pushed_by_hand__never_are_stale():
    assert "crm_synced_at" not in coverage()


@pytest.mark.parametrize(
    ("since", "state"),
    [(timedelta(), "connected"), (STALE_AFTER, "connected"), (STALE_AFTER + timedelta(milliseconds=1), "stale")],
)
def test_coverage__connected_crm__is_stale_after_48_hours(since, state):
    found = coverage(crm_synced_at=AS_OF - since)
    assert found["crm"] == state


def test_coverage__stale__still_scores_the_last_facts():
    given = facts(crm=crm_facts(open_tickets=0), crm_synced_at=ago(30))
    assert document(assess("acme", given, [], None))["components"]["crm"]["score"] == 100
