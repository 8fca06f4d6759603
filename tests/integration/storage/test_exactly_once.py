"""Exactly once, whatever happens: any order, repetition, batches, writers at once, and death at any single call."""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import UTC
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from healthscore.core.day_log import log as day_log
from healthscore.core.day_log.id_set import IdSet
from healthscore.core.time import end_of_day
from healthscore.storage import schema, writes
from healthscore.storage.accounts import accounts
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import commit_shard, log_items, rollups
from healthscore.storage.day_logs.log_items import SealedCache
from tests.support import interleaving
from tests.support.day_logs import commit
from tests.support.events import DAY, NAMES, distinct_events, event, naive_rollup

pytestmark = pytest.mark.no_cover  # it would double their time

SMALL_HEAD = 260
"""Heads this small are sealed every few events, so that short runs meet every kind of write."""


@pytest.fixture
def in_process(moto, monkeypatch):
    monkeypatch.setattr(day_log, "HEAD_BYTES", SMALL_HEAD)
    monkeypatch.setattr(commit_shard, "sealed_parts", SealedCache())
    interleaving.watch(dynamodb())


def of_this_run(one, run: str):
    """An event of people whom no other run knows: what is known of them decides how many calls a commit makes."""
    ids = {name: getattr(one, name) for name in ("user_id", "anonymous_id")}
    return replace(one, **{name: id_ and f"{run}-{id_}" for name, id_ in ids.items()})


def deliver(events, *, warm: bool, known_names: bool, data) -> None:
    """Send batches from writers at once, some of which crash; what was not acknowledged is sent again; then compare.

    Where every name has been seen before, commits are plain puts; otherwise many are transactions with the account.
    """
    account = uuid4().hex
    events = [of_this_run(one, account) for one in events]
    pk = schema.activity_pk(account)
    earlier = [event(f"first {name}", name=name) for name in NAMES] if known_names else []
    if earlier:
        commit(earlier, pk=pk)
    commit_shard.sealed_parts = SealedCache() if warm else SealedCache(max_entries=0)
    batches = data.draw(
        st.lists(st.lists(st.sampled_from(events), min_size=1, max_size=12), min_size=1, max_size=6), label="batches"
    )
    writers = interleaving.run(
        [functools.partial(commit, batch, pk=pk) for batch in batches],
        choose=interleaving.drawn(data, "writer"),
        kill=lambda: data.draw(st.sampled_from([None] * 12 + ["before", "after"]), label="kill"),
    )
    for writer, batch in zip(writers, batches, strict=True):
        if writer.killed:
            commit(batch, pk=pk)
    distinct = {one.event_id: one for batch in [earlier, *batches] for one in batch}.values()
    expected = naive_rollup(distinct)
    assert rollups.rollups(account, DAY, DAY, consistent=True) == [expected]
    assert rollups.rollup_until(account, DAY, end_of_day(DAY, UTC)) == expected
    known = accounts.get(account)
    assert known is not None
    assert known.first_seen == {
        name: min(one.at for one in distinct if one.name == name) for name in {one.name for one in distinct}
    }


def check(examples: int, *, shrink: bool = True):
    phases = tuple(Phase) if shrink else (Phase.generate,)

    @settings(
        max_examples=examples,
        deadline=None,
        phases=phases,
        derandomize=not shrink,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(distinct_events(max_size=25), st.booleans(), st.booleans(), st.data())
    def property_(events, warm, known_names, data):
        deliver(events, warm=warm, known_names=known_names, data=data)

    property_()


def test_figures__whatever_order_batches_writers_and_crashes__are_those_of_the_distinct_events(in_process):
    check(examples=100)


def test_the_check__without_the_version_condition__fails(in_process, monkeypatch):
    head_put = log_items.head_put

    def unconditional(*args, **kwargs):
        put = head_put(*args, **kwargs)
        return writes.put(put.parameters["TableName"], put.parameters["Item"])

    monkeypatch.setattr(log_items, "head_put", unconditional)
    with pytest.raises(AssertionError):
        check(examples=600, shrink=False)


def test_the_check__without_de_duplication__fails(in_process, monkeypatch):
    monkeypatch.setattr(IdSet, "__contains__", lambda _ids, _id: False)
    with pytest.raises(AssertionError):
        check(examples=300, shrink=False)


def test_the_check__with_first_seen_times_outside_the_transaction_and_not_repaired__fails(in_process, monkeypatch):
    client = dynamodb()
    together = client.transact_write_items

    def one_after_the_other(TransactItems):  # noqa: N803  (the client's own name)
        if "Update" not in TransactItems[1]:
            together(TransactItems=TransactItems)
            return
        client.put_item(**TransactItems[0]["Put"])
        client.update_item(**TransactItems[1]["Update"])

    monkeypatch.setattr(client, "transact_write_items", one_after_the_other)
    monkeypatch.setattr(commit_shard, "_make_known", lambda key, entries, stored, first_seen, terms: first_seen)
    with pytest.raises(AssertionError):
        check(examples=300, shrink=False)
