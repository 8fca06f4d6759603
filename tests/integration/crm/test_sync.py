"""Reads a connected CRM: matching, applying facts, continuing after a crash, alerting, writing back."""

from __future__ import annotations

import pytest

from healthscore.core.health import document
from healthscore.integrations.crm import attio as attio_connector
from healthscore.integrations.crm.protocol import Change
from healthscore.services.crm_sync import apply_facts, sync
from healthscore.services.crm_sync.write_back import write_back_all
from healthscore.services.scoring import assess_account
from healthscore.settings import Settings
from healthscore.storage.accounts import accounts
from healthscore.storage.crm import companies as crm_companies
from healthscore.storage.crm import connections, save_facts
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.errors import StorageUnavailableError
from tests.support.traces import mentions

OPEN = "1"


def unmatched(provider: str) -> dict[str, str]:
    found, cursor = crm_companies.unmatched(provider, 1000, None)
    assert cursor is None
    return {company["company_id"]: company["reason"] for company in found}


def test_sync__companies_of_every_sort__are_matched_or_reported(hubspot):
    fake = hubspot.fake
    for account in ("acme.com", "beta", "gamma"):
        hubspot.account(account, **({"attributes": {"domain": "gamma.io"}} if account == "gamma" else {}))
    hubspot.connect()
    by_id = fake.add("companies", domain="elsewhere.com", account_id="beta")
    fake.add("companies", domain="www.acme.com")
    fake.add("companies", domain="gamma.io")
    prospect = fake.add("companies", domain="prospect.com")
    mail = fake.add("companies", domain="gmail.com")
    wrong = fake.add("companies", account_id="nobody")
    fake.add("tickets", by_id, hs_pipeline_stage=OPEN)
    assert hubspot.sync()["changed"] == 3
    assert unmatched("hubspot") == {prospect: "no_account", mail: "free_mail", wrong: "account_unknown"}
    assert hubspot.facts("beta").open_tickets == 1
    assert hubspot.facts("acme.com").open_tickets == 0
    assert hubspot.facts("gamma").provider == "hubspot"
    assert connections.connection("hubspot").status["counts"] == {"companies": 6, "matched": 3, "unmatched": 3}


def test_sync__two_companies_of_one_domain__are_no_account_until_one_is_gone(hubspot):
    fake = hubspot.fake
    hubspot.account("acme.com")
    hubspot.connect()
    first = fake.add("companies", domain="acme.com", name="One")
    fake.add("tickets", first, hs_pipeline_stage=OPEN)
    hubspot.sync()
    assert hubspot.facts("acme.com").open_tickets == 1
    fake.clock.sleep(900)
    second = fake.add("companies", domain="acme.com", name="Two")
    hubspot.sync()
    assert unmatched("hubspot") == {first: "same_domain", second: "same_domain"}
    assert "open_tickets" in hubspot.facts("acme.com").unknown
    fake.clock.sleep(90_000)
    fake.archive("companies", second)
    hubspot.sync()
    assert unmatched("hubspot") == {}
    assert hubspot.facts("acme.com").open_tickets == 1


def test_sync__account_id_in_the_company__goes_before_a_domain(hubspot):
    fake = hubspot.fake
    hubspot.account("acme.com")
    hubspot.connect()
    by_domain = fake.add("companies", domain="acme.com")
    by_hand = fake.add("companies", domain="other.com", account_id="acme.com")
    fake.add("tickets", by_hand, hs_pipeline_stage=OPEN)
    hubspot.sync()
    assert unmatched("hubspot") == {by_domain: "same_domain"}
    assert hubspot.facts("acme.com").open_tickets == 1


def test_sync__account_that_a_stranger_calls_by_a_companys_domain__takes_it_from_no_other(hubspot):
    hubspot.account("Acme.com")
    hubspot.account("beta", domain="beta.io")
    hubspot.connect()
    companies = [hubspot.fake.add("companies", domain=domain) for domain in ("acme.com", "beta.io")]
    for company in companies:
        hubspot.fake.add("tickets", company, hs_pipeline_stage=OPEN)
    hubspot.sync()
    for made_up in ("acme.com", "https://acme.com", "beta.io"):
        hubspot.account(made_up)
    hubspot.fake.clock.sleep(90_000)
    hubspot.sync()
    assert unmatched("hubspot") == {}
    assert [hubspot.facts(one).open_tickets for one in ("Acme.com", "beta")] == [1, 1]


