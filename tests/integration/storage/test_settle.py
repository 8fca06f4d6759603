"""Settling: what an id did counts where it belongs by what is known now, and nowhere else."""

from __future__ import annotations

import functools
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest

from healthscore.core.day_log import log as day_log
from healthscore.core.day_log import shards as write_shards
from healthscore.core.day_log.codec import COPY, entry
from healthscore.core.identity.people import memberships
from healthscore.core.time import DAY as ONE_DAY
from healthscore.storage import retries, schema, side_by_side
from healthscore.storage.accounts import accounts
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.day_logs import log_items, rewrite, rollups, settle, whole_days
from healthscore.storage.day_logs.transaction import Transaction
from healthscore.storage.errors import ConditionFailedError, StorageUnavailableError
from healthscore.storage.people import ids, unsettled
from healthscore.storage.schema import activity_pk
from tests.integration.nightly.nights import Inline
from tests.support import day_logs, interleaving
from tests.support.events import DAY, MIDNIGHT, event
from tests.support.own_logs import TERMS, acted, commit, in_account, in_own_log, tell

ANN, BOB = "uann", "ubob"
A_DAY = 24 * 60


def named(account_id, *events, day=DAY):
    """Commit events that name their account."""
    day_logs.commit(events, pk=activity_pk(account_id), day=day)


def events_of(account_id):
    return {
        one.day: one.events
        for one in rollups.rollups(account_id, DAY - 9 * ONE_DAY, DAY + 9 * ONE_DAY, consistent=True)
    }


def blocks_of(pk):
    items = pages(
        dynamodb().query, **log_items.reads.partition(schema.activity_table(), pk, prefix=schema.BLOCKS_PREFIX)
    )
    return [item["sk"]["S"] for item in items]


def test_settle__once_it_is_known_where_somebody_belongs__copies_what_waits(tables):
    entries = [acted(f"e{i}", ANN, i * A_DAY / 4) for i in range(8)]
    commit(*entries)
    tell(grouped=[(ANN, 0, "acme")])
    assert in_account("acme") == [one._replace(flags=COPY) for one in entries]
    assert in_own_log(ANN) == entries
    assert events_of("acme") == {DAY: 4, DAY + ONE_DAY: 4}


def test_settle__of_an_earlier_membership__moves_the_copies_behind_it_alone(tables):
    tell(grouped=[(ANN, 0, "acme")])
    commit(*(acted(f"e{i}", ANN, 10 * i) for i in range(6)))
    tell(grouped=[(ANN, 25, "bolt")])
    assert [len(in_account(account)) for account in ("acme", "bolt")] == [3, 3]
    tell(grouped=[(ANN, 45, "acme")])
    assert [len(in_account(account)) for account in ("acme", "bolt")] == [4, 2]
    assert commit(*(acted(f"e{i}", ANN, 10 * i) for i in range(7))).accepted == 1


def test_settle__of_many_sealed_entries__leaves_no_block_that_no_head_leads_to(tables):
    tell(grouped=[(ANN, 0, "acme")])
    commit(*(acted(f"e{i}", ANN, i) for i in range(300)))
    assert len(blocks_of(activity_pk("acme"))) == 2
    tell(grouped=[(ANN, -5, "bolt"), (ANN, 0, "bolt"), (ANN, 1000, "acme")])
    assert (in_account("acme"), blocks_of(activity_pk("acme"))) == ([], [])
    assert len(in_account("bolt")) == 300
    assert events_of("acme") == {}


def test_settle__that_takes_first_events_away__finds_the_next_ones_on_this_or_later_days(tables):
    tell(grouped=[(ANN, 0, "acme"), (BOB, 0, "acme")])
    commit(acted("e1", ANN, 0, name="login"), acted("e2", ANN, 1, name="export"), acted("e3", ANN, 2, name="invite"))
    commit(acted("e4", BOB, 30, name="login"), acted("e5", BOB, 2 * A_DAY, name="export"))
    tell(grouped=[(ANN, 0, "bolt"), (ANN, 4 * A_DAY, "acme")])
    assert accounts.get("acme").first_seen == {
        "login": MIDNIGHT + timedelta(minutes=30),
        "export": MIDNIGHT + timedelta(days=2),
    }
    assert set(accounts.get("bolt").first_seen) == {"login", "export", "invite"}


def test_settle__that_takes_nothing_first_away__leaves_first_seen_times(tables):
    tell(grouped=[(ANN, 0, "acme"), (BOB, 0, "acme")])
    commit(acted("e1", ANN, 5, name="login"), acted("e2", BOB, 5, name="login"), acted("e3", BOB, 1, name="export"))
    tell(grouped=[(ANN, 0, "bolt")])
    assert accounts.get("acme").first_seen == {
        "login": MIDNIGHT + timedelta(minutes=5),
        "export": MIDNIGHT + timedelta(minutes=1),
    }


