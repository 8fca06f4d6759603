"""A small workspace to run nights in, a topic that records messages, and a way to kill a process at any write."""

from __future__ import annotations

import copy
import json
import os
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Self

from aws_lambda_powertools import Logger
from moto.dynamodb.models import dynamodb_backends

from healthscore.core.alerts.model import Alert
from healthscore.core.model import Event
from healthscore.core.time import format_instant
from healthscore.services.ingestion.events import ingest
from healthscore.services.nightly.finish import finish_run, settle_held
from healthscore.services.nightly.plan import plan_run
from healthscore.services.nightly.process import process_scan_part
from healthscore.services.notifications.outbox import BATCH, Outbox
from healthscore.services.notifications.rate_limit import RateLimit
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.client import dynamodb, pages
from tests.unit.core.alerts.nights import GONE, lived
from tools.local import aws
from tools.local.cloudformation import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

TONIGHT = datetime(2026, 11, 21, 2, tzinfo=UTC)
NIGHT = timedelta(days=1)
LONG_AGO = TONIGHT - timedelta(days=100)
LOGGER = Logger(service="test", level="CRITICAL")
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "PublishBatch"}

THRIVING: dict[str, Any] = {}
_ids = count()

ABSENT = {**GONE, "seen": None}
"""Figures of an account without any event: score 0, which is what tonight's run finds where a test adds no events."""


class Killed(BaseException):
    """The process is gone."""


class Killer:
    """Kills the process before or after one of its writes and publications; after that it makes no further call."""

    def __init__(self, at: int = 0, *, after: bool = False) -> None:
        self.at, self.after = at, after
        self.writes: list[str] = []
        self.dead = False

    @classmethod
    def after_writes(cls, done: int, of: int) -> Killer:
        """Kills the process once so many of its writes are done: before the next one, or after the last."""
        return cls(done + 1) if done < of else cls(of, after=True)

    def before_call(self, operation: str) -> None:
        if self.dead:
            raise Killed
        if operation in WRITES:
            self.writes.append(operation)
            self._kill_at(operation, after=False)

    def after_call(self, operation: str) -> None:
        self._kill_at(operation, after=True)

    def _kill_at(self, operation: str, *, after: bool) -> None:
        if operation in WRITES and len(self.writes) == self.at and after == self.after:
            self.dead = True
            raise Killed

    @contextmanager
    def watching(self) -> Iterator[None]:
        def before(model, **_: object) -> None:
            self.before_call(model.name)

        def after(model, **_: object) -> None:
            self.after_call(model.name)

        events = dynamodb().meta.events
        events.register("before-call.dynamodb", before)
        events.register("after-call.dynamodb", after)
        try:
            yield
        finally:
            events.unregister("before-call.dynamodb", before)
            events.unregister("after-call.dynamodb", after)


class Topic:
    """An SNS client that accepts messages and records them, or refuses them."""

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []
        self.killer = Killer()
        self.refusals: dict[str, Exception] = {}
        """By account, or kind where there is none: the error of a batch with it, of which nothing is accepted."""
        self.lost_answers: dict[str, Exception] = {}
        """The same, for a batch that is accepted nevertheless."""
        self.failed: dict[str, bool] = {}
        """The same: not accepted while the rest of its batch is, and whether SNS calls that the sender's fault."""
        self.unanswered: set[str] = set()
        """Those that SNS accepts in a batch, and leaves out of its answer."""

    def publish_batch(self, PublishBatchRequestEntries: list[dict[str, Any]], **_: Any) -> dict[str, Any]:  # noqa: N803
        entries = [(entry, about(alert_in(entry))) for entry in PublishBatchRequestEntries]
        named = {name for _, name in entries}
        self.killer.before_call("PublishBatch")
        for name in named & self.refusals.keys():
            raise self.refusals[name]
        self.published += [entry for entry, name in entries if name not in self.failed]
        self.killer.after_call("PublishBatch")
        for name in named & self.lost_answers.keys():
            raise self.lost_answers[name]
        return {
            "Successful": [
                {"Id": entry["Id"], "MessageId": "1"}
                for entry, name in entries
                if name not in self.failed and name not in self.unanswered
            ],
            "Failed": [
                {"Id": entry["Id"], "Code": "Failed", "Message": "secret", "SenderFault": self.failed[name]}
                for entry, name in entries
                if name in self.failed
            ],
        }

    def alerts(self) -> list[Alert]:
        return [alert_in(message) for message in self.published]

    def ids(self) -> list[str]:
        return [alert.alert_id for alert in self.alerts()]

    def kinds(self) -> list[str]:
        return [alert.kind.value for alert in self.alerts()]

    def abouts(self) -> list[str]:
        return [about(alert) for alert in self.alerts()]


