"""Every event counts in the account where its person belongs, once: whoever crashes, waits or is erased meanwhile.

That the figures are right for any calls in any order is held by `test_histories`; here are the races one by one.
"""

from __future__ import annotations

import contextlib
import functools
from types import SimpleNamespace
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger

from healthscore.core.identity.calls import Alias, GroupCall, Identification
from healthscore.core.identity.people import memberships
from healthscore.services.ingestion import pending_events
from healthscore.services.ingestion.events import Ingested
from healthscore.settings import Settings
from healthscore.storage import retries, side_by_side
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import settle
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.people import ids, unsettled
from healthscore.storage.people.ids import StoredPeople
from healthscore.storage.schema import activity_pk, person_pk
from tests.integration.identity.calls import NOW, START, entries_of, record, tracked
from tests.integration.nightly.nights import Inline
from tests.support import interleaving
from tests.support.traces import mentions

CALLS = 24
"""More than any of these requests makes."""


@pytest.fixture
def in_process(moto, monkeypatch):
    monkeypatch.setattr(side_by_side, "ThreadPoolExecutor", Inline)
    monkeypatch.setattr(retries, "time", SimpleNamespace(sleep=lambda _seconds: None))
    interleaving.watch(dynamodb())


class World:
    """Ids of their own, since the tables are shared."""

    def __init__(self):
        run = uuid4().hex
        self.user, self.other, self.visitor = f"uann-{run}", f"ubob-{run}", f"avisitor-{run}"
        self.acme, self.bolt = f"acme-{run}", f"bolt-{run}"


def count_of(account_id: str) -> int:
    return len(entries_of(activity_pk(account_id)))


def within(calls_before: int, first, second) -> None:
    """The first stands still after so many of its calls, while the second runs to its end."""
    turns = iter([0] * calls_before)
    interleaving.run([first, second], choose=lambda n: next(turns, n - 1), kill=lambda: None)


def crash(calls_before: int, work) -> bool:
    """Have work crash right after so many of its calls; whether it did before it was done."""
    fates = iter([None] * calls_before + ["after"])
    (writer,) = interleaving.run([work], choose=lambda _n: 0, kill=functools.partial(next, fates, None))
    return writer.killed


def deliveries_around_a_membership(calls_before: int, *, again: bool) -> tuple[int, int]:
    """How often an event counts that was under way when its person turned out to be elsewhere: here, and there."""
    world = World()
    record(GroupCall(world.user, START, world.acme))
    sent = tracked("e", world.user, 10)
    moved = GroupCall(world.user, START + 300_000, world.bolt), *([sent] if again else [])
    within(calls_before, lambda: record(sent), lambda: record(*moved))
    return count_of(world.acme), count_of(world.bolt)


@pytest.mark.parametrize("again", [False, True], ids=["once", "again"])
def test_event__sent_while_an_earlier_membership_is_recorded__counts_once_and_there(in_process, again):
    assert {deliveries_around_a_membership(calls_before, again=again) for calls_before in range(12)} == {(0, 1)}


def test_the_check__without_the_condition_on_records__fails(in_process, monkeypatch):
    put = StoredPeople.put
    monkeypatch.setattr(StoredPeople, "checks", lambda _people, _ids: [])
    monkeypatch.setattr(StoredPeople, "put", lambda people, id_: _unconditional(put(people, id_)))
    assert (1, 0) in {deliveries_around_a_membership(calls_before, again=False) for calls_before in range(12)}


def _unconditional(put):
    names = ("ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues")
    for name in names:
        put.parameters.pop(name, None)
    return put


def test_pending_events__group_call_crashes_at_any_call__count_once_it_is_sent_again(in_process):
    for calls_before in range(CALLS):
        world = World()
        record(*(tracked(f"e{i}", world.user, minute) for i, minute in enumerate((0, 1439, 1500))))
        assert count_of(world.acme) == 0
        joining = functools.partial(record, GroupCall(world.user, START + 60_000, world.acme))
        crashed = crash(calls_before, joining)
        joining()
        assert count_of(world.acme) == 3
        assert list(unsettled.all_ids()) == []
    assert not crashed


def test_pending_events__group_call_crashes_at_any_call_and_none_follows__count_after_the_night(in_process):
    not_recorded = 0
    for calls_before in range(0, CALLS, 2):
        world = World()
        record(tracked("e0", world.visitor, 0), tracked("e1", world.user, 1439), tracked("e2", world.user, 1500))
        calls = Identification(world.visitor, START, world.user), GroupCall(world.user, START + 60_000, world.acme)
        crash(calls_before, functools.partial(record, *calls))
        recorded = bool(memberships(ids.read([world.user]).records[world.user]))
        not_recorded += not recorded
        assert sweep()["failed"] == 0
        assert count_of(world.acme) == (3 if recorded else 0)
        assert list(unsettled.all_ids()) == []
        assert sweep() == {"moved": 0, "failed": 0}
    assert 0 < not_recorded < CALLS // 2


def left_to_the_night(monkeypatch, *calls) -> None:
    """Record what calls say, and crash before anything is settled."""
    with monkeypatch.context() as accident, contextlib.suppress(StorageUnavailableError):
        accident.setattr(settle, "settle", _unavailable)
        record(*calls)


