"""Whatever a record of a CRM holds, it costs the fact that it concerns, it is named, and all others are read."""

from __future__ import annotations

import copy
import sys
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthscore.core.documents import CRM_FIELDS
from healthscore.integrations.crm.protocol import Unreadable
from tests.support.crm_trouble import BAD, DESKS, FIELDS, KINDS, any_json, containers
from tools.fakes.server import START

MANY = settings(max_examples=10, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def desks():
    """An account in each fake CRM."""
    found = {}
    for provider, (kind, desk) in DESKS.items():
        fake = kind()
        fake.__enter__()
        for limit in ("burst", "reads"):
            if hasattr(fake, limit):
                getattr(fake, limit).calls = 10**9
        found[provider] = desk(fake)
    for desk in found.values():
        desk.baseline, _ = read(desk)
        desk.those_without = {
            kind: read(desk, lambda desk, kind=kind: desk.without(kind))[0]
            for kind in desk.fields
            if kind != "companies"
        }
    yield found
    for desk in found.values():
        desk.fake.__exit__()


@contextmanager
def spoilt(desk, spoil):
    """The account with something spoilt in it, and whole again after that."""
    fake = desk.fake
    names = ("objects", "records", "raw", "raw_links", "removed", "titles", "pipelines", "spoiling", "merging")
    kept = {name: copy.deepcopy(getattr(fake, name)) for name in names if hasattr(fake, name)}
    spoil(desk)
    try:
        yield desk
    finally:
        for name, value in kept.items():
            setattr(fake, name, value)


def read(desk, spoil=lambda _desk: None):
    """The companies and what was set aside, by a full reading."""
    desk.fake.clock.at = START
    with spoilt(desk, spoil):
        connector = desk.connector()
        pages = list(connector.full(None))
        api = getattr(connector, "_api", connector)
        api._client.close()
    companies = {company.company_id: company for page in pages for company in page.companies}
    return companies, [one for page in pages for one in page.set_aside]


def values(company):
    """The facts by name, and the amount; `unknown` for those that are."""
    facts = company.facts
    found = {name: "unknown" if name in facts.unknown else getattr(facts, name) for name in CRM_FIELDS}
    return found | {"arr": facts.arr}


def same(company):
    """A company without the instant of its reading."""
    return replace(company, facts=replace(company.facts, received_at=START))


def others_are_the_same(desk, companies):
    return all(same(companies[one]) == same(desk.baseline[one]) for one in desk.companies[1:])


@pytest.mark.parametrize(("provider", "kind", "name"), FIELDS)
@MANY
@given(data=st.data())
def test_field__that_cannot_be_read__is_named_and_costs_its_own_fact_alone(desks, provider, kind, name, data):
    desk = desks[provider]
    value = data.draw(BAD[desk.fields[kind][name]])
    companies, set_aside = read(desk, lambda desk: desk.put(kind, name, value))
    mine = desk.companies[0]
    named = {(one.kind, one.record_id, one.field) for one in (*companies[mine].unreadable, *set_aside)}
    assert named == {(kind, desk.spoilt[kind], name)}
    assert others_are_the_same(desk, companies)
    without = desk.baseline if kind == "companies" else desk.those_without[kind]
    for fact, found in values(companies[mine]).items():
        allowed = [values(without[mine])[fact], values(desk.baseline[mine])[fact], "unknown"]
        assert found in (allowed if fact != "arr" else [*allowed, None]), fact


@pytest.mark.parametrize(("provider", "kind", "name"), FIELDS)
@MANY
@given(value=any_json)
def test_field__of_any_value__stops_no_other_record(desks, provider, kind, name, value):
    desk = desks[provider]
    companies, _ = read(desk, lambda desk: desk.put(kind, name, value))
    assert set(companies) == set(desk.companies)
    assert others_are_the_same(desk, companies)


@pytest.mark.parametrize(("provider", "kind"), KINDS)
@MANY
@given(value=any_json)
def test_record__of_any_value__is_set_aside_and_named_and_stops_no_other(desks, provider, kind, value):
    desk = desks[provider]
    companies, set_aside = read(desk, lambda desk: desk.whole(kind, value))
    assert others_are_the_same(desk, companies)
    assert [*set_aside, *(one for company in companies.values() for one in company.unreadable)] != []


@pytest.mark.parametrize(("provider", "kind"), [pair for pair in KINDS if pair[1] != "companies"])
@MANY
@given(value=containers.filter(bool) | st.sampled_from(["text", 5, True]))
def test_association__that_cannot_be_read__is_named_and_stops_no_other(desks, provider, kind, value):
    desk = desks[provider]
    companies, set_aside = read(desk, lambda desk: desk.link(kind, value))
    assert others_are_the_same(desk, companies)
    assert [*set_aside, *companies[desk.companies[0]].unreadable] != []


SAID_BY = {
    "lifecycle": {"churned"},
    "customer_status": {"churned"},
    "renewal_date": {"renewal_date"},
    "hs_lastmodifieddate": {"deal_updated_at"},
    "dealstage": {"active_deal", "renewal_date", "deal_updated_at"},
    "stage": {"active_deal", "renewal_date", "deal_updated_at"},
    "associated_company": {"active_deal", "renewal_date", "deal_updated_at"},
    "hs_pipeline_stage": {"open_tickets", "high_priority_open"},
    "status": {"open_tickets", "high_priority_open"},
    "company": {"open_tickets", "high_priority_open"},
    "hs_ticket_priority": {"high_priority_open"},
    "priority": {"high_priority_open"},
    "hs_meeting_start_time": {"last_meeting_at"},
    "hs_meeting_outcome": {"last_meeting_at"},
    "last_calendar_interaction": {"last_meeting_at"},
    "hs_timestamp": {"last_email_at"},
    "hs_email_status": {"last_email_at"},
    "last_email_interaction": {"last_email_at"},
    "notes_last_contacted": {"last_contact_at"},
    "last_interaction": {"last_contact_at"},
}
"""The facts that only a field says."""


@pytest.mark.parametrize(("provider", "kind", "name"), FIELDS)
def test_field__that_the_crm_does_not_have__is_missing_and_never_none(desks, provider, kind, name):
    """A property that was deleted says neither no nor none: the facts are unknown."""
    desk = desks[provider]
    companies, _ = read(desk, lambda desk: desk.remove(kind, name))
    for company_id in desk.companies:
        company = companies[company_id]
        if name == "account_id":
            assert (company.account_id, company.says_account_id) == (None, False)
            continue
        assert f"{kind}.{name}" in company.missing
        for fact, found in values(company).items():
            if fact in SAID_BY.get(name, ()):
                assert found == "unknown", fact
            else:
                allowed = [values(desk.baseline[company_id])[fact], "unknown"]
                assert found in (allowed if fact != "arr" else [*allowed, None]), fact


def test_company__that_an_error_nobody_foresaw_meets__is_set_aside_alone(desks, monkeypatch):
    for desk in desks.values():
        module = sys.modules[f"{type(desk.connector()).__module__}_records"]
        reading = module.CompanyReader.company

        def failing(self, company_id, fields, mine=desk.companies[0], reading=reading):
            if company_id == mine:
                raise ZeroDivisionError
            return reading(self, company_id, fields)

        with monkeypatch.context() as accident:
            accident.setattr(module.CompanyReader, "company", failing)
            companies, set_aside = read(desk)
        assert others_are_the_same(desk, companies)
        assert set_aside == [Unreadable("companies", desk.companies[0])]


def test_batch__that_one_record_spoils__is_read_without_it(desks):
    desk = desks["hubspot"]
    for kind in ("tickets", "companies"):
        companies, set_aside = read(desk, lambda desk, kind=kind: desk.fake.spoiling.add(desk.spoilt[kind]))
        assert others_are_the_same(desk, companies)
        assert [*set_aside, *companies[desk.companies[0]].unreadable] != []
