"""Whatever a CRM holds, what is kept of it fits into its items: they are read, changed, scored by night and erased."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from healthscore.integrations.crm.hubspot import HubSpot
from healthscore.services import erasure
from healthscore.storage import codec, reads, schema
from healthscore.storage.accounts import accounts
from healthscore.storage.crm import companies as crm_companies
from healthscore.storage.crm import unreadable
from tests.integration.crm.living import NOW

if TYPE_CHECKING:
    from healthscore.integrations.crm.protocol import Company

WIDE = "\U00020000"
"""A letter of four bytes."""
MOST_BYTES = 400 * 1024
ACCOUNT = f"{WIDE * 96}.com"
"""As long as an account's id may be; a domain as well, so that a company is found by it."""


def size(*key: str) -> int:
    item = reads.get(schema.settings_table(), codec.key(schema.company_pk("hubspot", key[0]), key[1]))
    return sum(len(name) + codec.size_of(value) for name, value in (item or {}).items())


@pytest.fixture
def filled(hubspot, monkeypatch):
    """A company that says as much of itself as is read of one, and rests on as many records as are kept."""
    hubspot.account(ACCOUNT)
    hubspot.connect()
    company = hubspot.fake.add("companies", domain=ACCOUNT, name=WIDE * 1_000)
    listed = HubSpot._companies

    def listing(connector, records, now):
        companies, set_aside = listed(connector, records, now)
        return list(map(as_long_as_possible, companies)), set_aside

    monkeypatch.setattr(HubSpot, "_companies", listing)
    return hubspot, company


def as_long_as_possible(company: Company) -> Company:
    domains = [f"{number:03}{WIDE * 242}.example" for number in range(300)]
    rests_on = tuple(f"{number:0100}" for number in range(3_000))
    return replace(company, domains=(*company.domains, *domains), rests_on=rests_on)


def test_company__that_fills_its_record__is_matched_changed_scored_and_erased(filled):
    hubspot, company = filled
    assert hubspot.sync()["companies"] == 1
    assert hubspot.facts(ACCOUNT).open_tickets == 0
    assert 200_000 < size("company", company) < 250_000
    hubspot.fake.clock.sleep(90_000)
    hubspot.fake.add("tickets", company, hs_pipeline_stage="1")
    assert hubspot.sync()["changed"] == 1
    hubspot.night()
    assert accounts.get(ACCOUNT).latest is not None
    assert erasure.erase_account(ACCOUNT, NOW, lambda: True)
    assert (size("company", company), size("claim", ACCOUNT)) == (0, 0)
    hubspot.fake.clock.sleep(90_000)
    assert hubspot.sync()["companies"] == 1  # it is no account now, and listed with all of its domains
    assert 80_000 < size("unmatched", company) < 120_000


def test_account__that_more_companies_claim_than_there_is_room_for__stays_nobodys_until_one_is_entered(
    hubspot, monkeypatch
):
    """By the longest ids; the claim that is entered by hand has room of its own."""
    monkeypatch.setattr(crm_companies, "MOST_CLAIMS", 20)
    hubspot.account("acme.com")
    hubspot.connect()
    fake = hubspot.fake
    ids = [fake.add("companies", domain="acme.com") for _ in range(30)]
    assert hubspot.sync()["companies"] == 30
    claims = crm_companies.change_claims("hubspot", "acme.com", lambda claims: claims)
    assert len(claims) == 20
    found, _ = crm_companies.unmatched("hubspot", 100, None)
    assert {one["company_id"]: one["reason"] for one in found} == dict.fromkeys(ids, "same_domain")
    fake.clock.sleep(90_000)
    fake.change("companies", ids[29], account_id="acme.com")
    hubspot.sync()
    assert hubspot.facts("acme.com").open_tickets == 0
    for company in ids[:29]:
        fake.archive("companies", company)
    fake.change("companies", ids[29], account_id="")
    fake.clock.sleep(90_000)
    hubspot.sync()
    assert hubspot.facts("acme.com").open_tickets == 0
    assert erasure.erase_account("acme.com", NOW, lambda: True)


def test_account__whose_many_claimants_leave__is_that_of_one_that_had_no_room(hubspot, monkeypatch):
    monkeypatch.setattr(crm_companies, "MOST_CLAIMS", 3)
    hubspot.account("acme.com")
    hubspot.connect()
    ids = [hubspot.fake.add("companies", domain="acme.com") for _ in range(5)]
    hubspot.sync()
    for company in ids[:4]:
        hubspot.fake.archive("companies", company)
    for _ in range(2):  # the first run finds the others gone, the second one has room
        hubspot.fake.clock.sleep(90_000)
        hubspot.sync()
    assert crm_companies.companies("hubspot", ids)[ids[4]].account_id == "acme.com"


def test_claims__as_many_as_are_kept__fit_into_an_item(hubspot):
    hubspot.account("acme.com")
    for by_hand in (False, True):
        claims = {f"{by_hand:d}{number:099}": by_hand for number in range(crm_companies.MOST_CLAIMS - 1)}
        crm_companies.change_claims("hubspot", "acme.com", lambda kept, more=claims: kept | more)
        for number in range(3):
            crm_companies.add_claim("hubspot", "acme.com", f"{by_hand:d}{number:098}x", by_hand=by_hand)
    assert len(crm_companies.change_claims("hubspot", "acme.com", lambda kept: kept)) == 2 * crm_companies.MOST_CLAIMS
    assert size("claim", "acme.com") < 230_000
    assert erasure.erase_account("acme.com", NOW, lambda: True)


def test_unreadable__as_much_as_is_named__fits_into_an_item_and_is_forgotten_when_it_is_read(hubspot):
    found = {("companies", f"{number:0100}", WIDE * 100): f"{number:0100}" for number in range(2_000)}
    missing = {f"companies.{number:03}{WIDE * 97}" for number in range(200)}
    assert unreadable.note("hubspot", [], found, missing, NOW) == 2_000
    assert 60_000 < size("unreadable", "named") < 120_000
    assert unreadable.unread("hubspot").count == 2_000
    assert unreadable.finish("hubspot", 0, (), hubspot.fake.clock.now()) == 0


def test_pages_seen__of_the_longest_ids__fit_into_an_item(hubspot):
    crm_companies.note_seen("hubspot", "2026-11-21T10:00:00Z", 0, [f"{number:0100}" for number in range(1_000)])
    assert size("seen", "2026-11-21T10:00:00Z#000000") < 110_000
    assert len(crm_companies.seen("hubspot", "2026-11-21T10:00:00Z")) == 1_000
