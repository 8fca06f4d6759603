"""Companies of a CRM follow when the account that they are is merged into another one."""

from __future__ import annotations

from math import inf

from healthscore.services import merging
from healthscore.storage.crm import companies as crm_companies


def test_companies__of_the_old_account__are_those_of_the_account_that_goes_on(hubspot):
    fake = hubspot.fake
    hubspot.account("old", attributes={"domain": "old.example"})
    hubspot.account("older")
    hubspot.account("new")
    hubspot.connect()
    by_domain = fake.add("companies", domain="old.example")
    hubspot.sync()
    merging.merge("old", "new", fake.clock.now(), lambda: inf)
    assert crm_companies.companies("hubspot", [by_domain])[by_domain].account_id == "new"
    fake.add("tickets", by_domain, hs_pipeline_stage="1")
    fake.clock.sleep(90_000)
    hubspot.sync()
    assert hubspot.facts("new").open_tickets == 1
    by_hand = fake.add("companies", account_id="older")
    fake.add("tickets", by_hand, hs_pipeline_stage="1")
    fake.add("tickets", by_hand, hs_pipeline_stage="1")
    merging.merge("older", "new", fake.clock.now(), lambda: inf)
    hubspot.sync()
    assert hubspot.facts("new").open_tickets == 2


def test_companies__of_both_accounts__are_decided_by_the_next_reading(hubspot):
    fake = hubspot.fake
    for account_id in ("old", "new"):
        hubspot.account(account_id, attributes={"domain": f"{account_id}.example"})
    hubspot.connect()
    for account_id in ("old", "new"):
        fake.add("companies", domain=f"{account_id}.example")
    hubspot.sync()
    merging.merge("old", "new", fake.clock.now(), lambda: inf)
    fake.clock.sleep(90_000)
    hubspot.sync()
    found, _ = crm_companies.unmatched("hubspot", 10, None)
    assert [company["reason"] for company in found] == ["same_domain", "same_domain"]
    assert "open_tickets" in hubspot.facts("new").unknown