def test_sync__company_that_is_gone__leaves_unknown_facts(hubspot):
    hubspot.account("acme.com")
    hubspot.connect()
    company = hubspot.fake.add("companies", domain="acme.com")
    hubspot.sync()
    hubspot.fake.clock.sleep(90_000)
    hubspot.fake.archive("companies", company)
    assert hubspot.sync()["gone"] == 1
    assert {"open_tickets", "last_meeting_at", "active_deal"} <= hubspot.facts("acme.com").unknown


def test_sync__out_of_time_after_each_page__goes_on_until_it_is_complete(hubspot):
    fake = hubspot.fake
    hubspot.connect()
    for number in range(250):
        fake.add("companies", domain=f"c{number}.com")
    hubspot.pages = 0
    states = [hubspot.sync()["state"] for _ in range(3)]
    assert states == ["cut_off", "cut_off", "complete"]
    assert fake.read["companies"] == 250


def test_sync__killed_between_applying_and_the_cursor__applies_again_and_changes_nothing(hubspot, monkeypatch):
    hubspot.account("acme.com")
    hubspot.connect()
    company = hubspot.fake.add("companies", domain="acme.com")
    hubspot.fake.add("tickets", company, hs_pipeline_stage=OPEN)

    def gone(*_: object, **__: object) -> None:
        raise StorageUnavailableError("gone")

    with monkeypatch.context() as accident:
        accident.setattr(connections, "save_progress", gone)
        with pytest.raises(StorageUnavailableError):
            hubspot.sync()
    assert hubspot.sync() == {"provider": "hubspot", "state": "locked"}
    hubspot.fake.clock.sleep(16 * 60 + 1)
    assert hubspot.sync() | {"alerts": 0} == {
        "provider": "hubspot",
        "state": "complete",
        "companies": 1,
        "changed": 0,
        "alerts": 0,
    }


def test_sync__daily_limit__waits_and_keeps_the_cursor(hubspot):
    hubspot.connect()
    for _ in range(300):
        hubspot.fake.add("companies")
    hubspot.fake.daily_left = 12
    assert hubspot.sync()["state"] == "waiting"
    assert "daily limit" in connections.connection("hubspot").status["error"]
    hubspot.fake.daily_left = 10**6
    assert hubspot.sync()["state"] == "complete"
    assert connections.connection("hubspot").status["error"] is None


def test_sync__second_run__reads_only_what_changed(hubspot):
    hubspot.account("acme.com")
    hubspot.connect()
    companies = [hubspot.fake.add("companies", domain=f"c{number}.com") for number in range(50)]
    company = hubspot.fake.add("companies", domain="acme.com")
    hubspot.fake.clock.sleep(7200)
    hubspot.sync()
    hubspot.fake.clock.sleep(900)
    hubspot.fake.add("tickets", company, hs_pipeline_stage=OPEN, hs_ticket_priority="HIGH")
    hubspot.fake.read.clear()
    assert hubspot.sync()["changed"] == 1
    assert hubspot.facts("acme.com").high_priority_open == 1
    assert hubspot.fake.read["companies"] == 1
    assert len(companies) == 50


def borderline(workspace) -> str:
    """An account a little above 70 with all well in the CRM, after its first nights; answers its company."""
    workspace.account("acme.com", name="Acme", owner="Kim")
    workspace.used("acme.com", 60)
    workspace.connect(write_back=True)
    company = workspace.fake.add("companies", domain="acme.com", notes_last_contacted=workspace.fake.clock.now())
    workspace.fake.add("deals", company, dealstage="appointmentscheduled")
    workspace.fake.add(
        "meetings", company, hs_meeting_start_time=workspace.fake.clock.now(), hs_meeting_outcome="COMPLETED"
    )
    workspace.sync()
    for _ in range(2):
        workspace.night()
        workspace.fake.clock.sleep(86_400)
    workspace.used("acme.com", 60)
    workspace.night()
    return company


def test_refresh__high_priority_ticket__changes_the_score_and_sends_one_alert_at_once(hubspot):
    company = borderline(hubspot)
    before = accounts.get("acme.com").latest
    assert (before.score, before.band.value) == (76, "healthy")
    hubspot.fake.clock.sleep(600)
    deal = next(iter(hubspot.fake.objects["deals"]))
    hubspot.fake.change("deals", deal, dealstage="closedlost")
    ticket = hubspot.fake.add("tickets", company, hs_pipeline_stage=OPEN, hs_ticket_priority="HIGH")
    for _ in range(3):
        sync.refresh(hubspot.session(), [Change("tickets", ticket)])
    assert hubspot.topic.kinds() == ["band_fell"]
    after = accounts.get("acme.com").latest
    assert after.score == before.score - 9
    assert hubspot.fake.objects["companies"][company]["healthscore_score"] == str(after.score)
    # The next night compares with the score of that alert.
    hubspot.fake.clock.sleep(86_400)
    hubspot.used("acme.com", 2, days=1)
    hubspot.night()
    assert "band_fell" not in hubspot.nightly


