"""An account with a company in a CRM, and what happens to it: through the functions as they are deployed."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from functions.crm_refresh import handler as refresh_function
from functions.crm_sync import handler as sync_function
from functions.crm_webhook import handler as webhook_function
from healthscore.core.model import Event
from healthscore.integrations.crm.registry import PROVIDERS
from healthscore.services.ingestion.events import ingest
from healthscore.services.nightly import process
from healthscore.services.nightly.plan import plan_run
from healthscore.services.scoring import assess_account
from healthscore.settings import Settings
from healthscore.storage.accounts import accounts
from healthscore.storage.crm import connections
from tests.support.gateway import gateway_event
from tests.template.crm import sqs_event

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

    def signed(self, body):
        return self.fake.signed(body, url=self.url)


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

    def signed(self, body):
        self.sent += 1
        return self.fake.signed(body, repeat=str(self.sent))


DESKS = {desk.provider: desk for desk in (HubSpotDesk, AttioDesk)}


class Life:
    """An account with a company in a CRM, and all that happens to it."""

    def __init__(self, desk, topic) -> None:
        self.desk, self.topic, self.clock = desk, topic, desk.fake.clock

    def connect(self, **chosen):
        given = PROVIDERS[self.desk.provider].options(**(self.desk.chosen | chosen))
        connections.connect(self.desk.provider, given.to_json(), self.clock.now())

    def begin(self, events=20):
        """Let the account be used, connect the CRM, and read it; 20 events make it just about healthy."""
        accounts.save_profile("acme", lambda _stored: {"name": "Acme", "owner": "Kim"}, self.clock.now())
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

    def deliver(self, headers, body):
        """Have a webhook delivered; answers status and answer."""
        path = f"/v1/crm/{self.desk.provider}/webhook"
        event = gateway_event("POST", path, body=body, headers=headers, now=self.clock.now())
        response = webhook_function.handler(event, Context())
        return response["statusCode"], json.loads(response["body"])

    def queued(self):
        """What waits to be refreshed, as the function behind the queue gets it."""
        return sqs_event(os.environ["CRM_QUEUE_URL"])

    def deliver_and_refresh(self, ticket):
        """Deliver the CRM's webhook, and work on what it queued."""
        assert self.deliver(*self.desk.webhook(ticket))[0] == 200
        return refresh_function.handler(self.queued(), Context())["batchItemFailures"]

    def opened(self, **how):
        self.clock.sleep(600)
        ticket = self.desk.open(**how)
        assert self.deliver_and_refresh(ticket) == []
        return ticket

    def closed(self, ticket):
        self.clock.sleep(600)
        self.desk.close(ticket)
        assert self.deliver_and_refresh(ticket) == []

    def night(self):
        """The nightly run of now, up to the messages that it stores; answers their kinds."""
        run = plan_run({"time": self.clock.now().isoformat()}, self.clock.now())
        worked = process.process_scan_part(run, 0, 1, keep_going=lambda: True, logger=None)
        return dict(worked.totals.alerts)

    def score(self):
        return assess_account(accounts.get("acme"), self.clock.now(), Settings()).score.score

    def kinds(self):
        return self.topic.kinds()
