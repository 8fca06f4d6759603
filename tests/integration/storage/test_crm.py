"""What connected CRMs keep in the tables, on each engine: conditions, transactions and pages are where these differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from healthscore.core.contract import Contract
from healthscore.core.model import CrmFacts
from healthscore.storage.accounts import accounts, changed, history
from healthscore.storage.alerts import messages
from healthscore.storage.alerts.messages import Message
from healthscore.storage.client import dynamodb
from healthscore.storage.crm import companies as crm_companies
from healthscore.storage.crm import connections, save_facts
from healthscore.storage.crm.companies import CompanyRecord
from healthscore.storage.erasure import accounts as erasing
from tests.support import interleaving

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
LEASE = timedelta(minutes=16)
UNKNOWN = frozenset({"churned", "renewal_date", "last_email_at", "last_contact_at", "last_meeting_at"})
MESSAGE = Message("acme", "2026-11-21-ticket_opened-0", NOW, {"day": "2026-11-21"})


def facts(tickets: int, minutes: int = 0) -> CrmFacts:
    at = NOW + timedelta(minutes=minutes)
    return CrmFacts(at, provider="hubspot", open_tickets=tickets, high_priority_open=0, unknown=UNKNOWN)


def put(record: CompanyRecord) -> list[dict]:
    return [crm_companies.put_record("hubspot", record)]


def company(company_id: str = "7") -> CompanyRecord:
    return crm_companies.companies("hubspot", [company_id])[company_id]


@pytest.fixture
def acme(tables):
    return accounts.save_profile("acme", lambda _stored: {"name": "Acme"}, NOW)


def test_save__facts_company_and_message__are_all_there(acme):
    record = CompanyRecord("7", "[]", account_id="acme", digest="d")
    claims = crm_companies.add_claim("hubspot", "acme", "7", by_hand=False)
    check = crm_companies.check_claims("hubspot", "acme", claims)
    assert save_facts.save(acme, facts(2), MESSAGE, [*put(record), check])
    assert accounts.get("acme").crm == facts(2)
    assert history.crm_as_of("acme", NOW) == facts(2)
    assert company() == record
    assert messages.known("acme", MESSAGE.message_id)
    assert not messages.known("acme", "another")


def test_save__facts_changed_since_they_were_read__leaves_all_as_it_was(acme):
    assert save_facts.save(acme, facts(1), None)
    assert not save_facts.save(acme, facts(2, 1), MESSAGE, put(CompanyRecord("7", "[]")))
    assert accounts.get("acme").crm == facts(1)
    assert crm_companies.companies("hubspot", ["7"]) == {}
    assert not messages.known("acme", MESSAGE.message_id)
    assert save_facts.save(accounts.get("acme"), facts(2, 1), MESSAGE)


def crm_contract(**fields) -> CrmFacts:
    return replace(facts(1), unknown=UNKNOWN - {"renewal_date"}, arr=500.0, renewal_date=date(2027, 3, 31), **fields)


def contract(account_id: str = "acme") -> tuple[float | None, str | None]:
    account = changed.read([account_id])[account_id].account
    return Contract.of(account.profile, account.crm)


def test_book__arr_and_renewal__are_the_crms_where_the_profile_has_none(acme):
    assert save_facts.save(acme, crm_contract(), None)
    assert contract() == (500, "2027-03-31")
    accounts.save_profile("acme", lambda stored: {**stored, "arr": 900}, NOW)
    assert contract() == (900, "2027-03-31")
    accounts.save_profile("acme", lambda stored: {"name": stored["name"], "renewal_date": "2027-01-01"}, NOW)
    assert contract() == (500, "2027-01-01")
    accounts.save_traits("acme", {"arr": 700}, 0, NOW)
    assert contract() == (700, "2027-01-01")
    accounts.save_profile("acme", lambda _stored: {}, NOW)
    accounts.save_crm("acme", CrmFacts(NOW + LEASE, renewal_date=date(2027, 6, 30)))
    assert contract() == (700, "2027-06-30")
    accounts.save_crm("new", CrmFacts(NOW, renewal_date=date(2027, 6, 30)))
    assert contract("new") == (None, "2027-06-30")


def test_save__profile_changed_since_it_was_read__keeps_both(acme):
    accounts.save_profile("acme", lambda stored: {**stored, "arr": 900}, NOW)
    assert save_facts.save(acme, crm_contract(), MESSAGE)
    assert contract() == (900, "2027-03-31")


@pytest.mark.parametrize("calls_before", range(5))
def test_book__profile_and_crm_changed_at_once__shows_both(moto, calls_before):
    accounts.save_profile("acme", lambda _stored: {"name": "Acme", "arr": 900, "renewal_date": "2027-01-01"}, NOW)
    interleaving.watch(dynamodb())

    def save() -> None:
        while not save_facts.save(accounts.get("acme"), crm_contract(), None):
            pass

    turns = iter([0] * calls_before)
    interleaving.run(
        [save, lambda: accounts.save_profile("acme", lambda _stored: {"name": "Acme Corp"}, NOW)],
        choose=lambda count: next(turns, count - 1),
        kill=lambda: None,
    )
    assert contract() == (500, "2027-03-31")


def test_save__message_stored_before__saves_nothing(acme):
    assert messages.add(MESSAGE)
    assert not save_facts.save(acme, facts(1), MESSAGE)
    assert accounts.get("acme").crm is None


def test_save__other_claims_than_were_read__saves_nothing(acme):
    seen = crm_companies.add_claim("hubspot", "acme", "7", by_hand=False)
    assert crm_companies.add_claim("hubspot", "acme", "8", by_hand=True) == {"7": False, "8": True}
    check = crm_companies.check_claims("hubspot", "acme", seen)
    assert not save_facts.save(acme, facts(1), None, [check])
    record = CompanyRecord("7", "[]", claim="acme", account_id="acme")
    assert not crm_companies.save_company("hubspot", record, seen)
    assert crm_companies.save_company("hubspot", record, {"7": False, "8": True})


def test_save__account_that_is_erased_meanwhile__saves_nothing(acme):
    assert erasing.mark("acme", NOW)
    assert not save_facts.save(acme, facts(1), MESSAGE)
    erasing.erase("acme", NOW, lambda: True)
    assert not save_facts.save(acme, facts(1), MESSAGE)
    assert accounts.get("acme") is None


def test_save_company__changed_since_it_was_read__is_refused(tables):
    assert crm_companies.save_company("hubspot", CompanyRecord("7", "[]"))
    assert not crm_companies.save_company("hubspot", CompanyRecord("7", "[1]"))
    read = company()
    assert crm_companies.save_company("hubspot", replace(read, digest="new"))
    assert not crm_companies.save_company("hubspot", replace(read, digest="late"))
    assert company().digest == "new"


def test_companies__more_than_one_call_takes__are_all_found(tables):
    for number in range(130):
        crm_companies.save_company("hubspot", CompanyRecord(str(number), "[]"))
    ids = [str(number) for number in range(150)]
    assert set(crm_companies.companies("hubspot", ids)) == set(ids[:130])
    assert len(list(crm_companies.all_companies("hubspot"))) == 130
    crm_companies.forget_all("hubspot")
    assert list(crm_companies.all_companies("hubspot")) == []


def test_claims__of_two_writers__are_both_kept(acme):
    crm_companies.add_claim("hubspot", "acme", "7", by_hand=False)
    interrupted = []

    def change(stored):
        if not interrupted:
            interrupted.append(crm_companies.add_claim("hubspot", "acme", "8", by_hand=True))
        return {**stored, "9": False}

    found = crm_companies.change_claims("hubspot", "acme", change)
    assert found == {"7": False, "8": True, "9": False}


def test_unmatched__companies__come_in_pages(tables):
    for number in range(5):
        crm_companies.save_unmatched("hubspot", f"c{number}", "no_account", {"name": str(number)})
    first, after = crm_companies.unmatched("hubspot", 3, None)
    rest, end = crm_companies.unmatched("hubspot", 3, after)
    assert [found["company_id"] for found in first + rest] == [f"c{number}" for number in range(5)]
    assert end is None


def test_lock__of_a_connection__is_one_holder_s_until_its_lease_is_over(tables):
    connections.connect("hubspot", {}, NOW)
    assert connections.lock("hubspot", "one", NOW, LEASE) is not None
    assert connections.lock("hubspot", "two", NOW + LEASE, LEASE) is None
    later = NOW + LEASE + timedelta(seconds=1)
    assert connections.lock("hubspot", "two", later, LEASE) is not None
    assert not connections.save_progress("hubspot", "one", {"base": {}}, {}, unlock=True)
    assert connections.save_progress("hubspot", "two", {"base": {}}, {"error": None}, unlock=True)
    assert connections.connection("hubspot").read_once
    connections.connect("hubspot", {"write_back": True}, later)
    assert not connections.connection("hubspot").read_once
    assert connections.begin_disconnecting("hubspot")
    assert not connections.begin_disconnecting("attio")


def test_webhook__that_was_noted__is_known(tables):
    assert not connections.webhook_known("digest")
    connections.note_webhook("digest", NOW + timedelta(days=7))
    assert connections.webhook_known("digest")
