"""Commits that an erasure passes by: the log and the account's first-seen times say the same in the end."""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace

import pytest

from healthscore.core.day_log import log as day_log
from healthscore.core.time import DAY as ONE_DAY
from healthscore.storage import conditions, reads, retries, schema
from healthscore.storage.accounts import accounts
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import commit_day as daylogs
from healthscore.storage.day_logs import rollups
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.errors import BeingErasedError
from tests.support.day_logs import ACME, TERMS, commit
from tests.support.events import DAY, MIDNIGHT, event

LOGIN, EXPORT = event("e1", 1, name="login"), event("e2", 2, name="export")


def read(day=DAY):
    return daylogs.read([(ACME, day)], TERMS.now)


def erase():
    erasing.mark("acme", MIDNIGHT)
    assert erasing.erase("acme", MIDNIGHT, lambda: True)[1]


def test_commit__read_before_the_account_was_erased_and_created_again__is_known_to_the_new_account(moto):
    commit([LOGIN])
    tomorrow = DAY + ONE_DAY
    early, reading = event("e3", 24 * 60, name="login"), read(tomorrow)
    erase()
    commit([EXPORT])
    assert commit([early], reading=reading, day=tomorrow).accepted == 1
    assert accounts.get("acme").first_seen == {"export": EXPORT.at, "login": early.at}


def test_commit__that_crashed_after_its_put_while_the_account_was_erased__is_known_once_it_is_sent_again(
    moto,
):
    commit([LOGIN])
    dynamodb().delete_item(TableName=schema.accounts_table(), Key={"account_id": {"S": "acme"}})
    committed = commit([LOGIN])
    assert (committed.accepted, committed.duplicates) == (0, 1)
    assert accounts.get("acme").first_seen == {"login": LOGIN.at}


@pytest.mark.parametrize("ignores", [False, True], ids=["heeds the mark", "ignores it"])
def test_commit__to_an_account_whose_logs_are_erased_already__is_refused_by_the_mark_alone(moto, monkeypatch, ignores):
    commit([LOGIN])
    tomorrow = DAY + ONE_DAY
    late, batch_get = event("e3", 24 * 60, name="export"), reads.batch_get
    refused, steps_without_logs = [], count()

    def commit_once_the_logs_are_gone():
        if not rollups.rollups("acme", DAY, DAY, consistent=True) and next(steps_without_logs) == 1:
            try:
                commit([late], day=tomorrow)
                refused.append(False)
            except BeingErasedError:
                refused.append(True)
        return True

    def unmarked(*args):
        return [
            (table, {name: item[name] for name in item if name != schema.ERASING}) for table, item in batch_get(*args)
        ]

    if ignores:
        monkeypatch.setattr(reads, "batch_get", unmarked)
        monkeypatch.setattr(conditions, "TAKES_WRITES", conditions.absent("no_such_attribute"))
    erasing.mark("acme", MIDNIGHT)
    assert erasing.erase("acme", MIDNIGHT, commit_once_the_logs_are_gone)[1]
    assert refused == [not ignores]
    assert bool(rollups.rollups("acme", tomorrow, tomorrow, consistent=True)) == ignores


def test_commit__whose_block_an_erasure_deletes_at_once__takes_it_back_all_the_same(moto, monkeypatch):
    monkeypatch.setattr(day_log, "HEAD_BYTES", 260)
    monkeypatch.setattr(retries, "time", SimpleNamespace(sleep=lambda _seconds: None))
    commit([LOGIN])
    reading, client = read(), dynamodb()
    erasing.mark("acme", MIDNIGHT)
    client.delete_item(TableName=schema.activity_table(), Key={"pk": {"S": ACME}, "sk": {"S": schema.day_key(DAY, 0)}})
    met = []

    def conflict(parsed, http_response, **_):
        client.meta.events.unregister("after-call.dynamodb.DeleteItem", conflict)
        http_response.status_code = 400
        parsed["Error"] = {"Code": "TransactionConflictException", "Message": "a transaction is under way"}
        met.append(True)

    client.meta.events.register("after-call.dynamodb.DeleteItem", conflict)
    with pytest.raises(BeingErasedError):
        commit([event(f"late{i}", i, name="login") for i in range(40)], reading=reading)
    assert met == [True]
    assert client.scan(TableName=schema.activity_table())["Items"] == []


@pytest.fixture
def hot(moto, monkeypatch):
    """Days after one with a batch are in shards."""
    monkeypatch.setattr("healthscore.core.day_log.shards.SHARD_BATCHES", 1)


def people(count, name, day=DAY):
    """An event of each of some people, who lie in different shards."""
    minutes = (day - DAY) // ONE_DAY * 24 * 60
    return [event(f"{name}{day}{i}", minutes + i, name=name, user_id=f"person-{i}") for i in range(count)]


@pytest.mark.parametrize("begun", [False, True])
def test_commit__to_a_day_in_shards_read_before_the_account_was_created_again__is_known_to_the_new_account(hot, begun):
    tomorrow = DAY + ONE_DAY
    for one in people(5, "login"):
        commit([one])
    after = people(8, "login", tomorrow)
    reading = read(tomorrow)
    assert reading.head(ACME, tomorrow).head.shards > 1
    erase()
    commit([EXPORT])
    if begun:
        commit(people(1, "export", tomorrow), reading=reading, day=tomorrow)
    assert commit(after, reading=reading, day=tomorrow).accepted == 8
    assert sum(one.events for one in rollups.rollups("acme", tomorrow, tomorrow, consistent=True)) == 8 + begun
    assert set(accounts.get("acme").first_seen) == {"export", "login"}
    assert accounts.get("acme").first_seen["login"] == after[0].at