def test_write_back__after_a_night__writes_each_change_once(hubspot):
    company = borderline(hubspot)
    hubspot.fake.clock.sleep(20 * 86_400)
    hubspot.night()
    latest = accounts.get("acme.com").latest
    connector = hubspot.session().connector
    assert write_back_all("hubspot", connector, lambda: True) == 1
    assert hubspot.fake.objects["companies"][company]["healthscore_score"] == str(latest.score)
    assert hubspot.fake.objects["companies"][company]["healthscore_reason"].startswith("Weakest: ")
    assert write_back_all("hubspot", connector, lambda: True) == 0


def test_disconnect__account__keeps_no_facts_and_alerts_nobody(hubspot):
    borderline(hubspot)
    assert connections.begin_disconnecting("hubspot")
    assert hubspot.sync()["state"] == "disconnected"
    assert connections.connections() == []
    assert list(crm_companies.all_companies("hubspot")) == []
    assert "open_tickets" in hubspot.facts("acme.com").unknown
    assert hubspot.topic.published == []


def test_health__of_a_connected_crm__says_when_it_was_read_and_goes_stale(hubspot):
    borderline(hubspot)

    def coverage() -> dict:
        health = assess_account(accounts.get("acme.com"), hubspot.fake.clock.now(), Settings())
        return document(health)["coverage"]

    assert coverage()["crm"] == "connected"
    hubspot.fake.clock.sleep(48 * 3600 + 1)
    assert coverage()["crm"] == "stale"


def test_sync__attio__applies_what_is_there_and_only_what_changed(attio):
    attio.account("acme.com")
    attio.connect(ticket_object="tickets")
    company = attio.fake.add("companies", domains=["acme.com"])
    attio.sync()
    assert attio.facts("acme.com").open_tickets == 0
    attio.fake.add("tickets", company=company, status="New", priority="Urgent")
    attio.fake.clock.sleep(900)
    assert attio.sync()["state"] == "complete"
    assert attio.facts("acme.com").open_tickets == 0
    attio.fake.clock.sleep(3 * 3600)
    assert attio.sync()["changed"] == 1
    assert attio.facts("acme.com").high_priority_open == 1


def test_sync__page_read_before_a_webhook_and_applied_after_it__does_not_undo_it(attio, monkeypatch):
    monkeypatch.setattr(attio_connector, "_PAGE", 1)
    attio.account("acme.com")
    attio.connect(ticket_object="tickets")
    attio.fake.add("companies", domains=["prospect.com"])
    company = attio.fake.add("companies", domains=["acme.com"])
    attio.sync()
    attio.fake.clock.sleep(3 * 3600)

    session = attio.session()
    reading = session.connector.full

    def interrupted(cursor):
        """After the first company, and after all tickets were read, a ticket of the second one is opened."""
        pages = reading(cursor)
        yield next(pages)
        attio.fake.clock.sleep(60)
        ticket = attio.fake.add("tickets", company=company, status="New", priority="Urgent")
        sync.refresh(attio.session(), [Change("tickets", ticket)])
        attio.fake.clock.sleep(60)
        yield from pages

    monkeypatch.setattr(session.connector, "full", interrupted)
    assert sync.run(session)["state"] == "complete"
    assert attio.facts("acme.com").high_priority_open == 1
    attio.fake.clock.sleep(3 * 3600)
    assert attio.sync()["changed"] == 0
    assert attio.facts("acme.com").high_priority_open == 1
    assert attio.topic.kinds() == ["ticket_opened"]


def test_refresh__late_answer_of_an_older_one__does_not_undo_the_newer(hubspot):
    hubspot.account("acme.com")
    hubspot.connect()
    company = hubspot.fake.add("companies", domain="acme.com")
    hubspot.sync()
    hubspot.fake.clock.sleep(60)
    changes = [Change("companies", company)]
    older = hubspot.session().connector.refresh(changes)
    hubspot.fake.clock.sleep(60)
    hubspot.fake.add("tickets", company, hs_pipeline_stage=OPEN)
    sync.refresh(hubspot.session(), changes)
    sync.apply_companies(hubspot.session(), older.companies, match_again=False)
    assert hubspot.facts("acme.com").open_tickets == 1


