"""Every event ends in the account where its person belongs, once: whatever order, repetition, concurrency and death."""

from __future__ import annotations

import contextlib
import functools
from collections import Counter
from types import SimpleNamespace
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from healthscore.core.day_log import log as day_log
from healthscore.core.identity.calls import Alias, PersonMembership, TrackedEvent
from healthscore.core.identity.memberships import account_at
from healthscore.core.time import from_millis
from healthscore.services.ingestion import events as ingest
from healthscore.services.ingestion import identity, pending_events
from healthscore.settings import Settings
from healthscore.storage import retries
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import rollups, whole_days
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.people import pending_moves, people
from healthscore.storage.schema import activity_pk, person_pk
from tests.integration.identity.calls import NOW, START, calls_of, entries_of, record, tracked
from tests.integration.nightly.nights import Inline
from tests.support import interleaving
from tests.support.events import DAY, event, naive_rollup
from tests.support.traces import mentions

MINUTES = st.sampled_from([0, 1, 40, 600, 1439, 1440, 1500])


@pytest.fixture
def in_process(moto, monkeypatch):
    monkeypatch.setattr(day_log, "HEAD_BYTES", 260)
    monkeypatch.setattr(ingest, "ThreadPoolExecutor", Inline)
    monkeypatch.setattr(retries, "time", SimpleNamespace(sleep=lambda _seconds: None))
    interleaving.watch(dynamodb())


def count_of(account_id: str) -> int:
    return len(entries_of(activity_pk(account_id)))


class World:
    """People and accounts of their own for every example, since the tables are shared."""

    def __init__(self, data):
        self.data = data
        run = uuid4().hex[:8]
        self.user, self.visitor = f"uann-{run}", f"avisitor-{run}"
        self.accounts = [f"acme-{run}", f"bolt-{run}"]

    def tracked_events(self, prefix: str, size: int) -> list[TrackedEvent]:
        drawn = st.tuples(st.sampled_from([self.user, self.visitor]), MINUTES)
        chosen = self.data.draw(st.lists(drawn, min_size=1, max_size=size), label=f"{prefix} tracked_events")
        return [tracked(f"{prefix}{i}", person, minute) for i, (person, minute) in enumerate(chosen)]

    def memberships(self, accounts: list[str]) -> list[PersonMembership]:
        one = st.builds(
            lambda minute, account: PersonMembership(self.user, START + minute * 60_000, account),
            MINUTES,
            st.sampled_from(accounts),
        )
        return self.data.draw(st.lists(one, min_size=1, max_size=3), label="memberships")

    def deliver(
        self, tracked_events: list[TrackedEvent], memberships: list[PersonMembership], aliases: list[Alias]
    ) -> None:
        """Send everything in batches, some of it repeatedly; let writers crash; send again what was not answered."""
        calls = [*tracked_events, *memberships, *aliases]
        batches = self.data.draw(
            st.lists(st.lists(st.sampled_from(calls), min_size=1, max_size=5), min_size=1, max_size=3), label="batches"
        )
        works = [functools.partial(record, calls_of(batch)) for batch in batches]
        writers = interleaving.run(
            works,
            choose=lambda n: self.data.draw(st.integers(0, n - 1), label="writer"),
            kill=lambda: self.data.draw(st.sampled_from([None] * 15 + ["before", "after"]), label="kill"),
        )
        for writer, work in zip(writers, works, strict=True):
            if writer.killed:
                work()
        for rest in (tracked_events, aliases, memberships):
            record(calls_of(rest))


def check(property_, examples: int, *, shrink: bool = True):
    settings(
        max_examples=examples,
        deadline=None,
        phases=tuple(Phase) if shrink else (Phase.generate,),
        derandomize=not shrink,
        database=None,
        suppress_health_check=list(HealthCheck),
    )(given(st.data())(property_))()


def one_account(data) -> None:
    world = World(data)
    tracked_events = world.tracked_events("e", 5)
    account = world.accounts[0]
    world.deliver(tracked_events, world.memberships([account]), [Alias(world.visitor, world.user, START)])
    days = {}
    for one in tracked_events:
        days.setdefault(from_millis(one.entry.at).date(), []).append(one.entry)
    expected = [naive_rollup([as_event(one) for one in days[day]], day) for day in sorted(days)]
    assert rollups.rollups(account, DAY, max(days), consistent=True) == expected
    assert entries_of(person_pk(world.user)) == entries_of(person_pk(world.visitor)) == []


def as_event(one):
    field = "user_id" if one.person.startswith("u") else "anonymous_id"
    return event(str(one.id), (one.at - START) / 60_000, **{field: one.person[1:]})


