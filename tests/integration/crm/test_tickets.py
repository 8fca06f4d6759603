"""A ticket of high priority: from the CRM's signed webhook to one message, through the deployed functions."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from functions.crm_refresh import handler as refresh_function
from functions.crm_sync import handler as sync_function
from functions.crm_webhook import handler as webhook_function
from healthscore import crm_session, nightly, rescoring
from healthscore.core.alert_settings import AlertSettings, TicketOpened
from healthscore.core.model import Event
from healthscore.crm.client import Clock
from healthscore.crm.registry import PROVIDERS
from healthscore.ingest import ingest
from healthscore.scoring import assess_account
from healthscore.settings import Settings
from healthscore.storage import accounts, crm, messages, workspace
from healthscore.storage.errors import StorageUnavailableError
from tests.support.gateway import gateway_event
from tests.template.crm import connected, sqs_event

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


class Context:
    """A function that has all the time it needs."""

    aws_request_id = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


class Subscriber:
    """A queue that gets whatever is published to the alerts topic."""

    def __init__(self) -> None:
        sns, self._sqs = boto3.client("sns"), boto3.client("sqs")
        self.arn = sns.create_topic(Name="alerts")["TopicArn"]
        self._queue = self._sqs.create_queue(QueueName="subscriber")["QueueUrl"]
        queue = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        raw = {"RawMessageDelivery": "true"}
        sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=queue["Attributes"]["QueueArn"], Attributes=raw)
        sns.close()
        self._got: list[dict[str, Any]] = []

    @property
    def published(self):
        """The alerts that were published, oldest first."""
        while found := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            self._got += [json.loads(one["Body"]) for one in found]
            for one in found:
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=one["ReceiptHandle"])
        return self._got

    def kinds(self):
        return [alert["kind"] for alert in self.published]


class HubSpotDesk:
    """Tickets and deals in HubSpot, and what its webhooks say of them."""

    provider = "hubspot"

    def __init__(self, fake) -> None:
        self.fake = fake
        self.url = "https://api.example.com/v1/crm/hubspot/webhook"
        self.chosen = {"webhook_url": self.url}

    def company(self, account_id):
        self.account = self.fake.add("companies", account_id=account_id, notes_last_contacted=self.fake.clock.now())
        self.deal = self.fake.add("deals", self.account, dealstage="appointmentscheduled")
        return self.account

    def open(self, priority="HIGH"):
        return self.fake.add("tickets", self.account, hs_pipeline_stage="1", hs_ticket_priority=priority)

    def close(self, ticket):
        self.fake.change("tickets", ticket, hs_pipeline_stage="4")

    def lose_deal(self):
        self.fake.change("deals", self.deal, dealstage="closedlost")

    def webhook(self, ticket):
        return self.fake.webhook(self.fake.event("tickets", ticket), url=self.url)


class AttioDesk:
    """The same in Attio, whose tickets are a custom object."""

    provider = "attio"

    def __init__(self, fake) -> None:
        self.fake = fake
        fake.records["tickets"] = {}
        self.chosen = {"ticket_object": "tickets"}
        self.sent = 0

    def company(self, account_id):
        now = self.fake.clock.now()
        self.account = self.fake.add("companies", name=account_id, account_id=account_id, last_interaction=now)
        self.deal = self.fake.add("deals", company=self.account, stage="In progress")
        return self.account

    def open(self, priority="Urgent"):
        return self.fake.add("tickets", company=self.account, status="New", priority=priority)

    def close(self, ticket):
        self.fake.change("tickets", ticket, status="Closed")

    def lose_deal(self):
        self.fake.change("deals", self.deal, stage="Lost")

    def webhook(self, ticket):
        self.sent += 1
        return self.fake.webhook(self.fake.event("tickets", ticket), repeat=str(self.sent))


DESKS = {desk.provider: desk for desk in (HubSpotDesk, AttioDesk)}


@pytest.fixture(params=DESKS)
def life(request, tables_in_process, monkeypatch):
    topic = Subscriber()
    monkeypatch.setenv("ALERTS_TOPIC_ARN", topic.arn)
    monkeypatch.setattr(nightly, "WORKERS", 1)  # moto without a server takes one call at a time
    with connected(NOW, monkeypatch, request.param) as fake:
        clock = fake.clock
        monkeypatch.setattr(crm_session, "CLOCK", Clock(clock.now, clock.monotonic, clock.sleep))
        yield Life(DESKS[request.param](fake), topic)


class Life:
    """An account with a company in a CRM, and all that happens to it."""

    def __init__(self, desk, topic) -> None:
        self.desk, self.topic, self.clock = desk, topic, desk.fake.clock

    def connect(self, **chosen):
        given = PROVIDERS[self.desk.provider].options(**(self.desk.chosen | chosen))
        crm.connect(self.desk.provider, given.to_json(), self.clock.now())

    def begin(self, events=20):
        """Let the account be used, connect the CRM, and read it; 20 events make it just about healthy."""
        accounts.save_profile("acme", lambda _standing: {"name": "Acme", "owner": "Kim"}, self.clock.now())
        self.use(events)
        self.desk.company("acme")
        self.connect()
        self.sync()

    def use(self, events):
        now = self.clock.now()
        made = [
            Event(f"{now}{number}", "acme", "account_created", now - timedelta(minutes=number), "ada")
            for number in range(events)
        ]
        ingest(made, Settings(), now, lambda: 60.0)

    def sync(self):
        return sync_function.handler({}, Context())["results"]

    def tell(self, ticket):
        """Deliver the CRM's webhook, and work on what it queued."""
        headers, body = self.desk.webhook(ticket)
        path = f"/v1/crm/{self.desk.provider}/webhook"
        event = gateway_event("POST", path, body=body, headers=headers, now=self.clock.now())
        assert webhook_function.handler(event, Context())["statusCode"] == 200
        queued = sqs_event(os.environ["CRM_QUEUE_URL"])
        return refresh_function.handler(queued, Context())["batchItemFailures"]

    def opened(self, **how):
        self.clock.sleep(600)
        ticket = self.desk.open(**how)
        assert self.tell(ticket) == []
        return ticket

    def closed(self, ticket):
        self.clock.sleep(600)
        self.desk.close(ticket)
        assert self.tell(ticket) == []

    def night(self):
        """The nightly run of now, up to the messages that it stores; answers their kinds."""
        run = nightly.start({"time": self.clock.now().isoformat()}, self.clock.now())
        worked = nightly.run_segment(run, 0, 1, keep_going=lambda: True, logger=None)
        return dict(worked.tally.alerts)

    def score(self):
        return assess_account(accounts.get("acme"), self.clock.now(), Settings()).score.score

    def kinds(self):
        return self.topic.kinds()


