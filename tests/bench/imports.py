"""The speed of an import of history: batches with events of many days of hundreds of accounts."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING
from unittest import mock

from botocore.config import Config
from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends

from healthscore import process
from healthscore.core.model import Event
from healthscore.core.time import DAY
from healthscore.services.ingestion.events import ingest
from healthscore.settings import Settings
from healthscore.storage import client
from healthscore.storage.client import dynamodb
from tests.bench import engine
from tests.bench.measuring import Section, Table
from tests.support.gateway import NOW
from tools.local import aws
from tools.local.cloudformation import ACCOUNT, REGION
from tools.local.dynamodb import EmbeddedDynamoDB

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ACCOUNTS, DAYS = 200, 60
NAMES = ("login", "page_viewed", "report_exported", "account_created", "first_feature_used")
BATCH = 500
FAR = 0.005
"""Seconds until an answer of DynamoDB arrives in Lambda."""
LONG_TIMEOUT = 300
"""Seconds that the client waits for moto, which answers sixteen calls at once one after the other."""


def measure(
    *, stored: Sequence[int] = (0, 20_000, 50_000), timed: int = 2_000, plainly: int = 400, far_batches: int = 4
) -> Section:
    """Import on the embedded DynamoDB, on unmodified moto, and with the delay of DynamoDB in AWS.

    Args:
        stored: how many events are stored before each measurement, ascending.
        timed: how many events each measurement imports.
        plainly: how many of these on unmodified moto, which is slow.
        far_batches: how many batches are timed with the delay `FAR`.
    """
    history = _history(Random(1))
    rows, figures = [], {}
    with _embedded():
        done = 0
        for before in stored:
            while done < before:
                done += _import(history, min(BATCH, before - done)).events
            with _as_moto_comes():
                plain = _import(history, plainly)
            ours = _import(history, timed)
            done += plain.events + ours.events
            row = [f"{before:,}", f"{ours.rate:,.0f}", f"{ours.cpu:.2f}", f"{plain.rate:,.1f}", f"{plain.cpu:,.1f}"]
            rows.append([*row, f"{plain.cpu / ours.cpu:.0f}"])
            figures |= {f"import {before}": ours.cpu, f"plain import {before}": plain.cpu}
        dynamodb().meta.events.register_first("before-call.dynamodb", lambda **_: time.sleep(FAR))
        far = _import(history, far_batches * BATCH)
    figures["import far"] = 1000 / far.rate
    headings = ["events stored before", "events a second", "CPU ms an event", "moto as it comes", "its CPU ms", "ratio"]
    return Section(
        "An import of history",
        [_ABOUT.format(accounts=ACCOUNTS, days=DAYS, batch=BATCH), Table(headings, rows), _FAR.format(rate=far.rate)],
        figures,
    )


_ABOUT = """{accounts} accounts, {days} days, five event names, in random order, in batches of {batch}: nearly every
event is of another day and another account, which is the most expensive case. The engine is the embedded one of
`make run` and of the tests, in the same process as the functions, and its CPU is counted. *Moto as it comes* is
moto's own backend and web server over the same tables in the same run, without the excerpts and the direct calls of
[`tools/local/dynamodb.py`](../tools/local/dynamodb.py); it keeps our faster reading of expressions, so the real ratios
are higher. At the beginning, accounts and event names are new, so events cost more there."""
_FAR = """Where each answer takes 5 ms, as on DynamoDB in AWS, one process takes {rate:,.0f} events a second of such an
import, with sixteen accounts in parallel, including the engine's work in the same process. Lambda runs parallel
requests in further processes."""


@dataclass
class _Took:
    events: int
    wall: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        return self.events / self.wall

    @property
    def cpu(self) -> float:
        """Milliseconds an event."""
        return 1000 * self.cpu_seconds / self.events


def _import(history: Iterator[Event], count: int) -> _Took:
    events = [next(history) for _ in range(count)]
    accepted, wall, cpu = 0, time.perf_counter(), time.process_time()
    for start in range(0, count, BATCH):
        accepted += ingest(events[start : start + BATCH], Settings(), NOW).accepted
    assert accepted == count
    return _Took(count, time.perf_counter() - wall, time.process_time() - cpu)


def _history(random: Random) -> Iterator[Event]:
    number = 0
    while True:
        number += 1
        yield Event(
            event_id=f"e{number}",
            account_id=f"account-{random.randrange(ACCOUNTS)}",
            user_id=f"user-{random.randrange(1000)}",
            name=random.choice(NAMES),
            at=NOW - timedelta(milliseconds=random.randrange(DAYS * (DAY // timedelta(milliseconds=1)))),
        )


@contextmanager
def _embedded() -> Iterator[None]:
    """Tables on the embedded DynamoDB, with the environment that points to it."""
    before = dict(os.environ)
    with aws.running() as endpoint:
        os.environ.update(engine.environment(endpoint))
        process.forget()
        engine.fresh_tables()
        yield
        engine.drop_tables()
    os.environ.clear()
    os.environ.update(before)
    process.forget()


@contextmanager
def _as_moto_comes() -> Iterator[None]:
    """The same tables, served by moto's own backend, over its own web server, and a client that waits for it."""
    backend = dynamodb_backends[ACCOUNT][REGION]
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    backend.__class__ = DynamoDBBackend
    aws._running.discard(endpoint)
    process.forget()
    with mock.patch.object(client, "Config", lambda **options: Config(**options | {"read_timeout": LONG_TIMEOUT})):
        yield
    process.forget()
    aws._running.add(endpoint)
    backend.__class__ = EmbeddedDynamoDB