def several_accounts(data) -> None:
    world = World(data)
    tracked_events = world.tracked_events("e", 4)
    memberships = world.memberships(world.accounts)
    world.deliver(tracked_events, memberships, [Alias(world.visitor, world.user, START)])
    later = world.tracked_events("later", 2)
    record(calls_of(later))
    record(calls_of([*tracked_events, *later]))
    found = {account: entries_of(activity_pk(account)) for account in world.accounts}
    counted = Counter(one.id for entries in found.values() for one in entries)
    assert counted == Counter({one.entry.id: 1 for one in [*tracked_events, *later]})
    memberships = sorted({(one.at, one.account_id) for one in memberships})
    for one in later:
        assert one.entry in found[account_at(memberships, one.entry.at)]


def test_figures__people_of_one_account__are_those_of_the_distinct_events(in_process):
    check(one_account, 25)


def test_events__people_of_several_accounts__each_in_one_of_them(in_process):
    check(several_accounts, 25)


def test_event__sent_again_while_an_earlier_membership_is_recorded__counts_once(in_process):
    """The first delivery stands still after each of its calls in turn, while the second one runs to its end."""
    for calls_before in range(12):
        assert deliveries_around_a_move(calls_before) == 1


def test_the_check__without_the_version_check__fails(in_process, monkeypatch):
    monkeypatch.setattr(identity, "VersionCheck", lambda _versions: None)
    assert 2 in {deliveries_around_a_move(calls_before) for calls_before in range(12)}


def deliveries_around_a_move(calls_before: int) -> int:
    """How often an event counts that was under way when its person turned out to have been elsewhere."""
    person, first, second = f"uann-{uuid4().hex}", f"acme-{uuid4().hex}", f"bolt-{uuid4().hex}"
    record(calls_of([PersonMembership(person, START, first)]))
    sent = tracked("e", person, 10)
    turns = iter([0] * calls_before)
    interleaving.run(
        [
            lambda: record(calls_of([sent])),
            lambda: record(calls_of([PersonMembership(person, START + 300_000, second), sent])),
        ],
        choose=lambda n: next(turns, n - 1),
        kill=lambda: None,
    )
    return count_of(first) + count_of(second)


def test_pending_events__group_call_crashes_at_any_call__the_next_one_reassigns_them(in_process):
    for calls_before in range(14):
        person, account = f"uann-{uuid4().hex}", f"acme-{uuid4().hex}"
        record(calls_of([tracked(f"e{i}", person, minute) for i, minute in enumerate((0, 1439, 1500))]))
        assert len(entries_of(person_pk(person))) == 3
        joining = functools.partial(record, calls_of([PersonMembership(person, START + 60_000, account)]))
        fates = iter([None] * calls_before + ["after"])
        interleaving.run([joining], choose=lambda _n: 0, kill=functools.partial(next, fates, None))
        joining()
        assert (count_of(account), entries_of(person_pk(person))) == (3, [])


def test_pending_events__group_call_crashes_at_any_call_and_none_follows__the_night_reassigns_them(in_process):
    not_recorded, deaths = 0, range(1, 14, 3)
    for calls_before in deaths:
        user, visitor, account = f"uann-{uuid4().hex}", f"av-{uuid4().hex}", f"acme-{uuid4().hex}"
        record(calls_of([tracked("e0", visitor, 0), tracked("e1", user, 1439), tracked("e2", user, 1500)]))
        joining = functools.partial(
            record, calls_of([Alias(visitor, user, START), PersonMembership(user, START + 60_000, account)])
        )
        fates = iter([None] * calls_before + ["after"])
        interleaving.run([joining], choose=lambda _n: 0, kill=functools.partial(next, fates, None))
        recorded = bool(people.read([user])[user].memberships)
        not_recorded += not recorded
        assert sweep()["failed"] == 0
        assert count_of(account) == (3 if recorded else 0)
        assert len(entries_of(person_pk(user))) == (0 if recorded else 2)
        assert list(pending_moves.all_moves()) == []
        assert sweep() == {"moved": 0, "failed": 0}
    assert 0 < not_recorded < len(deaths)


def test_sweep__more_people_than_a_night_takes__leaves_the_rest_to_the_next(in_process, monkeypatch):
    monkeypatch.setattr(pending_events, "MAX_PEOPLE", 2)
    account = f"acme-{uuid4().hex}"
    for number in range(3):
        people_of_one = f"u{number}-{uuid4().hex}"
        record(calls_of([tracked(f"e{number}", people_of_one, number)]))
        people.join(people_of_one, [(START, account)])
    assert [sweep()["moved"], count_of(account)] == [2, 2]
    assert [sweep()["moved"], count_of(account)] == [1, 3]


