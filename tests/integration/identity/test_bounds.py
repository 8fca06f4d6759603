"""Work is bounded by the request: the largest end in time, or are answered 503 and go on when they are sent again."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from aws_lambda_powertools import Logger

from healthscore.core.identity.calls import Alias, GroupCall, Identification, ParsedCalls
from healthscore.core.time import millis
from healthscore.services.ingestion import pending_events
from healthscore.services.ingestion.identity import Tracker
from healthscore.services.nightly.plan import plan_run
from healthscore.services.nightly.process import process_scan_part
from healthscore.settings import Settings
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import rollups
from healthscore.storage.errors import StorageUnavailableError
from tests.conftest import fresh_tables
from tests.integration.identity.calls import tracked
from tests.support.events import DAY, MIDNIGHT

pytestmark = [pytest.mark.slow, pytest.mark.dynamodb_local]

NOW = MIDNIGHT + timedelta(days=3)
START = millis(MIDNIGHT)
DEADLINE = 8.0
"""Seconds that a request has: the clients of Segment and RudderStack give up after ten."""
TRIES = 40
"""Times that a request which is answered 503 is sent, on a machine however busy: each makes progress."""
LOGGER = Logger(service="test", level="CRITICAL")
MANY, MANY_ALIASES, SOME = 2500, 1600, 300


def send(**calls) -> int:
    """Send calls until they are answered 200; answers how often that was."""
    for tries in range(1, TRIES + 1):
        end = time.monotonic() + DEADLINE
        try:
            Tracker(Settings(), NOW, lambda end=end: end - time.monotonic()).record(ParsedCalls(**calls))
        except StorageUnavailableError:
            continue
        return tries
    raise AssertionError("it makes no progress")


@pytest.fixture
def local_tables(dynamodb_local_endpoint, monkeypatch):
    yield from fresh_tables(dynamodb_local_endpoint, monkeypatch)


@pytest.fixture
def largest_transaction(local_tables):
    """The actions of the largest transaction so far."""
    sizes = [0]
    events = dynamodb().meta.events
    hook = lambda params, **_: sizes.append(len(params["TransactItems"]))  # noqa: E731  (the hook's own arguments)
    events.register("provide-client-params.dynamodb.TransactWriteItems", hook)
    yield lambda: max(sizes)
    events.unregister("provide-client-params.dynamodb.TransactWriteItems", hook)


def test_calls__of_the_largest_sizes__are_recorded_in_time_and_the_night_runs_with_all_of_them(largest_transaction):
    send(tracked_events=[tracked("e1", "ubusy", 5), tracked("e2", "aphone7", 6), tracked("e3", "uold3", 7)])
    send(identifications=[Identification(f"aphone{n}", START + n, f"uof{n}") for n in range(MANY)])
    send(identifications=[Identification(f"atablet{n}", START + n, "ubusy") for n in range(SOME)])
    send(identifications=[Identification("akiosk", START + n, f"uat{n}") for n in range(SOME)])
    send(group_calls=[GroupCall("ubusy", START + n * 60_000, f"account{n}") for n in range(MANY)])
    send(group_calls=[GroupCall("uof7", START + n, "acme") for n in range(SOME)])
    send(group_calls=[GroupCall(f"uof{n}", START + n, "acme") for n in range(SOME)])
    send(aliases=[Alias(f"uold{n}", START + n, "uhub") for n in range(MANY_ALIASES)])
    send(aliases=[Alias(f"ulink{n}", START + n, f"ulink{n + 1}") for n in range(SOME)])
    send(group_calls=[GroupCall("uold77", START, "bolt")])
    send(tracked_events=[tracked("e4", "atablet9", 12), tracked("e5", "ulink0", 9, "acme"), tracked("e6", "uhub", 8)])
    assert largest_transaction() <= 100

    assert pending_events.sweep(Settings(), NOW, keep_going=lambda: True, logger=LOGGER)["failed"] == 0
    run = plan_run({}, NOW)
    result = process_scan_part(run, 0, 1, keep_going=lambda: True, logger=LOGGER)
    assert result.totals.failed == 0
    counted = {
        account: sum(day.events for day in rollups.rollups(account, DAY, DAY, consistent=True))
        for account in ("account5", "account12", "acme", "bolt")
    }
    assert counted == {"account5": 1, "account12": 1, "acme": 2, "bolt": 2}
