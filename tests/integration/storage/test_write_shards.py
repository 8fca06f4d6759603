"""Days in shards: the first writer decides how many, and no figure depends on it."""

from __future__ import annotations

import functools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthscore.core.day_log import log as day_log
from healthscore.core.day_log import shards as write_shards
from healthscore.core.time import DAY as ONE_DAY
from healthscore.core.time import end_of_day
from healthscore.storage import reads, schema
from healthscore.storage.accounts import accounts
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import commit_day as daylogs
from healthscore.storage.day_logs import commit_shard, rollups, whole_days
from healthscore.storage.day_logs.log_items import SealedCache, StoredHead
from tests.support import interleaving
from tests.support.day_logs import ACME, TERMS, commit
from tests.support.events import DAY, distinct_events, event, naive_rollup

YESTERDAY = DAY - ONE_DAY


def of_yesterday(events):
    return [replace(one, at=one.at - ONE_DAY) for one in events]


def heads(day=DAY):
    request = reads.partition(schema.activity_table(), ACME, between=schema.day_range(day, day))
    items = dynamodb().query(**request)["Items"]
    return {schema.parse_day_key(item["sk"]["S"])[1]: item for item in items}


@pytest.fixture
def hot(tables, monkeypatch):
    """An account with a day of five batches behind it, and shards that are worth it from the second batch on."""
    monkeypatch.setattr(write_shards, "SHARD_BATCHES", 1)
    for i in range(5):
        commit(of_yesterday([event(f"y{i}", i, user_id=f"u{i}")]), day=YESTERDAY)


def crowd(count, first=0):
    return [event(f"e{i}", i % 1440, user_id=f"user-{i % 40}", name=f"n{i % 3}") for i in range(first, first + count)]


def test_day__after_a_day_of_few_batches__has_one_shard_and_one_put_a_batch(tables):
    commit(of_yesterday([event("y", user_id="ann")]), day=YESTERDAY)
    commit(crowd(40))
    assert list(heads()) == [0]
    assert daylogs.read([(ACME, DAY)], TERMS.now).head(ACME, DAY).head.shards == 1


def test_day__after_a_day_of_few_batches_that_met__has_more_shards(tables, monkeypatch):
    monkeypatch.setattr(write_shards, "SHARD_BATCHES", write_shards.CONFLICT_WEIGHT)
    commit(of_yesterday([event("y0", user_id="ann")]), day=YESTERDAY)
    old = daylogs.read([(ACME, YESTERDAY)], TERMS.now)
    commit(of_yesterday([event("y1", 1, user_id="ann")]), day=YESTERDAY)
    assert daylogs.read([(ACME, DAY)], TERMS.now).head(ACME, DAY).head.shards == 1
    commit(of_yesterday([event("y2", 2, user_id="ann")]), day=YESTERDAY, reading=old)
    assert daylogs.read([(ACME, DAY)], TERMS.now).head(ACME, DAY).head.shards == 2


def test_day__after_a_day_of_many_batches__is_split_and_adds_up(hot):
    events = crowd(400)
    for start in range(0, 400, 50):
        assert commit(events[start : start + 50]).accepted == 50
    assert commit(events).duplicates == 400
    assert len(heads()) == 8
    expected = naive_rollup(events)
    assert rollups.rollups("acme", YESTERDAY, DAY, consistent=True)[1] == expected
    assert rollups.rollup_until("acme", DAY, end_of_day(DAY, UTC)) == expected
    assert rollups.last_rollup_before("acme", DAY + ONE_DAY, consistent=True) == expected
    assert rollups.last_rollup_before("acme", DAY, consistent=True).day == YESTERDAY
    assert set(accounts.get("acme").first_seen) == {"page_viewed", "n0", "n1", "n2"}


def test_load__of_a_day_in_shards__counts_each_batch_once(hot):
    for start in range(0, 90, 10):
        commit(crowd(10, start))
    commit(crowd(90))
    reading = daylogs.read([(ACME, DAY + ONE_DAY)], TERMS.now)
    assert reading.head(ACME, DAY + ONE_DAY).head.shards == 1  # each batch was of ten people
    for i in range(100):
        commit([event(f"late{i}", i, user_id="ann")])
    assert daylogs.read([(ACME, DAY + ONE_DAY)], TERMS.now).head(ACME, DAY + ONE_DAY).head.shards == 32


