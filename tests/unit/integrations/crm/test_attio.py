"""The Attio connector against a workspace that behaves like one."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from healthscore.core.scoring.crm import CrmReason, crm_parts
from healthscore.integrations.crm.attio import Attio, AttioOptions
from healthscore.integrations.crm.attio_webhooks import AttioWebhooks
from healthscore.integrations.crm.protocol import Change, CompanyScore, WebhookRequest
from tools.fakes.attio import SECRET, FakeAttio
from tools.fakes.server import START


def ago(**given: float) -> datetime:
    return START - timedelta(**given)


@pytest.fixture
def fake():
    with FakeAttio() as fake:
        fake.records["tickets"] = {}
        yield fake


@pytest.fixture
def connect(fake):
    connected = []

    def connecting(**options):
        options = {"ticket_object": "tickets", **options}
        attio = Attio(AttioOptions(**options), fake.token, fake.url, fake.clock)
        connected.append(attio)
        return attio

    yield connecting
    for attio in connected:
        attio._client.close()


def everything(connector, cursor=None) -> dict:
    return {company.company_id: company for page in connector.full(cursor) for company in page.companies}


def signals(facts) -> list[CrmReason]:
    return [part.reason for part in crm_parts(facts, facts.received_at, facts.received_at.date())]


TICKETS = [
    ([], CrmReason.NO_TICKETS),
    ([("Closed", "Urgent")], CrmReason.NO_TICKETS),
    ([("New", "Low"), ("Waiting", None)], CrmReason.FEW_TICKETS),
    ([("New", "Low")] * 3, CrmReason.MANY_TICKETS),
    ([("New", "Low"), ("New", "High")], CrmReason.HIGH_PRIORITY_TICKET),
]


@pytest.mark.parametrize(("tickets", "signal"), TICKETS)
def test_support__tickets__reach_every_tier(fake, connect, tickets, signal):
    company = fake.add("companies", name="Acme", domains=["acme.com"])
    for status, priority in tickets:
        fake.add("tickets", company=company, status=status, priority=priority)
    assert signals(everything(connect())[company].facts)[0] is signal


CONTACTS = [
    ({"last_calendar_interaction": ago(days=14)}, CrmReason.MEETING),
    ({"last_calendar_interaction": ago(days=15)}, CrmReason.CONTACT),
    ({"last_calendar_interaction": ago(days=-1)}, CrmReason.NO_CONTACT),
    ({"last_email_interaction": ago(days=7)}, CrmReason.EMAIL),
    ({"last_email_interaction": ago(days=30)}, CrmReason.CONTACT),
    ({"last_email_interaction": ago(days=31)}, CrmReason.NO_CONTACT),
    ({"last_email_interaction": None}, CrmReason.UNKNOWN),
    ({}, CrmReason.UNKNOWN),
]


@pytest.mark.parametrize(("values", "signal"), CONTACTS)
def test_relationship__interactions__reach_every_tier(fake, connect, values, signal):
    company = fake.add("companies", **values)
    assert signals(everything(connect())[company].facts)[1] is signal


DEALS = [
    ([("In Progress", None, 1)], {}, CrmReason.FRESH_DEAL),
    ([("In Progress", None, 31)], {}, CrmReason.STALE_DEAL),
    ([("Won 🎉", "2027-01-31", 1)], {}, CrmReason.FRESH_DEAL),
    ([("Won 🎉", "2026-01-31", 1)], {}, CrmReason.NO_DEAL),
    ([("Lost", None, 1)], {}, CrmReason.NO_DEAL),
    ([], {}, CrmReason.NO_DEAL),
    ([("In Progress", None, 1)], {"customer_status": "Gone"}, CrmReason.CHURNED),
]


@pytest.mark.parametrize(("deals", "values", "signal"), DEALS)
def test_commercial__deals__reach_every_tier(fake, connect, deals, values, signal):
    company = fake.add("companies", **values)
    for stage, renewal, days in deals:
        fake.clock.at = ago(days=days)
        fake.add("deals", company=company, stage=stage, renewal_date=renewal)
        fake.clock.at = START
    attio = connect(churned_attribute="customer_status", churned_values=("Gone",))
    assert signals(everything(attio)[company].facts)[2] is signal


def test_facts__no_ticket_object_configured__leave_tickets_unknown(fake, connect):
    company = fake.add("companies")
    assert {"open_tickets", "high_priority_open"} <= everything(connect(ticket_object=""))[company].facts.unknown


def test_facts__deals_not_switched_on__leave_deals_unknown(fake, connect):
    del fake.records["deals"]
    company = fake.add("companies")
    assert {"active_deal", "renewal_date"} <= everything(connect())[company].facts.unknown


def test_company__values__are_read_as_configured(fake, connect):
    company = fake.add("companies", name="Acme", domains=["acme.com", "acme.de"], key=" e\u0301 ", arr=1200)
    fake.add("deals", company=company, stage="Won", renewal_date="2027-01-31")
    found = everything(connect(account_property="key", arr_attribute="arr"))[company]
    assert (found.name, found.domains, found.account_id) == ("Acme", ("acme.com", "acme.de"), "\u00e9")
    assert (found.facts.arr, found.facts.renewal_date) == (1200.0, date(2027, 1, 31))


def test_company__arr_that_is_no_number__is_unknown_and_stops_nothing(fake, connect):
    company = fake.add("companies", name="Acme", arr="about 1,200")
    assert everything(connect(arr_attribute="arr"))[company].facts.arr is None


def test_full__more_companies_than_a_page__goes_on_from_each_cursor(fake, connect):
    ids = [fake.add("companies") for _ in range(1100)]
    first = next(iter(connect().full(None)))
    assert [company.company_id for company in first.companies] + list(everything(connect(), first.cursor)) == ids


def test_calls__limits__are_kept_and_the_date_to_retry_at_is_waited_for(fake, connect):
    company = fake.add("companies")
    fake.reads.calls = 2
    attio = connect()
    for _ in range(3):
        assert list(everything(attio)) == [company]


def test_refresh__deal_and_ticket__read_their_companies(fake, connect):
    first, second, third = (fake.add("companies") for _ in range(3))
    deal = fake.add("deals", company=first, stage="Lead")
    ticket = fake.add("tickets", company=second, status="New", priority="Urgent")
    without_company = fake.add("tickets", status="New")
    fake.delete("companies", third)
    changes = [Change(fake.object_id("deals"), deal), Change(fake.object_id("tickets"), ticket)]
    late = Change(fake.object_id("tickets"), without_company)
    refreshed = connect().refresh([*changes, late, Change("companies", third)])
    assert [company.company_id for company in refreshed.companies] == [first, second]
    assert refreshed.companies[1].facts.high_priority_open == 1
    assert (refreshed.gone, refreshed.without_company) == ([third], [late])


def test_refresh__own_write_back__is_passed_over(fake, connect):
    company = fake.add("companies")
    attio = connect()
    attio.create_properties()
    assert attio.write_back([CompanyScore(company, 66, "at_risk", "Weakest: CRM 40.")]) == {company}
    _, own = fake.webhook(fake.event("companies", company, attribute="healthscore_score"))
    _, other = fake.webhook(fake.event("companies", company, attribute="account_id"))
    webhooks = AttioWebhooks()
    assert attio.refresh(webhooks.parse(own)).companies == []
    assert [found.company_id for found in attio.refresh(webhooks.parse(other)).companies] == [company]


def test_write_back__refused_company__stops_no_other(fake, connect):
    ids = [fake.add("companies") for _ in range(60)]
    fake.refused.add(ids[3])
    written = connect().write_back([CompanyScore(company, 66, "at_risk", "r") for company in ids])
    assert written == set(ids) - {ids[3]}
    assert fake.writes.most <= 25


def test_create_properties__twice__creates_what_is_missing(connect):
    attio = connect()
    assert len(attio.create_properties()) == 4
    assert attio.create_properties() == []


def test_verify__right_and_wrong_signatures__are_distinguished(fake):
    headers, body = fake.webhook(fake.event("companies", "c"))
    webhooks = AttioWebhooks()
    assert webhooks.verify(WebhookRequest("POST", "", headers, body), SECRET, START)
    assert not webhooks.verify(WebhookRequest("POST", "", headers, body + b" "), SECRET, START)
    assert not webhooks.verify(WebhookRequest("POST", "", headers, body), "another", START)
    assert not webhooks.verify(WebhookRequest("POST", "", {"attio-signature": "é"}, body), SECRET, START)


def test_parse__events__name_records_once(fake):
    event = fake.event("companies", "c")
    _, body = fake.webhook(event, event, fake.event("companies", "d", what="note.created"))
    assert AttioWebhooks().parse(body) == [Change(fake.object_id("companies"), "c")]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"events": 3}', b'{"events": [1]}', b"\xff"])
def test_parse__not_what_attio_sends__is_refused(body):
    with pytest.raises(ValueError):  # noqa: PT011  (its words come from the JSON reader)
        AttioWebhooks().parse(body)
