"""Events that name no account: in the own log of their id for good, and a copy where the id belongs, together."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthscore.core.day_log import log as day_log
from healthscore.core.day_log.codec import COPY
from healthscore.core.identity import places as placing
from healthscore.core.identity.places import Place
from healthscore.core.time import DAY as ONE_DAY
from healthscore.core.time import from_millis
from healthscore.storage import retries, side_by_side
from healthscore.storage.accounts import accounts
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import commit_own, commit_shard, log_items, rollups, whole_days
from healthscore.storage.day_logs.commit_gated import gate_of
from healthscore.storage.day_logs.commit_own import Counts, OwnEntries
from healthscore.storage.day_logs.log_items import SealedCache
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.errors import BeingErasedError, StorageUnavailableError
from healthscore.storage.people import ids
from healthscore.storage.schema import person_pk
from tests.integration.nightly.nights import Inline
from tests.support import interleaving
from tests.support.events import DAY, MIDNIGHT, event, naive_rollup
from tests.support.own_logs import START, TERMS, acted, commit, in_account, in_own_log, tell

ANN = "uann"


def head(id_=ANN, day=DAY):
    return log_items.read_heads(person_pk(id_), day)[0]


def copy_of(entry, label=None):
    return entry._replace(flags=entry.flags | COPY, label=label)


def test_commit__of_somebody_without_an_account__waits_in_the_own_log_alone(tables):
    entries = [acted("e1", ANN, 1), acted("e2", ANN, 2)]
    assert commit(*entries) == Counts(2, 0)
    assert in_own_log(ANN) == entries
    assert placing.decode(head().places) == (Place(0, None, None),)
    assert ids.read([ANN]).records[ANN].has_events
    assert dynamodb().scan(TableName=log_items.schema.accounts_table())["Items"] == []


def test_commit__of_somebody_with_accounts__puts_a_copy_where_each_event_counts(tables):
    tell(grouped=[(ANN, 5, "acme"), (ANN, 10, "bolt")])
    entries = [acted(f"e{minute}", ANN, minute) for minute in (0, 9, 10, 11)]
    assert commit(*entries) == Counts(4, 0)
    assert in_own_log(ANN) == entries
    assert in_account("acme") == [copy_of(one) for one in entries[:2]]
    assert in_account("bolt") == [copy_of(one) for one in entries[2:]]
    assert accounts.get("bolt").first_seen == {"page_viewed": from_millis(entries[2].at)}


def test_commit__of_a_device__labels_the_copies_with_the_user_of_the_time(tables):
    tell(grouped=[(ANN, 0, "acme"), ("ubob", 0, "acme")], identified=[("at1", 5, ANN), ("at1", 10, "ubob")])
    commit(acted("e1", "at1", 0), acted("e2", "at1", 12), acted("e3", ANN, 3))
    assert [one.label for one in in_account("acme")] == [ANN, None, "ubob"]
    assert [one.label for one in in_own_log("at1")] == [None, None]
    (found,) = rollups.rollups("acme", DAY, DAY, consistent=True)
    assert (found.people, found.sessions) == (2, 2)


def test_commit__of_the_same_events_again__changes_nothing(tables):
    tell(grouped=[(ANN, 0, "acme")])
    entries = [acted(f"e{i}", ANN, i) for i in range(50)]
    assert commit(*entries, entries[0]) == Counts(50, 1)
    before = head().version
    assert commit(*entries) == Counts(0, 50)
    assert head().version == before
    expected = naive_rollup([event(f"e{i}", i, user_id="ann") for i in range(50)])
    assert rollups.rollups("acme", DAY, DAY, consistent=True) == [expected]


def test_commit__of_more_than_a_head_holds__seals_blocks_in_both_logs(tables):
    tell(grouped=[(ANN, 0, "acme")])
    for start in (0, 300):
        commit(*(acted(f"e{i}", ANN, i) for i in range(start, start + 300)))
    commit(acted("last", ANN, 1000))
    assert head().head.blocks > 2
    assert len(in_own_log(ANN)) == len(in_account("acme")) == 601
    assert commit(*(acted(f"e{i}", ANN, i) for i in range(600))) == Counts(0, 600)


def test_commit__of_events_of_many_accounts_in_one_log__takes_several_transactions(tables, monkeypatch):
    count = 2 * commit_own.ACCOUNTS_AT_ONCE + 3
    tell(grouped=[(ANN, minute, f"account-{minute}") for minute in range(count)])
    entries = [acted(f"e{minute}", ANN, minute) for minute in range(count)]
    made = []
    dynamodb().meta.events.register("after-call.dynamodb.TransactWriteItems", lambda **_: made.append(1))
    assert commit(*entries) == Counts(count, 0)
    assert len(made) == 3
    assert in_own_log(ANN) == entries
    assert [in_account(f"account-{minute}") for minute in range(count)] == [[copy_of(one)] for one in entries]
    assert commit(*entries) == Counts(0, count)


def test_commit__of_more_ids_than_one_transaction_takes__commits_all(tables):
    people = [f"u{number}" for number in range(3 * commit_own.BEGINNINGS_AT_ONCE)]
    tell(grouped=[(user, 0, "acme") for user in people])
    entries = [acted(f"e{number}", user, number) for number, user in enumerate(people)]
    assert commit(*entries) == Counts(len(people), 0)
    assert commit(*entries, acted("late", people[0], 99)) == Counts(1, len(people))
    assert len(in_account("acme")) == len(people) + 1


def test_commit__out_of_time__commits_nothing(tables):
    with pytest.raises(StorageUnavailableError, match="out of time"):
        commit_own.commit([OwnEntries(ANN, DAY, [acted("e1", ANN)])], TERMS._replace(time_left=lambda: 0.0))
    assert in_own_log(ANN) == []


def test_commit__for_an_account_that_is_being_erased__commits_nothing(tables):
    tell(grouped=[(ANN, 0, "acme")])
    commit(acted("e1", ANN))
    erasing.mark("acme", MIDNIGHT)
    with pytest.raises(BeingErasedError):
        commit(acted("e2", ANN, 1))
    assert len(in_own_log(ANN)) == 1


def with_gate(minute, written):
    """An event whose clock named another day, with the gate for that day."""
    entry, wrong = acted("gated", ANN, minute), acted("gated", ANN, written)
    day = from_millis(entry.at).date()
    return OwnEntries(ANN, day, [entry], {entry.id: (from_millis(wrong.at).date(), gate_of(entry, wrong.at))})


def test_commit__with_a_gate__counts_once_however_its_clock_is_corrected_later(tables):
    tell(grouped=[(ANN, 0, "acme")])
    tomorrow = 24 * 60
    assert commit_own.commit([with_gate(5, tomorrow + 5)], TERMS) == Counts(1, 0)
    assert commit_own.commit([with_gate(5, tomorrow + 5)], TERMS) == Counts(0, 1)
    assert commit(acted("gated", ANN, tomorrow + 5)) == Counts(0, 1)  # as it comes in once that time has come
    assert commit_own.commit([with_gate(-3 * tomorrow, tomorrow + 5)], TERMS) == Counts(0, 1)
    assert [one.events for one in rollups.rollups("acme", DAY - 9 * ONE_DAY, DAY + ONE_DAY, consistent=True)] == [1]
    assert whole_days.read_day(person_pk(ANN), DAY + ONE_DAY)[0].counts is False


def test_commit__whose_answer_is_lost__recognises_its_own_work(tables):
    tell(grouped=[(ANN, 0, "acme")])
    commit(acted("e0", ANN))
    lost = []

    def lose(parsed, http_response, **_):
        if not lost:
            lost.append(parsed)
            http_response.status_code = 400
            parsed["Error"] = {"Code": "TransactionCanceledException", "Message": "as a repeated one would say"}
            parsed["CancellationReasons"] = [{"Code": "ConditionalCheckFailed"}]

    dynamodb().meta.events.register("after-call.dynamodb.TransactWriteItems", lose)
    assert commit(acted("e1", ANN, 1), acted("e2", ANN, 2)) == Counts(2, 0)
    dynamodb().meta.events.unregister("after-call.dynamodb.TransactWriteItems", lose)
    assert lost
    assert len(in_own_log(ANN)) == len(in_account("acme")) == 3


@pytest.fixture
def in_process(moto, monkeypatch):
    monkeypatch.setattr(day_log, "HEAD_BYTES", 260)
    monkeypatch.setattr(commit_shard, "sealed_parts", SealedCache())
    monkeypatch.setattr(side_by_side, "ThreadPoolExecutor", Inline)
    monkeypatch.setattr(retries, "time", SimpleNamespace(sleep=lambda _seconds: None))
    interleaving.watch(dynamodb())


def test_log__begun_while_it_becomes_known_where_its_id_belongs__counts_there(in_process):
    """The commit has read the record; it changes before the log begins, or before the settlement looks for logs."""
    for calls_before in range(8):
        ann, acme = f"uann-{uuid4().hex}", f"acme-{uuid4().hex}"
        turns = iter([0] * calls_before)
        interleaving.run(
            [lambda ann=ann: commit(acted("e1", ann)), lambda ann=ann, acme=acme: tell(grouped=[(ann, 0, acme)])],
            choose=lambda n, turns=turns: next(turns, n - 1),
            kill=lambda: None,
        )
        assert (len(in_own_log(ann)), len(in_account(acme))) == (1, 1), calls_before


def test_commit__killed_at_any_call__leaves_both_logs_or_neither_and_is_made_once_sent_again(in_process):
    for after in (False, True):
        for calls_before in range(9):
            ann, acme = f"uann-{uuid4().hex}", f"acme-{uuid4().hex}"
            tell(grouped=[(ann, 0, acme)])
            commit(acted("e0", ann))
            work = functools.partial(commit, *(acted(f"e{i}", ann, i) for i in range(12)))
            fates = iter([None] * calls_before + ["after" if after else "before"])
            interleaving.run([work], choose=lambda _: 0, kill=lambda fates=fates: next(fates, None))
            assert len(in_own_log(ann)) == len(in_account(acme))
            work()
            assert len(in_own_log(ann)) == len(in_account(acme)) == 12


acts = st.lists(st.tuples(st.sampled_from(["u", "a"]), st.integers(0, 90)), min_size=1, max_size=12)


@settings(max_examples=30, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(acts, st.booleans(), st.data())
def test_figures__of_writers_at_once_some_of_whom_crash__are_those_of_the_distinct_events(
    in_process, drawn, warm, data
):
    run = uuid4().hex
    user, device, acme = f"uann-{run}", f"av-{run}", f"acme-{run}"
    tell(grouped=[(user, 0, acme)], identified=[(device, 30, user)])
    commit_shard.sealed_parts = SealedCache() if warm else SealedCache(max_entries=0)
    entries = [acted(f"e{i}", user if kind == "u" else device, minute) for i, (kind, minute) in enumerate(drawn)]
    batches = data.draw(st.lists(st.lists(st.sampled_from(entries), min_size=1, max_size=6), min_size=1, max_size=4))
    works = [functools.partial(commit, *batch) for batch in batches]
    writers = interleaving.run(
        works,
        choose=interleaving.drawn(data, "writer"),
        kill=lambda: data.draw(st.sampled_from([None] * 12 + ["before", "after"]), label="kill"),
    )
    for writer, work in zip(writers, works, strict=True):
        if writer.killed:
            work()
    distinct = {one.id: one for batch in batches for one in batch}.values()
    sent = [event(str(one.id), (one.at - START) / 60_000, user_id=user[1:]) for one in distinct]
    assert rollups.rollups(acme, DAY, DAY, consistent=True) == [naive_rollup(sent)]
    assert sorted([*in_own_log(user), *in_own_log(device)]) == sorted(distinct)
