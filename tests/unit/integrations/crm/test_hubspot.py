"""The HubSpot connector against a HubSpot account that behaves like one."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from healthscore.core.scoring.crm import CrmReason, crm_parts
from healthscore.core.time import from_millis
from healthscore.integrations.crm.client import Limit
from healthscore.integrations.crm.hubspot import HubSpot, HubSpotOptions
from healthscore.integrations.crm.hubspot_webhooks import HubSpotWebhooks
from healthscore.integrations.crm.protocol import (
    AccessError,
    Change,
    CompanyScore,
    CrmError,
    QuotaError,
    WebhookRequest,
)
from tools.fakes.hubspot import SECRET, FakeHubSpot
from tools.fakes.server import START, Reply

URL = "https://api.example.com/v1/crm/hubspot/webhook"
NOW = START


def ago(**given: float) -> datetime:
    return NOW - timedelta(**given)


@pytest.fixture
def fake():
    with FakeHubSpot() as fake:
        yield fake


@pytest.fixture
def connect(fake):
    connected = []

    def connecting(**options):
        hubspot = HubSpot(HubSpotOptions(**options), fake.token, fake.url, fake.clock)
        connected.append(hubspot)
        return hubspot

    yield connecting
    for hubspot in connected:
        hubspot._api._client.close()


def everything(connector, cursor=None) -> dict:
    return {company.company_id: company for page in connector.full(cursor) for company in page.companies}


def signals(facts) -> list[CrmReason]:
    return [part.reason for part in crm_parts(facts, facts.received_at, facts.received_at.date())]


OPEN, CLOSED = "1", "4"
TICKETS = [
    ([], CrmReason.NO_TICKETS),
    ([(CLOSED, "URGENT")], CrmReason.NO_TICKETS),
    ([(OPEN, "LOW")], CrmReason.FEW_TICKETS),
    ([(OPEN, None), ("2", "MEDIUM")], CrmReason.FEW_TICKETS),
    ([(OPEN, "LOW")] * 3, CrmReason.MANY_TICKETS),
    ([(OPEN, "LOW"), (OPEN, "HIGH")], CrmReason.HIGH_PRIORITY_TICKET),
    ([(OPEN, "URGENT")], CrmReason.HIGH_PRIORITY_TICKET),
]


@pytest.mark.parametrize(("tickets", "signal"), TICKETS)
def test_support__tickets__reach_every_tier(fake, connect, tickets, signal):
    company = fake.add("companies", name="Acme", domain="acme.com")
    for stage, priority in tickets:
        fake.add("tickets", company, hs_pipeline_stage=stage, hs_ticket_priority=priority)
    assert signals(everything(connect())[company].facts)[0] is signal


CONTACTS = [
    ({"meetings": [(ago(days=14), "COMPLETED")]}, CrmReason.MEETING),
    ({"meetings": [(ago(days=15), "COMPLETED")]}, CrmReason.CONTACT),
    ({"meetings": [(ago(days=1), "CANCELED"), (ago(days=-1), "SCHEDULED")]}, CrmReason.NO_CONTACT),
    ({"meetings": [(ago(days=1), "NO_SHOW")]}, CrmReason.NO_CONTACT),
    ({"emails": [(ago(days=7), "SENT")]}, CrmReason.EMAIL),
    ({"emails": [(ago(days=1), "BOUNCED")]}, CrmReason.NO_CONTACT),
    ({"emails": [(ago(days=31), "SENT")]}, CrmReason.NO_CONTACT),
    ({"contacted": ago(days=30)}, CrmReason.CONTACT),
    ({}, CrmReason.NO_CONTACT),
]


@pytest.mark.parametrize(("records", "signal"), CONTACTS)
def test_relationship__contacts__reach_every_tier(fake, connect, records, signal):
    company = fake.add("companies", notes_last_contacted=records.get("contacted"))
    for at, outcome in records.get("meetings", ()):
        fake.add("meetings", company, hs_meeting_start_time=at, hs_meeting_outcome=outcome)
    for at, status in records.get("emails", ()):
        fake.add("emails", company, hs_timestamp=at, hs_email_status=status)
    assert signals(everything(connect())[company].facts)[1] is signal


AHEAD, PAST = "2027-01-31", "2026-01-31"
DEALS = [
    ([("appointmentscheduled", None, 1)], {}, CrmReason.FRESH_DEAL),
    ([("appointmentscheduled", None, 31)], {}, CrmReason.STALE_DEAL),
    ([("closedwon", AHEAD, 1)], {}, CrmReason.FRESH_DEAL),
    ([("closedwon", AHEAD, 31)], {}, CrmReason.STALE_DEAL),
    ([("closedwon", PAST, 1)], {}, CrmReason.NO_DEAL),
    ([("closedlost", None, 1)], {}, CrmReason.NO_DEAL),
    ([], {}, CrmReason.NO_DEAL),
    ([("appointmentscheduled", None, 1)], {"customer_status": "gone"}, CrmReason.CHURNED),
]


@pytest.mark.parametrize(("deals", "properties", "signal"), DEALS)
def test_commercial__deals__reach_every_tier(fake, connect, deals, properties, signal):
    company = fake.add("companies", **properties)
    for stage, renewal, days in deals:
        deal = fake.add("deals", company, dealstage=stage, renewal_date=renewal)
        fake.change("deals", deal, hs_lastmodifieddate=ago(days=days))
    hubspot = connect(churned_property="customer_status", churned_values=("gone",))
    assert signals(everything(hubspot)[company].facts)[2] is signal


@pytest.mark.parametrize(
    ("kind", "unknown"),
    [
        ("tickets", {"open_tickets", "high_priority_open"}),
        ("deals", {"active_deal", "deal_updated_at", "renewal_date"}),
        ("meetings", {"last_meeting_at"}),
        ("emails", {"last_email_at"}),
    ],
)
def test_facts__kind_that_the_token_may_not_read__are_unknown(fake, connect, kind, unknown):
    company = fake.add("companies")
    fake.forbidden.add(kind)
    assert everything(connect())[company].facts.unknown == unknown | {"churned"}


def test_facts__associations_that_cannot_be_read__are_unknown_for_that_company(fake, connect):
    first, second = fake.add("companies"), fake.add("companies")
    fake.failing.add(first)
    companies = everything(connect())
    assert "open_tickets" in companies[first].facts.unknown
    assert companies[second].facts.open_tickets == 0


def test_company__properties__are_read_as_configured(fake, connect):
    company = fake.add(
        "companies",
        name="Acme",
        domain="acme.com",
        hs_additional_domains="acme.de;acme.fr",
        key=" e\u0301 ",
        arr="1200.5",
    )
    fake.add("deals", company, dealstage="closedwon", renewal_date="1796083200000")
    found = everything(connect(account_property="key", arr_property="arr"))[company]
    assert (found.name, found.account_id, found.facts.arr) == ("Acme", "\u00e9", 1200.5)
    assert found.domains == ("acme.com", "acme.de", "acme.fr")
    assert found.facts.renewal_date == date(2026, 12, 1)


def test_full__more_companies_than_a_page__goes_on_from_each_cursor(fake, connect):
    ids = [fake.add("companies", domain=f"c{number}.com") for number in range(1250)]
    first = next(iter(connect().full(None)))
    assert not first.done
    rest = everything(connect(), first.cursor)
    assert [company.company_id for company in first.companies] + list(rest) == ids


def test_full__more_tickets_than_a_page_of_associations__are_all_counted(fake, connect):
    company = fake.add("companies")
    fake.page_of_associations = 7
    for _ in range(30):
        fake.add("tickets", company, hs_pipeline_stage=OPEN)
    assert everything(connect())[company].facts.open_tickets == 30


def test_full__limits__are_kept(fake, connect):
    for number in range(300):
        company = fake.add("companies")
        fake.add("tickets", company, hs_pipeline_stage=OPEN, number=number)
    hubspot = connect(calls_per_10_seconds=3)
    everything(hubspot)
    assert fake.burst.most <= 3


def finished(connector, cursor) -> tuple[dict, dict]:
    pages = list(connector.changes(cursor))
    assert pages[-1].done
    return {company.company_id: company for page in pages for company in page.companies}, pages[-1].cursor


def after_full(connector) -> dict:
    return list(connector.full(None))[-1].cursor


def test_changes__one_ticket__reads_its_company_alone(fake, connect):
    companies = [fake.add("companies") for _ in range(50)]
    hubspot = connect()
    fake.clock.sleep(3600)
    cursor = after_full(hubspot)
    fake.clock.sleep(600)
    fake.add("tickets", companies[7], hs_pipeline_stage=OPEN, hs_ticket_priority="HIGH")
    fake.read.clear()
    found, _ = finished(hubspot, cursor)
    assert list(found) == [companies[7]]
    assert found[companies[7]].facts.high_priority_open == 1
    assert fake.read == {"companies": 1, "tickets": 1}


def test_changes__more_than_the_search_gives_and_all_at_one_instant__are_walked_by_id(fake, connect):
    company = fake.add("companies")
    hubspot = connect()
    cursor = after_full(hubspot)
    fake.clock.sleep(1200)
    for _ in range(10_450):
        fake.add("tickets", company, hs_pipeline_stage=OPEN)
    found, _ = finished(hubspot, cursor)
    assert found[company].facts.open_tickets == 10_450
    assert fake.searches.most <= 5


def test_changes__that_the_search_learns_late__are_found_by_a_later_run(fake, connect):
    company = fake.add("companies")
    fake.clock.sleep(3600)
    hubspot = connect()
    cursor = after_full(hubspot)
    fake.lag = timedelta(minutes=40)
    fake.clock.sleep(600)
    fake.add("tickets", company, hs_pipeline_stage=OPEN)
    found, cursor = finished(hubspot, cursor)
    assert found == {}
    for _ in range(8):
        fake.clock.sleep(900)
        more, cursor = finished(hubspot, cursor)
        found |= more
    assert found[company].facts.open_tickets == 1


def test_refresh__ticket_without_a_company_yet__is_loose_until_it_has_one(fake, connect):
    company = fake.add("companies")
    ticket = fake.add("tickets", company, associated_after=60, hs_pipeline_stage=OPEN)
    hubspot = connect()
    change = Change("tickets", ticket)
    assert hubspot.refresh([change]).without_company == [change]
    fake.clock.sleep(60)
    assert [found.company_id for found in hubspot.refresh([change]).companies] == [company]


def test_refresh__archived_company__is_gone(fake, connect):
    company = fake.add("companies")
    fake.archive("companies", company)
    assert connect().refresh([Change("companies", company)]).gone == [company]


def test_call__daily_limit__stops_at_once(fake, connect):
    fake.daily_left = 0
    with pytest.raises(QuotaError):
        everything(connect())
    assert len(fake.calls) == 1


def test_limit__wait_that_is_shorter_than_a_clock_can_tell__is_one_that_it_can():
    """Ten seconds after the call, by sums of floats: 4e-15 s are left, which no clock can wait for."""
    limit = Limit(1, 10.0)
    limit.made.append(10.530267)
    assert limit.wait(20.530267) == 0.001
    assert limit.wait(20.530267 + 0.001) == 0.0


def test_call__refused_for_a_while__is_repeated(fake, connect):
    company = fake.add("companies")
    fake.troubles += [Reply(502), Reply(429, {"policyName": "SECONDLY"}, {"Retry-After": "7"})]
    assert list(everything(connect())) == [company]
    assert fake.clock.now() - START >= timedelta(seconds=7)


def test_call__refused_for_good__fails_in_words(fake, connect):
    fake.before = lambda _call: Reply(503, {"secret": "customer text"})
    with pytest.raises(CrmError, match="503, 6 times") as failed:
        everything(connect())
    assert "customer" not in str(failed.value)


def test_call__wait_longer_than_there_is_time__leaves_the_rest(fake, connect):
    fake.clock.left_at = START + timedelta(seconds=5)
    fake.troubles.append(Reply(429, {"policyName": "TEN_SECONDLY_ROLLING"}, {"Retry-After": "10"}))
    with pytest.raises(QuotaError):
        everything(connect())


def test_call__wrong_token__says_so(fake, connect):
    fake.token = "another"
    hubspot = connect()
    fake.token = "the right one"
    with pytest.raises(AccessError, match="token"):
        everything(hubspot)


def test_write_back__company_that_spoils_its_batch__stops_no_other(fake, connect):
    ids = [fake.add("companies") for _ in range(130)]
    fake.refused.add(ids[40])
    fake.archive("companies", ids[41])
    written = connect().write_back([CompanyScore(company, 66, "at_risk", "Weakest: CRM 40.") for company in ids])
    assert written == set(ids) - {ids[40], ids[41]}
    assert fake.objects["companies"][ids[0]]["healthscore_score"] == "66"


def test_create_properties__twice__creates_what_is_missing(fake, connect):
    hubspot = connect()
    names = ["healthscore_score", "healthscore_band", "healthscore_reason", "account_id"]
    assert hubspot.create_properties() == names
    assert hubspot.create_properties() == []


def signed(body=b"{'example_field':'example_value'}", stamp="1693657560000", signature=None, url=None):
    headers = {
        "x-hubspot-request-timestamp": stamp,
        "x-hubspot-signature-v3": signature or "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=",
    }
    return WebhookRequest("POST", url or "https://www.example.com/webhook_uri", headers, body)


AT = from_millis(1693657560000)
VECTOR_SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"


def test_verify__published_vector__is_accepted():
    assert HubSpotWebhooks().verify(signed(), VECTOR_SECRET, AT)


def test_verify__url_with_encoded_characters__is_signed_with_those_decoded_that_hubspot_decodes():
    assert HubSpotWebhooks().verify(signed(url="https%3A%2F%2fwww.example.com/webhook_uri"), VECTOR_SECRET, AT)
    assert not HubSpotWebhooks().verify(signed(url="https://www.example.com/webhook%5Furi"), VECTOR_SECRET, AT)


@pytest.mark.parametrize(
    ("request_", "secret", "now"),
    [
        (signed(), "another", AT),
        (signed(body=b"{}"), VECTOR_SECRET, AT),
        (signed(url="https://www.example.com/other"), VECTOR_SECRET, AT),
        (signed(signature="é"), VECTOR_SECRET, AT),
        (signed(stamp="soon"), VECTOR_SECRET, AT),
        (signed(stamp="9" * 400), VECTOR_SECRET, AT),
        (signed(stamp=""), VECTOR_SECRET, AT),
        (signed(), VECTOR_SECRET, AT + timedelta(minutes=5, milliseconds=1)),
        (signed(), VECTOR_SECRET, AT - timedelta(milliseconds=1)),
    ],
)
def test_verify__anything_else__is_refused(request_, secret, now):
    assert not HubSpotWebhooks().verify(request_, secret, now)


def test_parse__events_of_both_kinds_of_subscription__name_each_record_once(fake):
    company, ticket = fake.add("companies"), fake.add("tickets")
    _, body = fake.webhook(
        fake.event("tickets", ticket),
        {"subscriptionType": "ticket.creation", "objectId": int(ticket)},
        {"subscriptionType": "company.propertyChange", "objectId": int(company), "propertyName": "domain"},
        fake.event("companies", "77", propertyName="healthscore_score"),
        {
            "subscriptionType": "deal.associationChange",
            "associationType": "DEAL_TO_COMPANY",
            "fromObjectId": 5,
            "toObjectId": 9,
        },
        {"subscriptionType": "contact.creation", "objectId": 3},
        url=URL,
    )
    assert HubSpotWebhooks().parse(body) == [
        Change("tickets", ticket),
        Change("companies", company),
        Change("companies", "9"),
    ]


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"\xff"])
def test_parse__not_what_hubspot_sends__is_refused(body):
    with pytest.raises(ValueError):  # noqa: PT011  (its words come from the JSON reader)
        HubSpotWebhooks().parse(body)


def test_fake__its_own_webhook__verifies(fake):
    headers, body = fake.webhook(fake.event("tickets", "5"), url=URL)
    assert HubSpotWebhooks().verify(WebhookRequest("POST", URL, headers, body), SECRET, NOW)
