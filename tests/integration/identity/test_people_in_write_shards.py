"""People of an account whose day is split into shards: a commit goes shard by shard, and may be overtaken in
between."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from uuid import uuid4

import pytest

from healthscore.core.day_log import shards as write_shards
from healthscore.core.identity.calls import PersonMembership
from healthscore.core.time import DAY as ONE_DAY
from healthscore.services.ingestion import identity
from healthscore.storage import retries
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import commit_day as daylogs
from healthscore.storage.schema import activity_pk
from tests.integration.identity.calls import START, calls_of, entries_of, record, tracked
from tests.support import interleaving
from tests.support.events import DAY

PEOPLE = 6
TODAY = DAY + ONE_DAY


@pytest.fixture
def in_process(moto, monkeypatch):
    monkeypatch.setattr(write_shards, "SHARD_BATCHES", 1)
    monkeypatch.setattr(retries, "time", SimpleNamespace(sleep=lambda _seconds: None))
    interleaving.watch(dynamodb())


def overtaken_delivery(calls_before: int) -> Counter[int]:
    """Send a batch of several people twice; after so many calls of the one, the other says that a person was elsewhere.

    Returns:
        How often each event stands in the accounts in the end, less once.
    """
    run = uuid4().hex[:8]
    people = [f"u{number}-{run}" for number in range(PEOPLE)]
    here, elsewhere = f"acme-{run}", f"bolt-{run}"
    record(calls_of([PersonMembership(person, START, here) for person in people]))
    for number, person in enumerate(people):  # many narrow batches: today is worth shards
        record(calls_of([tracked(f"y{number}", person, number)]))
    sent = [tracked(f"e{number}", person, 1440 + number) for number, person in enumerate(people)]
    turns = iter([0] * calls_before)
    interleaving.run(
        [
            lambda: record(calls_of(sent)),
            lambda: record(calls_of([PersonMembership(people[2], START + 60_000, elsewhere), *sent])),
        ],
        choose=lambda count: next(turns, count - 1),
        kill=lambda: None,
    )
    log = activity_pk(here)
    assert daylogs.read([(log, TODAY)]).head(log, TODAY).head.shards > 1
    found = Counter(one.id for account in (here, elsewhere) for one in entries_of(activity_pk(account)))
    found.subtract(one.entry.id for one in sent)
    found.subtract(tracked(f"y{number}", person, number).entry.id for number, person in enumerate(people))
    return found


def test_events__of_people_in_several_shards_one_of_whom_was_elsewhere__count_once(in_process):
    for calls_before in range(3, 13, 2):
        assert set(overtaken_delivery(calls_before).values()) == {0}, calls_before


def test_the_check__without_the_version_check__fails(in_process, monkeypatch):
    monkeypatch.setattr(identity, "VersionCheck", lambda _versions: None)
    assert set(overtaken_delivery(4).values()) != {0}