def test_settle__of_events_that_name_their_account__labels_them_and_leaves_them_there(tables):
    tell(grouped=[(ANN, 0, "bolt")])
    named("acme", event("e1", 0, anonymous_id="v"), event("e2", 20, user_id="ann.old"), event("e3", 40, user_id="ann"))
    named("acme", event("e4", A_DAY, anonymous_id="v"), day=DAY + ONE_DAY)
    tell(identified=[("av", 0, ANN)], aliases=[("uann.old", ANN)])
    stands = ids.read([ANN]).person_of(ANN).id
    assert {one.who for one in in_account("acme")} == {stands}
    assert in_account("bolt") == []
    (found, _) = rollups.rollups("acme", DAY, DAY + ONE_DAY, consistent=True)
    assert (found.people, found.sessions, found.session_ms) == (1, 1, 40 * 60_000)


def test_settle__of_a_day_in_shards__relabels_across_them_and_leaves_an_entry_in_one(tables, monkeypatch):
    monkeypatch.setattr(write_shards, "SHARD_BATCHES", 1)
    people = [f"u{number}" for number in range(12)]
    for number, user in enumerate(people):
        named("acme", event(f"y{number}", number, user_id=user[1:]))
    tomorrow = [event(f"e{number}", A_DAY + number, user_id=user[1:]) for number, user in enumerate(people)]
    named("acme", *tomorrow, day=DAY + ONE_DAY)
    assert len(log_items.read_heads(activity_pk("acme"), DAY + ONE_DAY)) > 2
    tell(aliases=[(user, people[0]) for user in people[1:]])
    (found,) = rollups.rollups("acme", DAY + ONE_DAY, DAY + ONE_DAY, consistent=True)
    assert (found.events, found.people, found.sessions) == (12, 1, 1)
    entries = whole_days.read_day(activity_pk("acme"), DAY + ONE_DAY)
    assert [one.id for one in entries] == [entry(one).id for one in tomorrow]


def test_settle__of_a_log_with_many_accounts__goes_on_in_steps_of_a_few(tables):
    count = 2 * settle.ACCOUNTS_AT_ONCE + 3
    entries = [acted(f"e{minute}", ANN, minute) for minute in range(count)]
    commit(*entries)
    made = []
    dynamodb().meta.events.register(
        "before-parameter-build.dynamodb.TransactWriteItems", lambda params, **_: made.append(params)
    )
    tell(grouped=[(ANN, minute, f"account-{minute}") for minute in range(count)])
    assert [in_account(f"account-{minute}") for minute in range(count)] == [
        [one._replace(flags=COPY)] for one in entries
    ]
    assert 3 <= len(made) <= 8
    assert max(len(params["TransactItems"]) for params in made) <= 100
    before = in_account("account-5")
    tell(grouped=[(ANN, minute, f"other-{minute}") for minute in range(count) if minute % 2])
    assert in_account("account-5") == []
    assert in_account("other-5") == before
    assert sum(len(in_account(f"{name}-{minute}")) for name in ("account", "other") for minute in range(count)) == count


def test_settle__a_second_time__writes_nothing(tables):
    commit(acted("e1", ANN, 1))
    named("acme", event("e2", 2, anonymous_id="v"))
    tell(grouped=[(ANN, 0, "acme")], identified=[("av", 0, ANN)])
    writes = []
    for operation in ("PutItem", "UpdateItem", "TransactWriteItems", "BatchWriteItem"):
        dynamodb().meta.events.register(f"before-call.dynamodb.{operation}", lambda **_: writes.append(1))
    for id_ in (ANN, "av", "unobody"):
        settle.settle(id_, TERMS)
    assert writes == []


def test_settle__out_of_time__raises_and_goes_on_when_called_again(tables):
    commit(acted("e1", ANN, 0), acted("e2", ANN, A_DAY))
    asked = iter([1.0, 1.0])  # before the records are read, and before they are put
    with pytest.raises(StorageUnavailableError):
        tell(grouped=[(ANN, 0, "acme")], time_left=lambda: next(asked, 0.0))
    assert list(unsettled.all_ids()) == [ANN]
    assert ids.read([ANN]).records[ANN].unsettled == [ANN]
    assert in_account("acme") == []
    tell(grouped=[(ANN, 0, "acme")])
    assert len(in_account("acme")) == 2
    assert (list(unsettled.all_ids()), ids.read([ANN]).records[ANN].unsettled) == ([], [])


@pytest.fixture
def in_process(moto, monkeypatch):
    monkeypatch.setattr(day_log, "HEAD_BYTES", 400)
    monkeypatch.setattr(side_by_side, "ThreadPoolExecutor", Inline)
    monkeypatch.setattr(retries, "time", SimpleNamespace(sleep=lambda _seconds: None))
    interleaving.watch(dynamodb())