def test_sweep__storage_out_of_order__is_logged_and_tried_again_the_next_night(in_process, monkeypatch):
    person, account = f"uann-{uuid4().hex}", f"acme-{uuid4().hex}"
    record(calls_of([tracked("e", person, 0)]))
    people.join(person, [(START, account)])
    with monkeypatch.context() as accident:
        accident.setattr(whole_days, "days", _unavailable)
        assert sweep() == {"moved": 0, "failed": 1}
    assert (sweep()["moved"], count_of(account)) == (1, 1)


def test_pending_move__that_was_put_meanwhile__outlives_the_one_that_is_deleted(in_process):
    """Another visit of the same person becomes known while the events of the first are moved."""
    user, visitor = f"uann-{uuid4().hex}", f"av-{uuid4().hex}"
    first = people.join(user, [(START, "acme")])
    second = people.link(visitor, user)
    again = people.link(visitor, f"u-other-{uuid4().hex}")
    assert people.join(user, [(START, "acme")]) is None
    for deleted in (first, second):
        pending_moves.delete(deleted)
    assert [found for _, found in pending_moves.all_moves()] == [again]


def test_group_call__while_its_account_is_erased__leaves_all_of_it_or_nothing(in_process):
    """The erasure stands still after some of its calls, while the group call runs to its end, and moves what waits."""
    outcomes = set()
    for calls_before in range(0, 24, 2):
        person, account = f"uann-{uuid4().hex}", f"acme-{uuid4().hex}"
        record(calls_of([tracked("e0", person, 0, account)]))
        record(calls_of([tracked(f"w{i}", f"{person}-new", minute) for i, minute in enumerate((0, 1500))]))
        calls = calls_of([PersonMembership(person, START, account), PersonMembership(f"{person}-new", START, account)])
        turns = iter([0] * calls_before)
        interleaving.run(
            [lambda account=account: erase(account), lambda calls=calls: try_to(calls)],
            choose=lambda n, turns=turns: next(turns, n - 1),
            kill=lambda: None,
        )
        newcomer = f"{person}-new"
        left, waiting = mentions(account), len(entries_of(person_pk(newcomer)))
        outcomes.add((bool(left), waiting))
        belongs_to = people.read([newcomer])[newcomer].accounts
        assert (belongs_to, count_of(account)) == (({account}, 2) if left else (set(), 0))
    # Membership sent after the erasure: the account is created again. During it: refused, and events stay pending.
    # Before it: everything is erased.
    assert outcomes == {(True, 0), (False, 2), (False, 0)}


def erase(account_id):
    assert erasing.mark(account_id, NOW)
    assert erasing.erase(account_id, lambda: True)[1]


def try_to(calls):
    with contextlib.suppress(StorageUnavailableError):
        record(calls)


def sweep():
    return pending_events.sweep(Settings(), NOW, keep_going=lambda: True, logger=Logger(level="CRITICAL"))


def _unavailable(*_):
    raise StorageUnavailableError("gone for a moment")


def test_events__of_a_visitor_who_signs_in__go_to_the_users_account(in_process):
    user, visitor, account = f"uann-{uuid4().hex}", f"av-{uuid4().hex}", f"acme-{uuid4().hex}"
    sent = tracked("e1", visitor, 0)
    sent = sent._replace(entry=sent.entry._replace(page="Prices"))
    record(calls_of([sent]))
    record(calls_of([PersonMembership(user, START, account)]))
    assert count_of(account) == 0
    record(calls_of([Alias(visitor, user, START)]))
    assert entries_of(activity_pk(account)) == [sent.entry]
    assert record(calls_of([tracked("e1", visitor, 0), tracked("e2", visitor, 1)])) == ingest.Ingested(1, 1)


def test_events__of_a_visitor_whose_user_joins_later__go_to_the_users_account(in_process):
    user, visitor, account = f"uann-{uuid4().hex}", f"av-{uuid4().hex}", f"acme-{uuid4().hex}"
    record(calls_of([tracked("e1", visitor, 0), Alias(visitor, user, START)]))
    record(calls_of([PersonMembership(user, START, account)]))
    assert count_of(account) == 1


def test_events__that_name_their_account__need_no_membership(in_process):
    account = f"acme-{uuid4().hex}"
    assert record(calls_of([tracked("e1", "uann", 0, account), tracked("e1", "uann", 0, account)])) == ingest.Ingested(
        1, 1
    )
    assert count_of(account) == 1
