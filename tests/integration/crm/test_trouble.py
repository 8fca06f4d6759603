"""Records that cannot be read, and records that are merged, archived or deleted: by sync and webhook, in both CRMs."""

from __future__ import annotations

import json
import logging
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.api import handler as api_function
from healthscore.core.documents import crm_to_json
from healthscore.http.api_keys import CachedKeys, key_hash
from healthscore.integrations.crm import registry
from healthscore.integrations.crm.protocol import Change
from healthscore.services.crm_sync import apply_facts, matching, sync
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.crm import companies as crm_companies
from healthscore.storage.crm import connections, unreadable
from healthscore.storage.crm.unreadable import MOST_NAMED
from healthscore.storage.workspace import ApiKey
from tests.integration.crm.conftest import Workspace
from tests.integration.crm.living import Context, refresh_function
from tests.support.crm_trouble import DESKS, FIELDS, any_json
from tests.support.gateway import gateway_event
from tools.fakes.server import Reply

OPEN = "1"
ACCOUNTS = ("one", "two", "three")


def changes_of(fake, *events: dict):
    """What a webhook with these events has read."""
    if hasattr(fake, "objects"):
        _, body = fake.webhook(*events, url="https://api.example.com/")
        return registry.PROVIDERS["hubspot"].webhooks.parse(body)
    _, body = fake.webhook(*events)
    return registry.PROVIDERS["attio"].webhooks.parse(body)


def deleted(fake, kind, record_id):
    what = "object.deletion" if hasattr(fake, "objects") else "record.deleted"
    return changes_of(fake, fake.event(kind, record_id, what))


def take(workspace, changes):
    """Work on a webhook's changes, as they come out of the queue."""
    named = json.loads(json.dumps([[one.kind, one.record_id, one.field, one.gone] for one in changes]))
    return sync.refresh(workspace.session(), [Change(*one) for one in named])


def named(provider):
    return set(unreadable.unread(provider).named)


@pytest.fixture(params=DESKS)
def desk(request, moto, monkeypatch):
    """Three companies that are accounts, read once."""
    monkeypatch.setattr(matching, "WORKERS", 1)
    kind, desk = DESKS[request.param]
    with kind() as fake:
        made = desk(fake)
        made.workspace = Workspace(request.param, fake)
        for account_id in ACCOUNTS:
            made.workspace.account(account_id)
        made.workspace.connect(**{name: tuple(v) if isinstance(v, list) else v for name, v in made.chosen.items()})
        assert made.workspace.sync()["state"] == "complete"
        yield made
        made.workspace.close()


def facts(workspace):
    """The facts of the accounts, without the time of reading."""
    return {one: crm_to_json(workspace.facts(one)) | {"received_at": None} for one in ACCOUNTS}


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_sync__any_value_in_any_field__is_read_past_by_full_run_and_webhook(desk, data):
    mine = [(kind, name) for provider, kind, name in FIELDS if provider == desk.provider]
    kind, name = data.draw(st.sampled_from(mine))
    fake, workspace = desk.fake, desk.workspace
    before, values = facts(workspace), desk.values(kind)
    was = dict(values)
    desk.put(kind, name, data.draw(any_json))
    try:
        fake.clock.sleep(90_000)
        assert workspace.sync()["state"] == "complete"
        take(workspace, changes_of(fake, fake.event(kind, desk.spoilt[kind])))
        after = facts(workspace)
        assert [after[one] for one in ("two", "three")] == [before[one] for one in ("two", "three")]
    finally:
        values.clear()
        values.update(was)
        fake.clock.sleep(90_000)
        workspace.sync()
    assert facts(workspace) == before


def test_sync__values_that_cannot_be_read__are_named_until_they_are_repaired(desk):
    workspace, fake = desk.workspace, desk.fake
    before = facts(workspace)
    desk.put("deals", "renewal_date", "Q2 2027")
    fake.clock.sleep(90_000)
    found = workspace.sync()
    assert (found["state"], found["unreadable"]) == ("complete", 1)
    assert named(desk.provider) == {("deals", desk.spoilt["deals"], "renewal_date")}
    fake.clock.sleep(90_000)
    assert "unreadable" not in workspace.sync()  # it was known
    desk.put("deals", "renewal_date", "2027-03-01")
    take(workspace, changes_of(fake, fake.event("deals", desk.spoilt["deals"])))
    assert (named(desk.provider), unreadable.unread(desk.provider).count) == (set(), 0)
    assert facts(workspace) == before