def overtaken_settlement(calls_before: int) -> tuple[int, int, list[str]]:
    """One settlement stands still after so many of its calls, while it becomes known that the person was elsewhere.

    Returns:
        How many of the person's events are in the one account and in the other; what is left to settle.
    """
    run = uuid4().hex
    ann, acme, bolt = f"uann-{run}", f"acme-{run}", f"bolt-{run}"
    commit(*(acted(f"e{i}", ann, 10 * i) for i in range(4)))
    turns = iter([0] * calls_before)
    interleaving.run(
        [
            lambda: tell(grouped=[(ann, 0, acme)]),
            lambda: tell(grouped=[(ann, 0, bolt)]),
        ],
        choose=lambda n: next(turns, n - 1),
        kill=lambda: None,
    )
    assert memberships(ids.read([ann]).records[ann])[0][1] == bolt  # of the same instant, the greater one
    return len(in_account(acme)), len(in_account(bolt)), list(unsettled.all_ids())


def test_settle__overtaken_by_a_newer_one__does_not_undo_it(in_process):
    assert {overtaken_settlement(calls_before)[:2] for calls_before in range(24)} == {(0, 4)}


def test_the_check__without_the_condition_on_records__fails(in_process, monkeypatch):
    monkeypatch.setattr(ids.StoredPeople, "checks", lambda _people, _ids: [])
    place = Transaction.place

    def unconditional(transaction, key, stored, places):
        place(transaction, key, stored, places)
        transaction.along[-1].parameters.pop("ConditionExpression")
        for name in ("names", "values"):
            attribute = f"ExpressionAttribute{name.title()}"
            given = transaction.along[-1].parameters[attribute]
            transaction.along[-1].parameters[attribute] = {k: v for k, v in given.items() if not k.startswith(":if_")}

    monkeypatch.setattr(Transaction, "place", unconditional)
    assert {overtaken_settlement(calls_before)[:2] for calls_before in range(24)} != {(0, 4)}


def test_settle__killed_at_any_call__leaves_each_event_in_one_account_and_is_finished_by_the_next(in_process):
    for calls_before in range(0, 24, 2):
        run = uuid4().hex
        ann, acme, bolt = f"uann-{run}", f"acme-{run}", f"bolt-{run}"
        tell(grouped=[(ann, 0, acme)])
        commit(*(acted(f"e{i}", ann, i * A_DAY / 6) for i in range(12)))
        work = functools.partial(tell, grouped=[(ann, A_DAY / 2, bolt)])
        fates = iter([None] * calls_before + ["after"])
        interleaving.run([work], choose=lambda _: 0, kill=lambda fates=fates: next(fates, None))
        assert len(in_account(acme)) + len(in_account(bolt)) == 12
        work()
        assert (len(in_account(acme)), len(in_account(bolt))) == (3, 9)


def test_commit__while_its_log_is_settled__counts_once_and_where_it_belongs(in_process):
    for calls_before in range(20):
        run = uuid4().hex
        ann, acme, bolt = f"uann-{run}", f"acme-{run}", f"bolt-{run}"
        tell(grouped=[(ann, 0, acme)])
        commit(acted("e0", ann, 0), acted("e1", ann, 40))
        turns = iter([0] * calls_before)
        interleaving.run(
            [
                functools.partial(tell, grouped=[(ann, 30, bolt)]),
                functools.partial(commit, acted("e2", ann, 50), acted("e3", ann, 10)),
            ],
            choose=lambda n, turns=turns: next(turns, n - 1),
            kill=lambda: None,
        )
        assert [len(in_account(account)) for account in (acme, bolt)] == [2, 2], calls_before


def test_rewrite__of_a_day__changes_the_shards_alone_whose_entries_change(tables, monkeypatch):
    monkeypatch.setattr(write_shards, "SHARD_BATCHES", 1)
    for number in range(12):
        named("acme", event(f"y{number}", number, user_id=str(number)))
    named("acme", *(event(f"e{n}", A_DAY + n, user_id=str(n)) for n in range(12)), day=DAY + ONE_DAY)
    log = rewrite.read(activity_pk("acme"), DAY + ONE_DAY)
    assert sorted(log.all_entries) == whole_days.read_day(activity_pk("acme"), DAY + ONE_DAY)
    transaction = Transaction(TERMS)
    assert log.rewrite(transaction, log.all_entries) == []
    gone = log.all_entries[0]
    (changed,) = log.rewrite(transaction, log.all_entries[1:])
    transaction.make()
    assert gone not in whole_days.read_day(activity_pk("acme"), DAY + ONE_DAY)
    assert {
        shard
        for shard, head in log_items.read_heads(activity_pk("acme"), DAY + ONE_DAY).items()
        if head != log.heads[changed._replace(shard=shard)]
    } == {changed.shard}
    again = Transaction(TERMS)
    log.rewrite(again, log.all_entries[1:])
    with pytest.raises(ConditionFailedError):
        again.make()


def test_rewrite__of_a_day_that_is_not_there__is_none(tables):
    assert rewrite.read(activity_pk("acme"), DAY) is None
