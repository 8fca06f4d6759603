"""Moving a log's entries to another log: every event ends up there once, and the first log empty."""

from __future__ import annotations

import functools
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthscore.core.day_log import log as day_log
from healthscore.core.day_log.codec import entry
from healthscore.core.time import DAY as ONE_DAY
from healthscore.storage import schema
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import commit_day as daylogs
from healthscore.storage.day_logs import commit_shard, rollups, whole_days
from healthscore.storage.day_logs.log_items import SealedCache
from tests.support import interleaving
from tests.support.day_logs import ACME, commit_entries
from tests.support.events import DAY, MIDNIGHT, distinct_events, event, naive_rollup

ANN = schema.person_pk("uann")


def move(source, target):
    """Move a log, as is done once a person's account is known."""
    for day in whole_days.days(source):
        while whole := whole_days.read_day(source, day):
            if whole.entries:
                commit_entries(target, whole.entries, day=day)
            if whole_days.delete_day(whole, MIDNIGHT):
                break


def test_commit__to_a_persons_log__makes_no_account(tables):
    committed = commit_entries(ANN, [entry(event("e1")), entry(event("e1"))])
    assert (committed.accepted, committed.duplicates, committed.first_seen) == (1, 1, None)
    assert dynamodb().scan(TableName=schema.accounts_table())["Items"] == []


def test_days__of_a_log__are_those_with_entries(tables):
    for back in (3, 1, 2):
        commit_entries(ANN, [entry(event("e1"))], day=DAY - back * ONE_DAY)
    commit_entries(schema.person_pk("uann2"), [entry(event("e1"))])
    assert whole_days.delete_day(whole_days.read_day(ANN, DAY - 2 * ONE_DAY), MIDNIGHT)
    assert whole_days.days(ANN) == [DAY - 3 * ONE_DAY, DAY - ONE_DAY]
    assert whole_days.days("u#unobody") == []


def test_read_day__of_a_sealed_log__has_every_entry(tables):
    entries = [entry(event(f"e{i}", i)) for i in range(600)]
    commit_entries(ANN, entries)
    commit_entries(ANN, [entry(event("last", 601))])
    whole = whole_days.read_day(ANN, DAY)
    assert list(whole.entries) == [*entries, entry(event("last", 601))]
    assert len(whole.shards[0].block_keys) > 2
    assert whole_days.read_day(ANN, DAY - ONE_DAY) is None


def test_delete_day__that_grew_meanwhile__leaves_it(tables):
    commit_entries(ANN, [entry(event("e1"))])
    whole = whole_days.read_day(ANN, DAY)
    commit_entries(ANN, [entry(event("e2", 1))])
    assert not whole_days.delete_day(whole, MIDNIGHT)
    assert len(whole_days.read_day(ANN, DAY).entries) == 2


def test_delete_day__of_a_sealed_log__leaves_an_empty_head_that_expires_in_a_day(tables):
    commit_entries(ANN, [entry(event(f"e{i}", i)) for i in range(600)])
    assert whole_days.delete_day(whole_days.read_day(ANN, DAY), MIDNIGHT)
    (left,) = dynamodb().scan(TableName=schema.activity_table())["Items"]
    assert "r" not in left
    assert int(left["ttl"]["N"]) == int((MIDNIGHT + ONE_DAY).timestamp())
    assert whole_days.read_day(ANN, DAY).entries == ()


def test_commit__to_a_day_that_was_deleted_meanwhile__begins_it_again(tables, monkeypatch):
    old = [entry(event(f"old{i}", i)) for i in range(300)]
    commit_entries(ANN, old)
    stale = daylogs.read([(ANN, DAY)])
    whole = whole_days.read_day(ANN, DAY)
    monkeypatch.setattr(commit_shard, "sealed_parts", SealedCache())
    assert whole_days.delete_day(whole, MIDNIGHT)
    assert commit_entries(ANN, old, reading=stale).accepted == 300
    assert list(whole_days.read_day(ANN, DAY).entries) == old


def test_rollups__of_a_day_that_was_deleted__leave_it_out(tables):
    commit_entries(ACME, [entry(event("e1"))])
    commit_entries(ACME, [entry(event("e1"))], day=DAY - 2 * ONE_DAY)
    whole_days.delete_day(whole_days.read_day(ACME, DAY), MIDNIGHT)
    assert [one.day for one in rollups.rollups("acme", DAY - ONE_DAY, DAY, consistent=True)] == []
    assert rollups.last_rollup_before("acme", DAY + ONE_DAY, consistent=True).day == DAY - 2 * ONE_DAY


@pytest.fixture
def in_process(moto, monkeypatch):
    monkeypatch.setattr(day_log, "HEAD_BYTES", 260)
    monkeypatch.setattr(commit_shard, "sealed_parts", SealedCache())
    interleaving.watch(dynamodb())


def shuffle_about(events, *, warm, data):
    """Writers commit to a person's log while movers empty it into an account's; all take turns, and some crash."""
    person, account = schema.person_pk(f"u{uuid4().hex}"), uuid4().hex
    target = schema.activity_pk(account)
    commit_shard.sealed_parts = SealedCache() if warm else SealedCache(max_entries=0)
    batches = data.draw(
        st.lists(st.lists(st.sampled_from(events), min_size=1, max_size=12), min_size=1, max_size=4), label="batches"
    )
    works = [functools.partial(commit_entries, person, [entry(one) for one in batch]) for batch in batches]
    works += [functools.partial(move, person, target)] * data.draw(st.integers(1, 3), label="movers")
    writers = interleaving.run(
        works,
        choose=lambda n: data.draw(st.integers(0, n - 1), label="writer"),
        kill=lambda: data.draw(st.sampled_from([None] * 12 + ["before", "after"]), label="kill"),
    )
    for writer, work in zip(writers, works, strict=True):
        if writer.killed:
            work()
    move(person, target)
    distinct = {one.event_id: one for batch in batches for one in batch}.values()
    assert rollups.rollups(account, DAY, DAY, consistent=True) == [naive_rollup(distinct)]
    assert whole_days.days(person) == []


@settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(distinct_events(max_size=20), st.booleans(), st.data())
def test_moving__while_others_write_and_crash__loses_and_doubles_nothing(in_process, events, warm, data):
    shuffle_about(events, warm=warm, data=data)


def test_tables__of_tests__keep_items_whose_time_is_up(tables):
    """Tests live in a past of their own: DynamoDB Local would delete under their hands what expires in it."""
    found = dynamodb().describe_time_to_live(TableName=schema.activity_table())
    assert found["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
