"""A workspace that holds every kind of item, filled through the public API and the product's own functions.

Two customers have the same of everything, so that erasing one can be seen to leave the other alone.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.api import handler as api_function
from functions.ingest import handler as ingest_function
from healthscore.api import event_settings
from healthscore.core.day_log import first_seen
from healthscore.core.day_log import log as daylog
from healthscore.core.day_log import shards as write_shards
from healthscore.core.decisions.decision import decide
from healthscore.core.decisions.finding_document import finding_json
from healthscore.core.decisions.findings import Finding, FindingState
from healthscore.core.decisions.life import Change
from healthscore.core.detectors.champion import Absence
from healthscore.core.detectors.champion_state import Champion, ChampionState
from healthscore.core.detectors.finding import Level, Sighting
from healthscore.core.identity.draft import USERS_A_DAY
from healthscore.core.signals.calendar import week_of
from healthscore.core.signals.excused import Attendance
from healthscore.core.signals.model import ACTIVE_DAYS, Profile
from healthscore.core.time import format_instant
from healthscore.http.api_keys import CachedKeys, key_hash
from healthscore.services.crm_sync import matching
from healthscore.services.nightly import account as night_account
from healthscore.services.nightly import process
from healthscore.services.nightly.dataset import Invocation, publish_task
from healthscore.services.nightly.finish import finish_task
from healthscore.services.nightly.plan import plan_scan_parts
from healthscore.services.nightly.process import process_task
from healthscore.storage import codec, schema, side_by_side, workspace, writes
from healthscore.storage.accounts import risk_history
from healthscore.storage.client import dynamodb
from healthscore.storage.crm import companies as crm_companies
from healthscore.storage.crm import connections
from healthscore.storage.day_logs import settle
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.nights import tombstones
from healthscore.storage.runs import attendance as decided_weeks
from healthscore.storage.runs import earlier_summary, workers
from healthscore.storage.workspace import ApiKey
from tests.conftest import fresh_tables
from tests.integration.crm.conftest import Workspace
from tests.integration.nightly.nights import LOGGER, Inline, Topic, outbox_of
from tests.support.gateway import NOW, gateway_event
from tools.fakes.hubspot import FakeHubSpot
from tools.fakes.server import VirtualClock
from tools.local import aws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


NIGHT = NOW.replace(hour=2)
ADMIN, PUBLIC = "local-admin", "local-write"


@dataclass(frozen=True)
class Customer:
    """An account, its people, and everything that any of them is called."""

    account_id: str
    path: str
    name: str
    name_before: str
    domain: str
    company: str
    user: str
    """Belongs to the account, and has visited before signing in and under an older id."""
    user_name: str
    visitor: str
    user_before: str
    colleague: str
    """Belongs to it as well."""
    guest: str
    """Known by events that name the account, and by nothing that says where it belongs."""
    uuid: str
    """An id that logs keep as raw bytes."""
    late: str
    """Belongs to it since lately, and has an event that still waits to be moved."""
    shared: str
    """Belongs to both accounts."""

    def email(self, user: str) -> str:
        return f"{user}@{self.domain}"

    @property
    def users(self) -> list[str]:
        return [self.user, self.colleague, self.guest, self.uuid]

    @property
    def people(self) -> list[str]:
        """What may be left of nobody who belonged to this account alone."""
        return [*self.users, self.visitor, self.user_before, *map(self.email, self.users), self.user_name, self.late]

    @property
    def traces(self) -> list[str]:
        """What may be left nowhere once the account is erased."""
        words = [word.lower() for word in self.name.split()]
        return [self.account_id, self.name, self.name_before, self.domain, self.company, *words, *self.people]


DOOMED = Customer(
    account_id="quixotic/1",
    path="~cXVpeG90aWMvMQ",
    name="Zanzibar Traders",
    name_before="Windmill Wares",
    domain="zanzibar-traders.example",
    company="Zbr Holding",
    user="erin-74",
    user_name="Erin Quillfeather",
    visitor="visit-5512",
    user_before="erin.old",
    colleague="olga-12",
    guest="guest-99",
    uuid="7d9f1c52-3a50-4a09-9df4-0c2f3f1a2b3c",
    late="late-40",
    shared="both-31",
)
SPARED = Customer(
    account_id="nextdoor",
    path="nextdoor",
    name="Hometown Hardware",
    name_before="Backyard Bricks",
    domain="hometown.example",
    company="Hmt Group",
    user="bert-18",
    user_name="Bert Underhill",
    visitor="visit-8813",
    user_before="bert.old",
    colleague="carl-77",
    guest="guest-11",
    uuid="0b7b1f7e-9a7d-4f0e-8d5a-5f4e3d2c1b0a",
    late="late-60",
    shared="both-31",
)
CUSTOMERS = (DOOMED, SPARED)


def ask(method: str, path: str, body: object = None, key: str = ADMIN, now: datetime = NOW) -> tuple[int, Any]:
    """What the accounts function answers."""
    response = api_function.handler(gateway_event(method, path, key=key, body=body, now=now), None)
    return response["statusCode"], json.loads(response["body"])


def send(path: str, body: object, now: datetime = NOW, key: str = ADMIN) -> dict[str, Any]:
    """Send events or calls, which must be taken."""
    response = ingest_function.handler(gateway_event("POST", path, key=key, body=body, now=now), None)
    answer: dict[str, Any] = json.loads(response["body"])
    assert (response["statusCode"], answer["rejected"]) == (200, []), answer
    return answer


def prepare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have few events seal segments, few batches make shards, and few names fill an account's room for them.

    Everything goes one after the other.
    """
    monkeypatch.setattr(daylog, "HEAD_BYTES", 400)
    monkeypatch.setattr(first_seen, "NAMES_BYTES", 60)
    monkeypatch.setattr(write_shards, "SHARD_BATCHES", 1)
    monkeypatch.setattr(matching, "WORKERS", 1)
    for module in (side_by_side, process):
        monkeypatch.setattr(module, "ThreadPoolExecutor", Inline)
    event_settings.settings.forget()
    for function in (api_function, ingest_function):
        monkeypatch.setattr(function, "find_key", CachedKeys(workspace.find_key))
    workspace.add_key(ApiKey(key_hash(ADMIN), "admin", "test", NOW, "dmin"))
    workspace.add_key(ApiKey(key_hash(PUBLIC), "write", "test", NOW, "rite"))


