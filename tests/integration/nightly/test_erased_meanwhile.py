"""Accounts that are erased while a worker has them in hand: nothing of them is left, wherever the worker dies.

The worker copies snapshots into the history without a condition, so it may do so behind an erasure.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest

from healthscore.dataset import erasing as dataset_erasing
from healthscore.services import erasure
from healthscore.services.nightly.plan import plan_scan_parts
from healthscore.services.nightly.process import process_task
from healthscore.storage.accounts import accounts, history
from healthscore.storage.client import dynamodb
from healthscore.storage.nights import tombstones
from healthscore.storage.runs import workers
from tests.integration.nightly.nights import ABSENT, LOGGER, THRIVING, TONIGHT, Killed, Tables, account
from tests.integration.nightly.nights import schedule as scheduled
from tests.support.traces import items_that_mention

SOON = TONIGHT + timedelta(minutes=1)
LATER = TONIGHT + workers.LONGEST + timedelta(minutes=1)


class Calls:
    """Counts the worker's calls; erases an account before one of them, and kills the worker before another one."""

    def __init__(self, erase_at: int = 0, die_at: int = 0) -> None:
        self.count, self.erase_at, self.die_at = 0, erase_at, die_at
        self._others = self.dead = False

    def before_call(self, **_: object) -> None:
        if self._others:
            return
        if self.dead:
            raise Killed
        self.count += 1
        if self.count == self.erase_at:
            self._others = True
            erasure.erase_account("acme", SOON, lambda: True)
            self._others = False
        if self.count == self.die_at:
            self.dead = True
            raise Killed

    @contextmanager
    def watching(self):
        dynamodb().meta.events.register("before-call.dynamodb", self.before_call)
        try:
            yield self
        finally:
            dynamodb().meta.events.unregister("before-call.dynamodb", self.before_call)


def work(planned):
    process_task({**planned, "segment": 0, "chunk": 0, "resume": None}, TONIGHT, keep_going=lambda: True, logger=LOGGER)


@pytest.fixture
def begun(topic, bucket):
    """A night that has begun over two accounts of which one fell, and the tables as they are then."""
    account("acme", THRIVING, THRIVING, THRIVING, name="Acme")
    account("bolt", ABSENT)
    planned = plan_scan_parts({"event": scheduled(TONIGHT), "execution": "x"}, TONIGHT)
    return planned, Tables()


def erase_in_dataset(now):
    return dataset_erasing.erase_pending(now, now + timedelta(minutes=15), lambda: True)


def test_account__erased_at_any_call_of_a_worker_that_dies_at_any_later_one__leaves_nothing(begun):
    planned, tables = begun
    with Calls().watching() as whole:
        work(planned)
    assert whole.count > 8
    for erase_at in range(1, whole.count + 1):
        for die_at in range(erase_at, whole.count + 2):
            tables.bring_back()
            with Calls(erase_at, die_at).watching() as calls:
                try:
                    work(planned)
                except Killed:
                    assert calls.dead
            if calls.dead:
                work(planned)  # it finishes an erasure in which the dead one was
            assert erase_in_dataset(LATER)
            assert items_that_mention("acme") == [], f"erased at {erase_at}, died at {die_at}"
            assert accounts.get("bolt") is not None


def test_erasure__while_a_worker_is_under_way__is_done_only_after_that(begun):
    before = accounts.get("acme").latest
    with workers.under_way("x#0#0", TONIGHT):
        erasure.erase_account("acme", SOON, lambda: True)
        history.put_snapshots({"acme": before})
        assert not erase_in_dataset(SOON)
        assert [one.account_id for one in tombstones.pending()] == ["acme"]
    assert items_that_mention("acme") != []
    assert erase_in_dataset(SOON)
    assert (items_that_mention("acme"), tombstones.pending()) == ([], [])


def test_erasure__after_a_worker_was_killed__waits_no_longer_than_that_could_have_lived(begun):
    with pytest.raises(Killed), Calls(die_at=2).watching(), workers.under_way("x#0#0", TONIGHT):
        accounts.get("acme")
    erasure.erase_account("acme", SOON, lambda: True)
    assert not erase_in_dataset(TONIGHT + workers.LONGEST)
    assert erase_in_dataset(LATER)


def test_erasure__of_an_id_that_has_begun_again__keeps_its_new_nights(begun):
    old = accounts.get("acme").latest
    erasure.erase_account("acme", SOON, lambda: True)
    history.put_snapshots({"acme": old})  # by a worker that died
    account("acme", since=SOON + timedelta(minutes=1))
    day = timedelta(days=1)
    for age in (1, 2):
        night = plan_scan_parts({"event": scheduled(TONIGHT + age * day), "execution": f"y{age}"}, TONIGHT + age * day)
        work(night)
    assert len(history.snapshots(accounts.get("acme"), old.day, TONIGHT.date() + 2 * day)) == 3
    assert erase_in_dataset(TONIGHT + 3 * day)
    kept = history.snapshots(accounts.get("acme"), old.day, TONIGHT.date() + 2 * day)
    assert [one.day for one in kept] == [TONIGHT.date() + day, TONIGHT.date() + 2 * day]