def alert_in(message: dict[str, Any]) -> Alert:
    return Alert.from_json(json.loads(json.loads(message["Message"])["default"]))


def about(alert: Alert) -> str:
    """The account of an alert, or its kind where it is about the whole workspace."""
    return alert.account_id or alert.kind.value


class Inline:
    """A pool that does everything at once in the caller's thread, so that a run makes its calls in a fixed order."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, work: Callable[..., Any], *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments, **named))
        except BaseException as error:  # noqa: BLE001  (as a pool does)
            future.set_exception(error)
        return future

    def map(self, work: Callable[..., Any], *arguments: Iterable[Any]) -> list[Any]:
        return list(map(work, *arguments))


def schedule(at: datetime) -> dict[str, str]:
    """The event of a run scheduled for an instant."""
    return {"time": format_instant(at)}


def night(topic: Topic, event: dict[str, Any] | None = None, *, now: datetime = TONIGHT, parts: int = 1) -> Any:
    """What the function does at a given time for one event; by default the schedule's of tonight."""
    run = plan_run(schedule(TONIGHT) if event is None else event, now)
    results = [
        process_scan_part(run, part, parts, keep_going=lambda: True, logger=LOGGER).totals for part in range(parts)
    ]
    return finish_run(run, results, outbox_of(topic, now), keep_going=lambda: True)


def outbox_of(topic: Topic, now: datetime = TONIGHT) -> Outbox:
    return Outbox(topic, "arn:aws:sns:us-east-1:123456789012:alerts", None, LOGGER, rate_limit(), clock=lambda: now)


def rate_limit() -> RateLimit:
    """A limit of whole batches that never waits."""
    return RateLimit(BATCH, clock=lambda: 0.0, wait=lambda _: None)


def sweep(topic: Topic, now: datetime) -> Any:
    """What the function does for the scheduled outbox task."""
    settle_held(lambda: True)
    return outbox_of(topic, now).send([], lambda: True)


def use(account_id: str, *instants: datetime) -> None:
    """One user of the account does something at each of these instants."""
    events = [Event(f"e{next(_ids)}", account_id, "login", at, user_id="ann") for at in instants]
    ingest(events, workspace.settings().settings, max(instants))


def account(account_id: str, *nights: dict[str, Any], since: datetime = LONG_AGO, **profile: Any) -> None:
    """An account without events, with snapshots of the nights before tonight, the last of them last night's.

    Each night is given by the figures in which it differs from a thriving one.
    """
    accounts.save_profile(account_id, lambda _: profile, since)
    for age, figures in zip(range(len(nights), 0, -1), nights, strict=True):
        kept = lived((TONIGHT - age * NIGHT).date(), **figures)
        accounts.save_score(accounts.get(account_id), kept)


def items(table: str) -> dict[tuple[str, ...], dict[str, Any]]:
    """Everything in a table, by key, without the times of claims and of sending."""
    found = {}
    for item in pages(dynamodb().scan, TableName=os.environ[table], ConsistentRead=True):
        key = tuple(item[name]["S"] for name in ("account_id", "pk", "sk") if name in item)
        found[key] = {name: value for name, value in item.items() if name not in {"sent_at", "claimed_until"}}
    return found


class Tables:
    """A copy of this process's tables and of the bucket, to restore them: much quicker than to write all again."""

    def __init__(self) -> None:
        self._backend = dynamodb_backends[ACCOUNT][REGION]
        self._kept = copy.deepcopy(self._backend.tables)
        self._objects = aws.objects(os.environ["DATASET_BUCKET"])

    def bring_back(self) -> None:
        self._backend.tables = copy.deepcopy(self._kept)
        aws.put_objects(os.environ["DATASET_BUCKET"], self._objects)