def test_refresh__two_at_once__leave_what_was_read_last(hubspot, monkeypatch):
    hubspot.account("acme.com")
    hubspot.connect()
    company = hubspot.fake.add("companies", domain="acme.com")
    hubspot.sync()
    hubspot.fake.clock.sleep(60)
    changes, save = [Change("companies", company)], save_facts.save

    def overtaken(*arguments):
        """Another run reads and saves a later state between this one's read and its write."""
        monkeypatch.setattr(save_facts, "save", save)
        hubspot.fake.clock.sleep(60)
        hubspot.fake.add("tickets", company, hs_pipeline_stage=OPEN, hs_ticket_priority="HIGH")
        sync.refresh(hubspot.session(), changes)
        return save(*arguments)

    hubspot.fake.add("tickets", company, hs_pipeline_stage=OPEN)
    monkeypatch.setattr(save_facts, "save", overtaken)
    sync.refresh(hubspot.session(), changes)
    assert (hubspot.facts("acme.com").open_tickets, hubspot.facts("acme.com").high_priority_open) == (2, 1)
    assert hubspot.topic.kinds() == ["ticket_opened"]
    # The next reading compares with the saved facts.
    hubspot.fake.clock.sleep(900)
    assert hubspot.sync()["changed"] == 0


def test_refresh__new_company__is_looked_for_by_its_id_at_once_and_by_its_domain_in_the_next_run(hubspot, monkeypatch):
    for account in ("acme.com", "beta"):
        hubspot.account(account)
    hubspot.connect()
    hubspot.sync()
    hubspot.fake.clock.sleep(60)
    by_domain = hubspot.fake.add("companies", domain="acme.com")
    by_id = hubspot.fake.add("companies", account_id="beta")
    with monkeypatch.context() as forbidden:
        forbidden.setattr(accounts, "scan", None)
        sync.refresh(hubspot.session(), [Change("companies", by_domain), Change("companies", by_id)])
    assert hubspot.facts("beta").open_tickets == 0
    assert hubspot.facts("acme.com") is None
    hubspot.fake.clock.sleep(900)
    assert hubspot.sync()["changed"] == 1
    assert hubspot.facts("acme.com").open_tickets == 0


def test_refresh__two_companies_that_claim_one_account_at_once__are_both_reported(hubspot, monkeypatch):
    hubspot.account("acme")
    hubspot.connect()
    hubspot.sync()
    hubspot.fake.clock.sleep(60)
    one, other = (hubspot.fake.add("companies", account_id="acme") for _ in range(2))
    apply = apply_facts.rescore

    def overtaken(*arguments, **named):
        """The other company claims the account between this one's claim and its facts."""
        monkeypatch.setattr(apply_facts, "rescore", apply)
        sync.refresh(hubspot.session(), [Change("companies", other)])
        return apply(*arguments, **named)

    monkeypatch.setattr(apply_facts, "rescore", overtaken)
    sync.refresh(hubspot.session(), [Change("companies", one)])
    assert unmatched("hubspot") == {one: "same_account", other: "same_account"}
    assert hubspot.facts("acme") is None
    hubspot.fake.change("companies", other, account_id="")
    hubspot.fake.clock.sleep(900)
    hubspot.sync()
    assert hubspot.facts("acme").open_tickets == 0
    assert unmatched("hubspot") == {other: "no_domain"}


def test_sync__account_erased_while_its_facts_are_applied__stays_erased_and_the_run_goes_on(hubspot, monkeypatch):
    for account_id in ("acme.com", "beta.com"):
        hubspot.account(account_id)
        hubspot.used(account_id, 20)
    hubspot.night()
    hubspot.connect()
    for domain in ("acme.com", "beta.com"):
        hubspot.fake.add("companies", domain=domain, name=domain)
    save = accounts.save_score

    def erased_meanwhile(account, current, *, shown):
        if account.account_id == "acme.com":
            now = hubspot.fake.clock.now()
            erasing.mark("acme.com", now)
            assert erasing.erase("acme.com", now, lambda: True)[1]
        save(account, current, shown=shown)

    monkeypatch.setattr(accounts, "save_score", erased_meanwhile)
    assert hubspot.sync()["state"] == "complete"
    assert hubspot.facts("beta.com") is not None
    assert mentions("acme.com") == []
