"""A workspace with a connected CRM that behaves like one, on moto's tables, in virtual time."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools import Logger

from healthscore.core.alerts.rules import evaluate
from healthscore.core.alerts.settings import AlertSettings
from healthscore.core.health import assess, snapshot
from healthscore.core.model import Event
from healthscore.core.time import parse_instant
from healthscore.integrations.crm import hubspot_api, options
from healthscore.integrations.crm.client import Clock
from healthscore.integrations.crm.registry import PROVIDERS
from healthscore.services.crm_sync import matching, session, sync
from healthscore.services.crm_sync.session import Session
from healthscore.services.ingestion.events import ingest
from healthscore.services.nightly import process
from healthscore.services.notifications.outbox import Outbox
from healthscore.services.notifications.rate_limit import RateLimit
from healthscore.services.scoring import gather_facts
from healthscore.settings import Settings
from healthscore.storage.accounts import accounts, history
from healthscore.storage.crm import connections
from tests.integration.crm.living import DESKS, NOW, Life, Subscriber
from tests.template.crm import connected
from tools.fakes.attio import FakeAttio
from tools.fakes.hubspot import FakeHubSpot

if TYPE_CHECKING:
    from tools.fakes.server import FakeService


@dataclass
class Topic:
    """An SNS client that remembers what was published."""

    published: list[dict[str, Any]] = field(default_factory=list)

    def publish_batch(self, PublishBatchRequestEntries: list[Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        self.published += [json.loads(json.loads(entry["Message"])["default"]) for entry in PublishBatchRequestEntries]
        return {"Successful": [{"Id": entry["Id"]} for entry in PublishBatchRequestEntries]}

    def kinds(self) -> list[str]:
        return [message["kind"] for message in self.published]


@dataclass
class Workspace:
    """A workspace and the CRM it is connected to."""

    provider: str
    fake: FakeService
    topic: Topic = field(default_factory=Topic)
    pages: int = 10**6
    """After so many pages a run is out of time."""
    connectors: list[Any] = field(default_factory=list)
    nightly: list[str] = field(default_factory=list)
    """Kinds of alerts that nights have found."""

    def connect(self, **chosen: Any) -> None:
        given = PROVIDERS[self.provider].options(**chosen)
        connections.connect(self.provider, given.to_json(), self.fake.clock.now())

    def session(self) -> Session:
        connection = connections.connection(self.provider)
        assert connection is not None
        provider = PROVIDERS[self.provider]
        chosen = options.read(provider.options, connection.options)
        connector = provider.connect(chosen, self.fake.token, self.fake.url, self.fake.clock)
        self.connectors.append(connector)
        left = iter(range(self.pages))
        logger = Logger()
        return Session(
            provider=self.provider,
            connector=connector,
            writing=chosen.write_back,
            outbox=Outbox(
                self.topic, "topic", None, logger, RateLimit(10, wait=lambda _: None), clock=self.fake.clock.now
            ),
            logger=logger,
            clock=self.fake.clock.now,
            keep_going=lambda: next(left, None) is not None,
            alerting=connection.read_once,
        )

    def sync(self) -> dict[str, Any]:
        return sync.run(self.session())

    def close(self) -> None:
        for connector in self.connectors:
            client = getattr(connector, "_client", None) or connector._api._client
            client.close()

    def account(self, account_id: str, **profile: Any) -> None:
        accounts.save_profile(account_id, lambda _stored: profile, self.fake.clock.now())

    def used(self, account_id: str, events: int, days: int = 30) -> None:
        """Let an account be used: so many events, over so many days, by one user."""
        now = self.fake.clock.now()
        made = [
            Event(f"e{number}", account_id, "account_created", now - timedelta(days=number % days, minutes=1), "ada")
            for number in range(events)
        ]
        ingest(made, Settings(), now, lambda: 60.0)

    def night(self) -> None:
        """Keep every account's snapshot, and its alerts, as the nightly run does."""
        for account in list(accounts.scan(0, 1)):
            facts = gather_facts(account, self.fake.clock.now(), Settings(), consistent=True)
            current = snapshot(assess(account.account_id, facts, (), None))
            previous = history.snapshot_before(account, current.day)
            self.nightly += [change.kind for change in evaluate(account.recent, previous, current, AlertSettings())]
            accounts.save_score(account, current)

    def facts(self, account_id: str) -> Any:
        account = accounts.get(account_id)
        return account and account.crm


def _workspace(provider, fake, monkeypatch):
    # One after the other, so that a run is repeatable; and small pages are crossed by few companies.
    monkeypatch.setattr(matching, "WORKERS", 1)
    monkeypatch.setattr(hubspot_api, "ASSOCIATED", 100)
    workspace = Workspace(provider, fake)
    yield workspace
    workspace.close()


@pytest.fixture
def hubspot(moto, monkeypatch):
    with FakeHubSpot() as fake:
        yield from _workspace("hubspot", fake, monkeypatch)


@pytest.fixture
def attio(moto, monkeypatch):
    with FakeAttio() as fake:
        fake.records["tickets"] = {}
        yield from _workspace("attio", fake, monkeypatch)


def last_success(provider: str) -> Any:
    connection = connections.connection(provider)
    return connection and parse_instant(connection.status["last_success"])


@pytest.fixture(params=DESKS)
def life(request, moto, monkeypatch):
    topic = Subscriber()
    monkeypatch.setenv("ALERTS_TOPIC_ARN", topic.arn)
    monkeypatch.setattr(process, "WORKERS", 1)  # one after the other, so that a run is repeatable
    with connected(NOW, monkeypatch, request.param) as fake:
        clock = fake.clock
        monkeypatch.setattr(session, "CLOCK", Clock(clock.now, clock.monotonic, clock.sleep))
        yield Life(DESKS[request.param](fake), topic)