def test_refresh__value_that_cannot_be_read__is_named_and_counted_at_once(desk):
    desk.put("tickets", next(iter(desk.fields["tickets"])), ["x"])
    changes = changes_of(desk.fake, desk.fake.event("tickets", desk.spoilt["tickets"]))
    assert take(desk.workspace, changes).unreadable == 1
    assert {kind for kind, _, _ in named(desk.provider)} == {"tickets"}
    assert take(desk.workspace, changes).unreadable == 0


def test_sync__more_than_can_be_named__are_counted(hubspot):
    hubspot.account("acme")
    hubspot.connect()
    company = hubspot.fake.add("companies", account_id="acme")
    for _ in range(MOST_NAMED + 20):
        hubspot.fake.add("deals", company, dealstage="closedwon", renewal_date="Q2 2027")
    assert hubspot.sync()["unreadable"] == MOST_NAMED + 20
    found = unreadable.unread("hubspot")
    assert (found.count, len(found.named)) == (MOST_NAMED + 20, MOST_NAMED)
    hubspot.fake.clock.sleep(90_000)
    assert "unreadable" not in hubspot.sync()
    for deal in hubspot.fake.objects["deals"]:
        hubspot.fake.change("deals", deal, renewal_date="2027-01-01")
    hubspot.fake.clock.sleep(90_000)
    hubspot.sync()
    assert unreadable.unread("hubspot").count == 0


def test_sync__account_that_an_error_nobody_foresaw_meets__is_set_aside_and_the_others_are_applied(desk, monkeypatch):
    rescore = apply_facts.rescore

    def failing(account, *arguments, **options):
        if account.account_id == "one":
            raise ZeroDivisionError
        return rescore(account, *arguments, **options)

    monkeypatch.setattr(apply_facts, "rescore", failing)
    before = facts(desk.workspace)
    for company in desk.companies:
        if desk.provider == "hubspot":
            desk.fake.add("tickets", company, hs_pipeline_stage=OPEN)
        else:
            desk.fake.add("tickets", company=company, status="New")
    desk.fake.clock.sleep(90_000)
    assert desk.workspace.sync()["state"] == "complete"
    after = facts(desk.workspace)
    assert after["one"] == before["one"]
    assert [after[one]["open_tickets"] for one in ("two", "three")] == [3, 3]
    assert named(desk.provider) == {("companies", desk.companies[0], "")}