def _fail(*_: object) -> None:
    raise KeyError


def _unavailable(*_: object, **__: object) -> None:
    raise StorageUnavailableError("gone for a moment")


@dataclass
class Life:
    """A workspace's life, step by step."""

    fake: FakeHubSpot
    monkeypatch: pytest.MonkeyPatch

    def live(self) -> None:
        """Everything that leaves something in the tables."""
        prepare(self.monkeypatch)
        ask("PUT", "/v1/settings", {"milestones": ["report_exported"], "alerts": {"score_fell": {"points": 5}}})
        for customer in CUSTOMERS:
            self.describe(customer, customer.name_before, NOW - timedelta(days=9))
        for customer in CUSTOMERS:
            self.use(customer)
            self.merge(customer)
        self.leave_behind()
        self.night(NIGHT - timedelta(days=4), "run-4")
        for customer in CUSTOMERS:
            at_its_worst = {"open_tickets": 3, "high_priority_open": 1, "churned": True, "last_meeting_at": None}
            a_day_later = NIGHT - timedelta(days=4) + timedelta(hours=1)
            assert ask("PUT", f"/v1/accounts/{customer.path}/crm", at_its_worst, now=a_day_later)[0] == 200
        self.night(NIGHT - timedelta(days=3), "run-3")
        for customer in CUSTOMERS:
            self.describe(customer, customer.name, NIGHT - timedelta(days=3) + timedelta(hours=1))
        self.night(NIGHT - timedelta(days=2), "run-2")
        with self.monkeypatch.context() as accident:
            accident.setattr(night_account, "_score_tonight", _fail)
            self.night(NIGHT - timedelta(days=1), "run-1")
        self.connect()
        self.night(NIGHT, "run-0")
        for customer in CUSTOMERS:
            self.judge(customer)
        decided_weeks.decide(week_of(NIGHT.toordinal()) - 1, {ACTIVE_DAYS: Attendance(240, 9)})
        for customer in CUSTOMERS:
            keep_earlier_book(customer)
        keep_earlier_summary()
        with self.monkeypatch.context() as accident:
            accident.setattr(workers.writes, "delete", _unavailable)  # it is killed in the middle of its work
            with workers.under_way("run-0#0#7", NIGHT - timedelta(hours=1)):
                pass
        # An account that is still to be erased from the dataset.
        tombstones.prepare()
        tombstones.put("an account of before", NOW)

    def describe(self, customer: Customer, name: str, now: datetime) -> None:
        """What an admin enters."""
        profile = {
            "name": name,
            "owner": "kim",
            "arr": 1200,
            "champions": [customer.user, customer.user_before, customer.shared],
            "attributes": {"website": f"https://www.{customer.domain}/"},
        }
        assert ask("PUT", f"/v1/accounts/{customer.path}", profile, now=now)[0] == 200
        met = {"open_tickets": 0, "last_meeting_at": format_instant(now - timedelta(days=1)), "active_deal": True}
        assert ask("PUT", f"/v1/accounts/{customer.path}/crm", {**met, "provider": "by hand"}, now=now)[0] == 200

    def merge(self, customer: Customer) -> None:
        """An account that turns out to be the customer's, under an id of before."""
        before = f"before.{customer.domain}"
        event = {"event": "page_seen", "context": {"groupId": before}}
        calls = [self.call("track", NOW - timedelta(days=8), 5, userId=customer.colleague, **event)]
        send("/v1/batch", {"batch": calls})
        merged = {"into": customer.account_id}
        assert ask("POST", f"/v1/accounts/{before}/merge", merged)[0] == 200

    def use(self, customer: Customer) -> None:
        """What clients of both dialects send, over nine days, less and less of it."""
        before, group = NOW - timedelta(days=9), {"groupId": customer.account_id}
        visits = {"anonymousId": customer.visitor}
        calls = [
            self.call("track", before, 0, **visits, event="page_seen"),
            self.call("track", before, 1, userId=customer.user_before, event="page_seen"),
            self.call("alias", before, 2, userId=customer.user, previousId=customer.user_before),
            *(self.identify(customer, user) for user in customer.users),
            self.call("group", before, 3, userId=customer.user, **visits, **group, traits={"industry": "trade"}),
            *(
                self.call("group", before, 4, userId=user, **group)
                for user in (customer.colleague, customer.uuid, customer.shared)
            ),
        ]
        send("/v1/batch", {"batch": calls})
        who = [*customer.users, customer.shared]
        for age in range(9, 0, -1):
            day = NOW - timedelta(days=age)
            calls = [
                self.call(
                    "track",
                    day,
                    minute,
                    userId=who[minute // 4 % len(who)],
                    event="report_exported",
                    context={**group, "sessionId": f"s{minute % 7}"},
                )
                for minute in range(12 * age)
            ]
            size = 4 if age < 4 else len(calls)  # small batches make shards of the next day
            for start in range(0, len(calls), size):
                send("/v1/batch", {"batch": calls[start : start + size]})
            send("/v1/batch", {"batch": [self.call("page", day, 1, **visits, name="Home")]})
            one = {"account_id": customer.account_id, "name": "login", "user_id": customer.user}
            times = [format_instant(day + timedelta(seconds=number)) for number in range(6)]
            send("/v1/events", {"events": [{**one, "timestamp": at} for at in times]})

    def leave_behind(self) -> None:
        """Pending events: of a user whose account is known, and of an unknown user, enough for sealed blocks."""
        for customer in CUSTOMERS:  # what is said of the user is recorded, and a crash leaves the event unsettled
            send("/v1/track", self.call("track", NOW, -1, userId=customer.late, event="page_seen"))
            with self.monkeypatch.context() as accident:
                accident.setattr(settle, "settle", _unavailable)
                call = self.call("group", NOW, -1, userId=customer.late, groupId=customer.account_id)
                response = ingest_function.handler(
                    gateway_event("POST", "/v1/group", key=ADMIN, body=call, now=NOW), None
                )
                assert response["statusCode"] == 503
        stranger = [
            self.call("track", NOW, -second / 60, userId="stranger", event="page_seen") for second in range(300)
        ]
        send("/v1/batch", {"batch": stranger})
        # A proxy's address in place of a visitor's id, and a call whose time is that of its first delivery.
        signed_in = [
            self.call("identify", NOW, -1, userId=f"stranger-{number}", anonymousId="proxy")
            for number in range(USERS_A_DAY + 1)
        ]
        send("/v1/batch", {"batch": signed_in})
        send("/v1/track", {"type": "track", "messageId": "m-1", "userId": "stranger", "event": "page_seen"}, key=PUBLIC)

    def connect(self) -> None:
        """A connected CRM that has a company by hand, one by domain, two that quarrel, and one of nobody, with a date
        that cannot be read."""
        workspace = Workspace("hubspot", self.fake)
        workspace.connect(write_back=True)
        for customer in CUSTOMERS:
            self.fake.add("companies", account_id=customer.account_id, name=customer.company)
            self.fake.add("companies", domain=customer.domain, name=f"{customer.company} Ltd")
        prospect = self.fake.add("companies", domain="prospect.example", name="Prospect")
        self.fake.add("deals", prospect, dealstage="closedwon", renewal_date="Q2 2027")
        with self.monkeypatch.context() as accident:
            accident.setattr(crm_companies, "forget_seen", lambda _: None)  # it has died before
            assert workspace.sync()["state"] == "complete"
        connections.note_webhook("0" * 64, NOW)
        workspace.close()

    def night(self, at: datetime, run: str) -> None:
        """A night as the state machine runs it."""
        started = plan_scan_parts({"event": {"time": format_instant(at)}, "execution": run}, at)
        task = {**started, "segment": 0, "chunk": 0, "resume": None}
        process_task(task, at, keep_going=lambda: True, logger=LOGGER)
        publish_task(started, Invocation(at, at + timedelta(minutes=15), lambda: True))
        finish_task(started, outbox_of(Topic(), at), keep_going=lambda: True)

    def judge(self, customer: Customer) -> None:
        """What a night keeps of a champion who was not seen for a month: the history here is too short for one."""
        day = NIGHT.toordinal() - 1
        champion = Champion(ChampionState.SILENT, (customer.user,), silent_days=30)
        sighting = Sighting("champion", None, Level.YELLOW, Absence(champion, 1, few=True, day=day))
        finding = Finding(sighting, Level.YELLOW, day, day, FindingState.FIRING)
        decision = decide(Change(day, Level.OK, Level.YELLOW, (sighting,), None), Profile())
        writes.apply(risk_history.put_finding(customer.account_id, finding_json(finding, customer.account_id)))
        writes.apply(risk_history.put_decision(customer.account_id, decision.to_json()))

    def identify(self, customer: Customer, user: str) -> dict[str, Any]:
        traits = {"email": customer.email(user), "name": customer.user_name}
        return self.call("identify", NOW - timedelta(days=9), 2, userId=user, traits=traits)

    def call(self, kind: str, day: datetime, minute: float, **fields: Any) -> dict[str, Any]:
        at = format_instant(day + timedelta(minutes=minute) - timedelta(hours=8))
        return {"type": kind, "timestamp": at, **fields}


def keep_earlier_book(customer: Customer) -> None:
    """What a version before the dataset has left: a line in the account's item, and words that lead to the account."""
    dynamodb().update_item(
        TableName=schema.accounts_table(),
        Key=codec.account_key(customer.account_id),
        UpdateExpression="SET who = :who",
        ExpressionAttributeValues={":who": codec.json_text({"name": customer.name})},
    )
    for word in (customer.account_id, *customer.name.lower().split()):
        key = codec.key(schema.search_pk(word), schema.search_key(word, customer.account_id))
        dynamodb().put_item(TableName=schema.activity_table(), Item=key)


def keep_earlier_summary() -> None:
    """What a night of a version before the dataset has left: the workspace in short."""
    moved = [{"account_id": customer.account_id, "name": customer.name} for customer in CUSTOMERS]
    item = {"summary": codec.json_text({"movers": {"up": [], "down": moved}}), "summary_day": codec.text("2026-11-21")}
    dynamodb().put_item(TableName=schema.settings_table(), Item={**earlier_summary.KEY, **item})


@contextmanager
def lived_at(endpoint: str) -> Iterator[None]:
    """A workspace that has lived, on the embedded AWS at an endpoint, for as long as the context lasts."""
    with pytest.MonkeyPatch.context() as patch, FakeHubSpot(VirtualClock(NOW)) as fake:
        for _ in fresh_tables(endpoint, patch):
            Life(fake, patch).live()
            yield
        aws.clear()