def test_shards__decided_by_the_first_writer__hold_for_one_who_would_have_decided_otherwise(hot):
    many = daylogs.read([(ACME, DAY)], TERMS.now)
    few = many._replace(heads=dict.fromkeys(many.heads, StoredHead(None, day_log.EMPTY_HEAD)))
    events = crowd(60)
    commit(events[:20], reading=few)
    commit(events[10:40], reading=many)
    commit(events[30:])
    assert list(heads()) == [0]
    assert rollups.rollups("acme", DAY, DAY, consistent=True) == [naive_rollup(events)]


def test_shards__of_a_day_begun_meanwhile__are_read_from_its_head(hot):
    many = daylogs.read([(ACME, DAY)], TERMS.now)
    few = many._replace(heads=dict.fromkeys(many.heads, StoredHead(None, day_log.EMPTY_HEAD)))
    events = crowd(60)
    commit(events[:20], reading=many)
    commit(events[10:40], reading=few)
    assert len(heads()) == 8
    assert rollups.rollups("acme", DAY, DAY, consistent=True) == [naive_rollup(events[:40])]


def test_day__that_was_begun_and_nothing_more__is_no_active_day(hot):
    def crash(**_):
        raise interleaving.Killed

    reading = daylogs.read([(ACME, DAY)], TERMS.now)
    dynamodb().meta.events.register("before-call.dynamodb.BatchGetItem", crash)
    with pytest.raises(interleaving.Killed):
        commit([event("e1", user_id="user-1")], reading=reading)
    dynamodb().meta.events.unregister("before-call.dynamodb.BatchGetItem", crash)
    assert list(heads()) == [0]
    assert rollups.rollups("acme", DAY, DAY, consistent=True) == []
    assert rollups.rollup_until("acme", DAY, end_of_day(DAY, UTC)) is None
    assert rollups.last_rollup_before("acme", DAY + ONE_DAY, consistent=True).day == YESTERDAY
    assert whole_days.days(ACME) == [YESTERDAY]


def test_commit__to_shards_by_many_writers_at_once__loses_and_doubles_nothing(hot):
    events = crowd(400)
    batches = [events[start : start + 20] for start in range(0, 400, 10)]
    with ThreadPoolExecutor(8) as pool:
        waiting = functools.partial(commit, terms=TERMS._replace(sleep=time.sleep))
        committed = list(pool.map(waiting, batches))
    assert sum(one.accepted for one in committed) == 400
    assert rollups.rollups("acme", DAY, DAY, consistent=True) == [naive_rollup(events)]


@pytest.fixture
def in_process(moto, monkeypatch):
    monkeypatch.setattr(day_log, "HEAD_BYTES", 260)
    monkeypatch.setattr(commit_shard, "sealed_parts", SealedCache())
    interleaving.watch(dynamodb())


@settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(distinct_events(max_size=25), st.booleans(), st.data())
def test_figures__whatever_each_writer_would_decide__are_those_of_the_distinct_events(in_process, events, warm, data):
    pk = schema.activity_pk(account := uuid4().hex)
    commit_shard.sealed_parts = SealedCache() if warm else SealedCache(max_entries=0)
    batches = data.draw(
        st.lists(st.lists(st.sampled_from(events), min_size=1, max_size=12), min_size=1, max_size=5), label="batches"
    )

    def write(batch, wanted):
        reading = daylogs.read([(pk, DAY)], TERMS.now)
        if reading.head(pk, DAY).version is None:
            beginning = StoredHead(None, day_log.Head(shards=wanted))
            reading = reading._replace(heads=dict.fromkeys(reading.heads, beginning))
        commit(batch, pk=pk, reading=reading)

    works = [functools.partial(write, batch, data.draw(st.sampled_from([1, 2, 4, 32]))) for batch in batches]
    writers = interleaving.run(
        works,
        choose=interleaving.drawn(data, "writer"),
        kill=lambda: data.draw(st.sampled_from([None] * 12 + ["before", "after"]), label="kill"),
    )
    for writer, work in zip(writers, works, strict=True):
        if writer.killed:
            work()
    distinct = {one.event_id: one for batch in batches for one in batch}.values()
    expected = naive_rollup(distinct)
    assert rollups.rollups(account, DAY, DAY, consistent=True) == [expected]
    assert rollups.rollup_until(account, DAY, end_of_day(DAY, UTC)) == expected
    assert accounts.get(account).first_seen == {
        name: min(one.at for one in distinct if one.name == name) for name in {one.name for one in distinct}
    }