def test_sweep__more_people_than_a_night_takes__leaves_the_rest_to_the_next(in_process, monkeypatch):
    monkeypatch.setattr(pending_events, "MAX_PEOPLE", 2)
    world = World()
    for number in range(3):
        user = f"{world.user}-{number}"
        record(tracked(f"e{number}", user, number))
        left_to_the_night(monkeypatch, GroupCall(user, START, world.acme))
    assert [sweep()["moved"], count_of(world.acme)] == [2, 2]
    assert [sweep()["moved"], count_of(world.acme)] == [1, 3]


def test_sweep__storage_out_of_order__is_logged_and_tried_again_the_next_night(in_process, monkeypatch):
    world = World()
    record(tracked("e", world.user, 0))
    left_to_the_night(monkeypatch, GroupCall(world.user, START, world.acme))
    with monkeypatch.context() as accident:
        accident.setattr(settle, "own_days", _unavailable)
        assert sweep() == {"moved": 0, "failed": 1}
    assert (sweep()["moved"], count_of(world.acme)) == (1, 1)


def test_sweep__whose_time_is_over__settles_nobody(in_process, monkeypatch):
    world = World()
    record(tracked("e", world.user, 0))
    left_to_the_night(monkeypatch, GroupCall(world.user, START, world.acme))
    assert sweep(keep_going=lambda: False) == {"moved": 0, "failed": 0}
    assert (sweep()["moved"], count_of(world.acme)) == (1, 1)


def test_unsettled_note__while_more_becomes_known_of_the_person__stays_until_all_of_it_is_settled(in_process):
    """Another call about the same person comes between any two calls of a settlement."""
    for calls_before in range(0, CALLS, 2):
        world = World()
        record(tracked("e0", world.user, 0), tracked("e1", world.other, 1))
        calls = GroupCall(world.user, START, world.acme), Alias(world.other, START, world.user)
        within(calls_before, *(functools.partial(record, call) for call in calls))
        sweep()
        assert (count_of(world.acme), list(unsettled.all_ids())) == (2, [])
        found = ids.read([world.user, world.other]).records.values()
        assert [one.unsettled for one in found] == [[], []]


def test_group_call__while_its_account_is_erased__leaves_all_of_it_or_nothing(in_process):
    """The erasure stands still after some of its calls, while the group call runs to its end."""
    outcomes = set()
    for calls_before in range(0, 66, 3):
        world = World()
        record(tracked("e0", world.user, 0, world.acme))
        record(*(tracked(f"w{i}", world.other, minute) for i, minute in enumerate((0, 1500))))
        calls = GroupCall(world.user, START, world.acme), GroupCall(world.other, START, world.acme)
        within(calls_before, functools.partial(erase, world.acme), functools.partial(try_to, *calls))
        left = mentions(world.acme)
        belongs_to = {account for _, account in memberships(ids.read([world.other]).records[world.other])}
        outcomes.add((bool(left), len(entries_of(person_pk(world.other)))))
        assert (belongs_to, count_of(world.acme)) == (({world.acme}, 2) if left else (set(), 0)), calls_before
    # Group call after the erasure: the account is created again. During it: refused, and events go on waiting. Before
    # it: everything is erased.
    assert outcomes == {(True, 2), (False, 2), (False, 0)}


def erase(account_id):
    assert erasing.mark(account_id, NOW)
    assert erasing.erase(account_id, NOW, lambda: True)[1]


def try_to(*calls):
    with contextlib.suppress(StorageUnavailableError):
        record(*calls)


def sweep(keep_going=lambda: True):
    return pending_events.sweep(Settings(), NOW, keep_going=keep_going, logger=Logger(level="CRITICAL"))


def _unavailable(*_, **__):
    raise StorageUnavailableError("gone for a moment")


def test_events__of_a_visitor_who_signs_in__count_for_the_users_account_as_the_users(in_process):
    world = World()
    sent = tracked("e1", world.visitor, 0)
    sent = sent._replace(entry=sent.entry._replace(page="Prices"))
    record(sent)
    record(GroupCall(world.user, START, world.acme))
    assert count_of(world.acme) == 0
    record(Identification(world.visitor, START, world.user))
    (found,) = entries_of(activity_pk(world.acme))
    assert found._replace(label=None, flags=0) == sent.entry
    assert found.who == world.user
    assert record(tracked("e1", world.visitor, 0), tracked("e2", world.visitor, 1)) == Ingested(1, 1)


def test_events__of_a_visitor_whose_user_joins_later__count_for_the_users_account(in_process):
    world = World()
    record(tracked("e1", world.visitor, 0), Identification(world.visitor, START, world.user))
    record(GroupCall(world.user, START, world.acme))
    assert count_of(world.acme) == 1


def test_events__that_name_their_account__need_no_membership_and_follow_none(in_process):
    world = World()
    twice = [tracked("e1", world.user, 0, world.acme)] * 2
    assert record(*twice) == Ingested(1, 1)
    record(GroupCall(world.user, START, world.bolt))
    assert (count_of(world.acme), count_of(world.bolt)) == (1, 0)
