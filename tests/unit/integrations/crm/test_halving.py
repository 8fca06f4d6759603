"""A record at which a CRM breaks costs that record alone. A CRM that is out of order fails soon, and blames none."""

from __future__ import annotations

import json

import pytest

from healthscore.integrations.crm.attio import Attio, AttioOptions
from healthscore.integrations.crm.hubspot import HubSpot, HubSpotOptions
from healthscore.integrations.crm.protocol import Change, CompanyScore, CrmError, Unreadable
from tools.fakes.attio import FakeAttio
from tools.fakes.hubspot import FakeHubSpot
from tools.fakes.server import Reply


@pytest.fixture
def hubspot():
    with FakeHubSpot() as fake:
        connector = HubSpot(HubSpotOptions(), fake.token, fake.url, fake.clock)
        yield fake, connector
        connector._api._client.close()


@pytest.fixture
def attio():
    with FakeAttio() as fake:
        connector = Attio(AttioOptions(), fake.token, fake.url, fake.clock)
        yield fake, connector
        connector._client.close()


def breaking_at(*records: str, path: str = "batch/", status: int = 500):
    """What a CRM does that breaks at records: whoever names one of them in a batch gets no answer."""
    named = [json.dumps(record) for record in records]

    def before(call):
        is_named = call.path.split("/")[-1] in records or any(one in json.dumps(call.body) for one in named)
        return Reply(status) if path in call.path and is_named else None

    return before


def read(connector):
    """The companies that are read, and what is set aside."""
    pages = list(connector.full(None))
    companies = {company.company_id: company for page in pages for company in page.companies}
    return companies, [one for page in pages for one in page.set_aside]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_hubspot__associations_of_one_company_break__costs_the_company_alone(hubspot, status):
    fake, connector = hubspot
    ids = [fake.add("companies") for _ in range(300)]
    for company in ids:
        fake.add("tickets", company, hs_pipeline_stage="1")
    fake.before = breaking_at(ids[123], path="associations", status=status)
    companies, _ = read(connector)
    assert set(companies) == set(ids)
    assert companies[ids[122]].facts.open_tickets == 1
    assert "open_tickets" in companies[ids[123]].facts.unknown
    assert Unreadable("companies", ids[123], "tickets") in companies[ids[123]].unreadable
    assert (fake.clock.now() - companies[ids[0]].facts.received_at).total_seconds() < 600


def test_hubspot__ticket_at_which_it_breaks__costs_the_ticket_alone(hubspot):
    fake, connector = hubspot
    ids = [fake.add("companies") for _ in range(3)]
    tickets = [fake.add("tickets", ids[number % 3], hs_pipeline_stage="1") for number in range(150)]
    fake.before = breaking_at(tickets[70])
    companies, _ = read(connector)
    assert [companies[one].facts.open_tickets for one in (ids[0], ids[2])] == [50, 50]
    assert [(one.kind, one.record_id) for one in companies[ids[1]].unreadable] == [("tickets", tickets[70])]


def test_hubspot__the_only_company_of_a_page__does_not_block_the_reading(hubspot):
    """No other record of the call shows that HubSpot works: it is asked for something else."""
    fake, connector = hubspot
    company = fake.add("companies")
    fake.before = breaking_at(company)
    companies, _ = read(connector)
    assert "open_tickets" in companies[company].facts.unknown
    found = connector.refresh([Change("companies", company)])
    assert (found.gone, found.set_aside) == ([], [Unreadable("companies", company)])


@pytest.mark.parametrize("count", [1, 3, 300])
def test_hubspot__out_of_order__fails_in_words_and_blames_no_record(hubspot, count):
    fake, connector = hubspot
    ids = [fake.add("companies") for _ in range(count)]
    fake.before = lambda _call: Reply(503)
    started = fake.clock.now()
    with pytest.raises(CrmError, match="503"):
        connector.refresh([Change("companies", one) for one in ids])
    assert (fake.clock.now() - started).total_seconds() < 300


def test_hubspot__company_that_breaks_when_scores_are_written__stops_no_other(hubspot):
    fake, connector = hubspot
    ids = [fake.add("companies") for _ in range(130)]
    fake.before = breaking_at(ids[40])
    written = connector.write_back([CompanyScore(one, 66, "at_risk", "Weakest: CRM 40.") for one in ids])
    assert written == {*ids} - {ids[40]}


def breaking_page(fake, slug: str, record: str):
    """Attio as it breaks at each page that has a record."""

    def before(call):
        if call.path != f"/v2/objects/{slug}/records/query":
            return None
        page = fake.answer(call)
        shown = [one["id"]["record_id"] for one in page.body["data"]]
        return Reply(500) if record in shown else page

    return before


@pytest.mark.parametrize("slug", ["companies", "deals"])
def test_attio__record_at_which_its_page_breaks__costs_the_record_alone(attio, slug):
    fake, connector = attio
    ids = [fake.add("companies", domains=[f"{number}.example"]) for number in range(600)]
    deals = [fake.add("deals", company=ids[number], stage="Lead") for number in range(40)]
    spoilt = {"companies": ids, "deals": deals}[slug][30]
    fake.before = breaking_page(fake, slug, spoilt)
    companies, set_aside = read(connector)
    assert set(companies) == {*ids} - ({spoilt} if slug == "companies" else set())
    assert Unreadable(slug, "") in set_aside


def test_attio__out_of_order__fails_in_words_and_blames_no_record(attio):
    fake, connector = attio
    fake.add("companies")
    fake.before = lambda _call: Reply(503)
    started = fake.clock.now()
    with pytest.raises(CrmError, match="503"):
        read(connector)
    assert (fake.clock.now() - started).total_seconds() < 300


def test_attio__company_that_breaks_when_scores_are_written__stops_no_other(attio):
    fake, connector = attio
    ids = [fake.add("companies") for _ in range(5)]
    fake.before = breaking_at(ids[3], path="companies/records")
    written = connector.write_back([CompanyScore(one, 66, "at_risk", "Weakest: CRM 40.") for one in ids])
    assert written == {*ids} - {ids[3]}