def test_ticket__opened_at_high_priority__changes_the_score_and_sends_one_alert_at_once(life):
    life.begin()
    before = life.score()
    life.opened()
    assert life.score() == before - 6
    (alert,) = life.topic.published
    assert (alert["kind"], alert["severity"], alert["account_id"]) == ("ticket_opened", "high", "acme")
    assert alert["title"] == "Acme: a high-priority ticket was opened"
    assert {item["what"]: (item["from"], item["to"]) for item in alert["evidence"]} == {
        "Open high-priority tickets": (0, 1),
        "Open tickets": (0, 1),
        "CRM health": (80, 40),
        "Score": (before, before - 6),
    }


def test_ticket__told_of_again_by_webhooks_sync_and_night__is_told_once(life):
    life.begin(events=40)
    life.night()
    life.clock.sleep(86_400 - 600)
    ticket = life.opened()
    for _ in range(2):
        life.clock.sleep(1)
        life.tell(ticket)
    life.clock.sleep(4 * 3600)
    assert life.sync()[0]["state"] == "complete"
    life.clock.sleep(25 * 3600)
    life.use(3)
    assert life.sync()[0]["state"] == "complete"
    assert "ticket_opened" not in {kind.value for kind in life.night()}
    assert life.kinds() == ["ticket_opened"]
    assert list(messages.pending()) == []


def test_ticket__opened_while_another_is_open__is_told_only_after_none_was(life):
    life.begin()
    first, second = life.opened(), life.opened()
    life.closed(first)
    life.opened(priority="Low")
    assert life.kinds() == ["ticket_opened"]
    life.closed(second)
    life.opened()
    assert life.kinds() == ["ticket_opened"] * 2
    ids = {alert["alert_id"] for alert in life.topic.published}
    assert len(ids) == 2


def test_ticket__open_when_the_crm_is_connected_or_its_options_change__is_told_to_nobody(life):
    accounts.save_profile("acme", lambda _standing: {}, life.clock.now())
    life.desk.company("acme")
    old = life.desk.open()
    life.connect()
    life.sync()
    assert life.kinds() == []
    life.closed(old)
    life.opened(priority="Odd")
    life.connect(high_priorities=("Odd",))
    life.sync()
    assert accounts.get("acme").crm.high_priority_open == 1
    assert life.kinds() == []


def test_ticket__open_when_its_company_becomes_an_account__is_told_to_nobody(life):
    life.desk.company("acme")
    life.desk.open()
    life.connect()
    life.sync()
    accounts.save_profile("acme", lambda _standing: {}, life.clock.now())
    life.clock.sleep(25 * 3600)
    life.sync()
    assert accounts.get("acme").crm.high_priority_open == 1
    assert life.kinds() == []


def test_ticket__rule_switched_off__changes_the_score_and_tells_nobody(life):
    chosen = Settings(alerts=AlertSettings(ticket_opened=TicketOpened(enabled=False)))
    workspace.save_settings(chosen, life.clock.now())
    life.begin()
    before = life.score()
    life.opened()
    assert life.score() == before - 6
    assert life.kinds() == []


def test_ticket__that_takes_the_account_below_healthy__is_one_message_with_the_band(life):
    life.begin()
    life.night()
    life.clock.sleep(86_400 - 600)
    life.use(3)
    life.night()
    life.desk.lose_deal()
    ticket = life.opened()
    (alert,) = life.topic.published
    assert (alert["kind"], alert["severity"], alert["band"]) == ("band_fell", "high", "at_risk")
    told = [item["what"] for item in alert["evidence"]]
    assert {"Open high-priority tickets", "Band"} <= set(told)
    assert alert["why"].startswith("A high-priority ticket was opened. The score went from")
    # The same day's band is told; a ticket that comes after it is news by itself.
    life.closed(ticket)
    life.opened()
    assert life.kinds() == ["band_fell", "ticket_opened"]


def test_ticket__function_dies_after_the_facts_are_entered__is_told_all_the_same(life, monkeypatch):
    life.begin()

    def gone(*_: object) -> None:
        raise StorageUnavailableError("gone")

    life.night()
    life.clock.sleep(600)
    ticket = life.desk.open()
    with monkeypatch.context() as accident:
        accident.setattr(rescoring.accounts, "save_score", gone)
        assert len(life.tell(ticket)) == 1
    assert life.kinds() == []
    assert [account_id for account_id, _ in messages.pending()] == ["acme"]
    # Sent with whatever goes out next, and by the schedule at the latest.
    life.closed(ticket)
    life.opened()
    assert life.kinds() == ["ticket_opened"] * 2