def test_sync__error_nobody_foresaw_outside_of_any_record__gives_the_lock_back_and_is_shown(desk, monkeypatch):
    def failing(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as accident:
        accident.setattr(crm_companies, "note_seen", failing)
        desk.fake.clock.sleep(90_000)
        found = desk.workspace.sync()
        assert (found["state"], found["unreadable"]) == ("failed", 1)
    assert "ZeroDivisionError" in connections.connection(desk.provider).status["error"]
    assert desk.workspace.sync()["state"] == "complete"


def test_sync__property_that_was_deleted__is_unknown_and_named_as_missing(desk):
    workspace = desk.workspace
    churned = "lifecycle" if desk.provider == "hubspot" else "customer_status"
    assert workspace.facts("one").churned is False
    for kind, name in (("companies", churned), ("deals", "renewal_date"), ("companies", "account_id")):
        desk.remove(kind, name)
    desk.fake.clock.sleep(90_000)
    workspace.sync()
    found = workspace.facts("one")
    assert {"churned", "renewal_date"} <= found.unknown
    assert found.open_tickets == 2, "a company keeps its account while the property with the id is not readable"
    assert {f"companies.{churned}", "deals.renewal_date"} <= set(unreadable.unread(desk.provider).missing)


def test_sync__stage_that_is_in_no_pipeline__is_neither_open_nor_closed(desk):
    fake, workspace = desk.fake, desk.workspace
    if desk.provider == "hubspot":
        del fake.pipelines["tickets"][OPEN]
        del fake.pipelines["deals"]["closedwon"]
    else:
        fake.titles["tickets", "status"]["New"] = False
        fake.titles["deals", "stage"]["Won"] = False
    fake.clock.sleep(90_000)
    workspace.sync()
    assert {"open_tickets", "high_priority_open", "active_deal", "renewal_date"} <= workspace.facts("one").unknown


def test_company__deleted__loses_its_claim_by_webhook_and_by_the_next_run(desk):
    fake, workspace = desk.fake, desk.workspace
    erase = fake.archive if desk.provider == "hubspot" else fake.delete
    fake.clock.sleep(60)
    erase("companies", desk.companies[0])
    take(workspace, deleted(fake, "companies", desk.companies[0]))
    assert "open_tickets" in workspace.facts("one").unknown
    erase("companies", desk.companies[1])
    fake.clock.sleep(900 if desk.provider == "hubspot" else 3 * 3600)
    assert workspace.sync()["gone"] == 1
    assert "open_tickets" in workspace.facts("two").unknown
    assert workspace.facts("three").open_tickets == 2


@pytest.mark.parametrize("kind", ["tickets", "deals"])
@pytest.mark.parametrize("by", ["webhook", "sync"])
def test_record__deleted__counts_no_more_at_once(desk, kind, by):
    fake, workspace = desk.fake, desk.workspace
    erase = fake.archive if desk.provider == "hubspot" else fake.delete
    fake.clock.sleep(60)
    record_id = desk.spoilt[kind]
    erase(kind, record_id)
    if by == "webhook":
        assert list(take(workspace, deleted(fake, kind, record_id)).without_company) == []
    else:
        fake.clock.sleep(900 if desk.provider == "hubspot" else 3 * 3600)
        workspace.sync()
    found = workspace.facts("one")
    assert (found.open_tickets, found.renewal_date.month) == ((1, 5) if kind == "tickets" else (2, 5))
    assert workspace.facts("two").open_tickets == 2


@pytest.mark.parametrize("claim", ["account_id", "domain"])
@pytest.mark.parametrize("by", ["webhook", "sync"])
def test_companies__merged__hand_the_account_on_at_once_and_alert_nobody(desk, by, claim):
    """The account is never without facts in between, and has the records of both."""
    fake, workspace = desk.fake, desk.workspace
    one, other = desk.companies[0], desk.companies[2]
    if claim == "domain":
        for company_id in desk.companies:
            fake.change("companies", company_id, account_id=None)
        for account_id in ACCOUNTS[:2]:
            workspace.account(account_id, domain=f"{account_id}.com")
        fake.change(
            "companies", other, **({"domain": "elsewhere.com"} if desk.provider == "hubspot" else {"domains": []})
        )
    else:
        fake.change("companies", other, account_id=None)
    fake.clock.sleep(90_000)
    workspace.sync()
    assert workspace.facts("one").open_tickets == 2
    fake.clock.sleep(60)
    new = fake.merge("companies", one, other)
    cleared = []
    clear = apply_facts.FactsApplier.clear
    with pytest.MonkeyPatch.context() as watch:
        watch.setattr(
            apply_facts.FactsApplier,
            "clear",
            lambda self, who, applied: cleared.append(who) or clear(self, who, applied),
        )
        if by == "webhook":
            events = fake.merge_event("companies", one, other, new) if desk.provider == "hubspot" else None
            take(
                workspace, changes_of(fake, *([events] if events else fake.merge_events("companies", one, other, new)))
            )
        else:
            fake.clock.sleep(900 if desk.provider == "hubspot" else 3 * 3600)
            workspace.sync()
    assert "one" not in cleared
    assert workspace.facts("one").open_tickets == 4
    assert crm_companies.companies(desk.provider, [new])[new].account_id == "one"
    assert crm_companies.companies(desk.provider, [one, other]) == {}
    assert workspace.topic.published == []


def test_companies__merged_by_the_property_alone__hand_on_only_what_the_crm_says_is_gone(hubspot):
    """A text names a company that is still there."""
    for account_id in ("one", "two"):
        hubspot.account(account_id)
    hubspot.connect()
    first = hubspot.fake.add("companies", account_id="one")
    second = hubspot.fake.add("companies", account_id="two")
    hubspot.sync()
    hubspot.fake.clock.sleep(600)
    hubspot.fake.change("companies", second, hs_merged_object_ids=first)
    hubspot.sync()
    take(hubspot, [Change("companies", second)])
    assert hubspot.facts("one").open_tickets == 0


def test_merge__that_attio_has_not_finished__is_asked_for_again(attio):
    attio.account("acme")
    attio.connect()
    attio.fake.merging.add("m")
    changes = changes_of(attio.fake, attio.fake.event("companies", "m", "record.merged"))
    assert [change.record_id for change in take(attio, changes).without_company] == ["m"]


def test_refresh__message_that_cannot_be_worked_on__stops_no_other(life):
    life.begin()
    life.clock.sleep(600)
    ticket = life.desk.open()
    life.deliver(*life.desk.webhook(ticket))
    event = life.queued()
    bad = [event["Records"][0] | {"messageId": str(n), "body": body} for n, body in enumerate(["{", "[]", '{"x": 1}'])]
    found = refresh_function.handler({"Records": [*bad, *event["Records"]]}, Context())
    assert [one["itemIdentifier"] for one in found["batchItemFailures"]] == ["0", "1", "2"]
    assert accounts.get("acme").crm.high_priority_open == 1


def test_webhook__events_that_cannot_be_read__stop_no_other(life):
    life.begin()
    life.clock.sleep(600)
    ticket = life.desk.open()
    event = life.desk.fake.event("tickets", ticket)
    spoilt = [None, 5, {}, {**event, "objectId": {"a": 1}, "id": {"record_id": [], "object_id": 5}}]
    body = json.dumps([*spoilt, event] if life.desk.provider == "hubspot" else {"events": [*spoilt, event]}).encode()
    status, answer = life.deliver(life.desk.signed(body), body)
    assert (status, answer["queued"]) == (200, 1)


def test_metric__of_values_that_cannot_be_read__is_in_the_log_line_of_both_functions(life, caplog):
    def logged():
        figures = [vars(one).get("CrmValuesUnreadable") for one in caplog.records]
        caplog.clear()
        return [figure for figure in figures if figure is not None]

    caplog.set_level(logging.INFO)
    life.begin()
    assert logged() == [0]
    life.clock.sleep(90_000)
    name = {"hubspot": "dealstage", "attio": "stage"}[life.desk.provider]
    life.desk.fake.change("deals", life.desk.deal, **{name: ["x"]})
    life.sync()
    assert logged() == [1]
    life.opened(priority=["x"])
    assert logged() == [1]


def test_get_crm__of_values_that_cannot_be_read__names_object_record_and_field(life, monkeypatch):
    monkeypatch.setattr(api_function, "find_key", CachedKeys(workspace.find_key))
    workspace.add_key(ApiKey(key_hash("local-admin"), "admin", "test", life.clock.now(), "dmin"))
    life.begin()
    life.desk.fake.change("deals", life.desk.deal, renewal_date="Q2 2027")
    life.clock.sleep(90_000)
    life.sync()
    event = gateway_event("GET", "/v1/crm", key="local-admin", now=life.clock.now())
    (found,) = json.loads(api_function.handler(event, Context())["body"])["connections"]
    (value,) = found["unreadable"]["values"]
    assert datetime.fromisoformat(value.pop("read_at"))
    assert value == {"object": "deals", "record_id": life.desk.deal, "field": "renewal_date"}
    assert found["unreadable"]["count"] == 1


def test_write_back__that_the_crm_refuses__stops_no_reading(hubspot):
    hubspot.account("acme")
    hubspot.connect(write_back=True)
    company = hubspot.fake.add("companies", account_id="acme")
    hubspot.fake.before = lambda call: Reply(403, {}) if call.path.endswith("/batch/update") else None
    assert hubspot.sync()["state"] == "complete"
    assert "written back" in connections.connection("hubspot").status["error"]
    hubspot.fake.clock.sleep(600)
    take(hubspot, [Change("companies", company)])
    assert hubspot.facts("acme").open_tickets == 0
