"""Scoring rule 10, row by row, from the records of each CRM to the component's score."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest

from healthscore.core.scoring.crm import crm
from healthscore.integrations.crm.attio import Attio, AttioOptions
from healthscore.integrations.crm.hubspot import HubSpot, HubSpotOptions
from tools.fakes.attio import FakeAttio
from tools.fakes.hubspot import FakeHubSpot
from tools.fakes.server import START

DAY = timedelta(days=1)
MOMENT = timedelta(milliseconds=1)
WEIGHTS = {"support": 40, "relationship": 40, "commercial": 20}


class InHubSpot:
    """Records of one company in HubSpot."""

    def __init__(self) -> None:
        self.fake = FakeHubSpot()
        self.company = self.fake.add("companies", lifecycle="customer")
        self.options = HubSpotOptions(churned_property="lifecycle", churned_values=("churned",))

    def ticket(self, *, high=False, closed=False):
        stage, priority = "4" if closed else "1", "HIGH" if high else "LOW"
        self.fake.add("tickets", self.company, hs_pipeline_stage=stage, hs_ticket_priority=priority)

    def meeting(self, at):
        self.fake.add("meetings", self.company, hs_meeting_start_time=at, hs_meeting_outcome="COMPLETED")

    def email(self, at):
        self.fake.add("emails", self.company, hs_timestamp=at, hs_email_status="SENT")

    def contact(self, at):
        self.fake.change("companies", self.company, notes_last_contacted=at)

    def deal(self, stage, renewal=None):
        stages = {"open": "appointmentscheduled", "won": "closedwon", "lost": "closedlost"}
        self.fake.add("deals", self.company, dealstage=stages[stage], renewal_date=renewal and renewal.isoformat())

    def churn(self):
        self.fake.change("companies", self.company, lifecycle="churned")

    def hide(self, part):
        self.fake.forbidden.add("tickets" if part == "support" else "deals")
        if part == "commercial":
            self.options = HubSpotOptions()

    def read(self):
        connector = HubSpot(self.options, self.fake.token, self.fake.url, self.fake.clock)
        (page,) = connector.full(None)
        connector._api._client.close()
        return page.companies[0].facts


class InAttio:
    """The same in Attio."""

    def __init__(self) -> None:
        self.fake = FakeAttio()
        self.fake.records["tickets"] = {}
        # Interactions that are long past: what is empty is not licensed, and unknown.
        past = self.fake.clock.now() - 1000 * DAY
        self.company = self.fake.add("companies", customer_status="Customer", last_interaction=past)
        self.options = AttioOptions(
            ticket_object="tickets", churned_attribute="customer_status", churned_values=("Churned",)
        )

    def ticket(self, *, high=False, closed=False):
        status, priority = "Closed" if closed else "New", "High" if high else "Low"
        self.fake.add("tickets", company=self.company, status=status, priority=priority)

    def meeting(self, at):
        self.fake.change("companies", self.company, last_calendar_interaction=at)

    def email(self, at):
        self.fake.change("companies", self.company, last_email_interaction=at)

    def contact(self, at):
        self.fake.change("companies", self.company, last_interaction=at)

    def deal(self, stage, renewal=None):
        stages = {"open": "In Progress", "won": "Won 🎉", "lost": "Lost"}
        self.fake.add("deals", company=self.company, stage=stages[stage], renewal_date=renewal and renewal.isoformat())

    def churn(self):
        self.fake.change("companies", self.company, customer_status="Churned")

    def hide(self, part):
        if part == "support":
            self.options = AttioOptions()
        else:
            self.options = AttioOptions(ticket_object="tickets")
            del self.fake.records["deals"]

    def read(self):
        connector = Attio(self.options, self.fake.token, self.fake.url, self.fake.clock)
        (page,) = connector.full(None)
        connector._client.close()
        return page.companies[0].facts


def tickets(*given):
    return lambda records: [records.ticket(**ticket) for ticket in given]


def contact(kind, ago):
    """A contact so long before the reading."""
    return lambda records: getattr(records, kind)(records.fake.clock.now() + 60 * DAY - ago)


def deal(stage, renewal=None, touched=30 * DAY):
    """A deal that was touched so long before the reading; it renews so long after it."""

    def make(records):
        clock = records.fake.clock
        reading = clock.now() + 60 * DAY
        clock.sleep((reading - touched - clock.now()).total_seconds())
        records.deal(stage, None if renewal is None else (reading + renewal).date())
        clock.sleep((reading - 60 * DAY - clock.now()).total_seconds())

    return make


def hidden(part):
    return lambda records: records.hide(part)


LOW, HIGH = {}, {"high": True}
ROWS = [
    ("support", tickets(), 100),
    ("support", tickets({"closed": True, "high": True}), 100),
    ("support", tickets(LOW), 60),
    ("support", tickets(LOW, LOW), 60),
    ("support", tickets(LOW, LOW, LOW), 20),
    ("support", tickets(LOW, HIGH), 0),
    ("support", hidden("support"), None),
    ("relationship", contact("meeting", 14 * DAY), 100),
    ("relationship", contact("meeting", 14 * DAY + MOMENT), 50),
    ("relationship", contact("meeting", -DAY), 0),
    ("relationship", contact("email", 7 * DAY), 80),
    ("relationship", contact("email", 7 * DAY + MOMENT), 50),
    ("relationship", contact("contact", 30 * DAY), 50),
    ("relationship", contact("contact", 30 * DAY + MOMENT), 0),
    ("commercial", deal("open"), 100),
    ("commercial", deal("open", touched=30 * DAY + MOMENT), 50),
    ("commercial", deal("won", renewal=0 * DAY), 100),
    ("commercial", deal("won", renewal=DAY, touched=31 * DAY), 50),
    ("commercial", deal("won", renewal=-DAY), 0),
    ("commercial", deal("won"), 0),
    ("commercial", deal("lost"), 0),
    ("commercial", tickets(), 0),
    ("commercial", lambda records: (deal("open")(records), records.churn()), 0),
    ("commercial", hidden("commercial"), None),
]


@pytest.mark.parametrize("kind", [InHubSpot, InAttio], ids=["hubspot", "attio"])
@pytest.mark.parametrize(("part", "prepare", "score"), ROWS, ids=[f"{part}-{n}" for n, (part, _, _) in enumerate(ROWS)])
def test_rule_10__row__is_reached_from_the_records_of_the_crm(kind, part, prepare, score):
    records = kind()
    with records.fake:
        prepare(records)
        records.fake.clock.sleep(60 * 86_400)
        facts = records.read()
    now = records.fake.clock.now()
    component = crm(facts, now, now.date())
    scores = {found.name: found.score for found in component.parts}
    assert scores[part] == score
    known = {name: found for name, found in scores.items() if found is not None}
    mean = Decimal(sum(WEIGHTS[name] * found for name, found in known.items())) / sum(WEIGHTS[name] for name in known)
    assert component.score == mean.quantize(Decimal(1), ROUND_HALF_UP)


def test_rule_10__interactions_that_attio_does_not_have__leave_the_relationship_unknown():
    """HubSpot always has the last contact of a company, if there was one: its relationship is never unknown."""
    records = InAttio()
    with records.fake:
        records.contact(None)
        facts = records.read()
    assert {found.name for found in crm(facts, START, START.date()).parts if found.score is None} == {"relationship"}
