"""A workspace's life under faults, from a seed, and the same life without any: both must end with the same figures.

Writers deliver batches of events, with repetitions, late events and several accounts, and send again whatever was not
acknowledged; they take turns at every call in an order that the seed decides. Between the days two nightly runs at once
take snapshots and send alerts, and are run again until nothing is left to do.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from healthscore import ingest, nightly, outbox
from healthscore.core import daylog, lanes
from healthscore.core.timeline import end_of_day
from healthscore.outbox import LEASE
from healthscore.storage import accounts, activity, history, lane, messages
from healthscore.storage.client import dynamodb
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.sealed import SealedCache
from tests.conftest import _fresh_tables
from tests.faults.batches import ACCOUNTS, FIRST_NIGHT, SECOND_NIGHT, SETTINGS, distinct, phases_of
from tests.faults.injection import Faults, Killed, without_waiting
from tests.faults.topic import Topic
from tests.integration.nightly.nights import Inline, night, schedule, sweep
from tests.support import interleaving
from tests.support.events import naive_rollup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from healthscore.core.model import Event
    from tests.faults.batches import Phase

WRITERS = 4
TRIES = 200
LANE_BATCHES = 5
"""Days after one with more batches are in lanes."""
HEAD_BYTES = 500
"""Heads this small are sealed every few events."""


@dataclass
class Figures:
    """What a run did, and what was wrong with its end."""

    seed: int
    deliveries: int = 0
    repeated: int = 0
    events: int = 0
    calls: int = 0
    published: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def live(seed: int, deliveries: int, share: float = 0.06, *, beside_a_calm_one: bool = True) -> Figures:
    """Live a life under faults and check its end.

    Args:
        seed: the same seed gives the same events, batches, turns and faults.
        deliveries: how many batches are sent, those sent again for want of an answer not counted.
        share: the share of calls that meet a fault.
        beside_a_calm_one: whether the same life is lived without faults as well, for the nights to be compared.
    """
    figures = Figures(seed)
    phases = phases_of(seed, deliveries)
    with _workspace():
        under = _Life(Random(seed), figures, share)
        under.live(phases)
        figures.wrong += wrong_figures(phases) + under.wrong_messages()
        end = _state()
    if not beside_a_calm_one:
        return figures
    with _workspace():
        calm = _Life(Random(seed), Figures(seed), 0.0)
        calm.live([[list(distinct([phase]).values())] for phase in phases])
        if end != _state():
            figures.wrong.append("the nights said something else than without faults")
        if {message for message, _ in under.topic.accepted} != {message for message, _ in calm.topic.accepted}:
            figures.wrong.append("other messages were sent than without faults")
    return figures


class _InTurn(Inline):
    """A pool that does everything at once in the caller's thread: accounts of a batch go one after the other."""

    def map(self, work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        return [work(item) for item in items]


class _Life:
    """Delivers, runs nights, and sends, under faults."""

    def __init__(self, random: Random, figures: Figures, share: float) -> None:
        self._random = random
        self._figures = figures
        self._faults = Faults(random, share)
        self._faults.attach(dynamodb(), "dynamodb")
        dynamodb().meta.events.register("before-call.dynamodb", self._count)
        self._faults.done = figures.faults
        self.topic = Topic(random, share * 5, figures.faults)
        interleaving.watch(dynamodb())

    def _count(self, **_: object) -> None:
        self._figures.calls += 1

    def live(self, phases: Sequence[Phase]) -> None:
        for phase, at in zip(phases, (FIRST_NIGHT, SECOND_NIGHT), strict=True):
            # A quarter of what was delivered is delivered again, in any order: a client that lost the answer.
            batches = phase + self._random.sample(phase, k=len(phase) // 4)
            if len(phase) > 1:
                self._random.shuffle(batches)
            self._side_by_side([self._writer(batches[number::WRITERS], at) for number in range(WRITERS)])
            self._night(at)
        self._figures.events = len(distinct(phases))

    def _side_by_side(self, works: Sequence[Callable[[], None]]) -> None:
        interleaving.run(works, choose=self._random.randrange, kill=lambda: None)

    def _writer(self, batches: Phase, now: datetime) -> Callable[[], None]:
        def deliver() -> None:
            for batch in batches:
                self._figures.deliveries += 1
                self._until_done(lambda batch=batch: ingest.ingest(batch, SETTINGS, now))

        return deliver

    def _until_done(self, work: Callable[[], Any]) -> None:
        for _ in range(TRIES):
            try:
                with self._faults.at_work():
                    work()
            except StorageUnavailableError:
                pass
            except Killed:
                lane.sealed_parts = SealedCache()  # the next process knows nothing
            else:
                return
            self._figures.repeated += 1
        raise AssertionError("it is never done")

    def _night(self, at: datetime) -> None:
        self.topic.now = at

        def once() -> None:
            try:
                with self._faults.at_work():
                    night(self.topic, schedule(at), now=at)
            except (StorageUnavailableError, Killed):
                return

        self._side_by_side([once, once])
        self._side_by_side([once])
        # What a lost answer or a dead process left claimed is sent when its lease is over.
        calm, self._faults._share, self.topic.share = self._faults._share, 0.0, 0.0
        for turn in (1, 2):
            self.topic.now = at + turn * (LEASE + timedelta(minutes=1))
            night(self.topic, schedule(at), now=self.topic.now)
            sweep(self.topic, self.topic.now)
        self._faults._share, self.topic.share = calm, calm * 5

    def wrong_messages(self) -> list[str]:
        """What is wrong with what was sent: a message may only be repeated after its lease."""
        self._figures.published = len(self.topic.accepted)
        times = defaultdict(list)
        for message, at in self.topic.accepted:
            times[message].append(at)
        wrong = [
            f"message {message} was repeated within its lease"
            for message, sent in times.items()
            if any(later - earlier < LEASE for earlier, later in pairwise(sent))
        ]
        return wrong + [f"{left} is left to be sent" for left in messages.pending()]


def wrong_figures(phases: Sequence[Phase]) -> list[str]:
    """Every day of every account against the plain recomputation, and when each name was first seen."""
    days: dict[tuple[str, Any], list[Event]] = defaultdict(list)
    firsts: dict[str, dict[str, datetime]] = defaultdict(dict)
    for one in distinct(phases).values():
        days[one.account_id, one.at.date()].append(one)
        seen = firsts[one.account_id]
        seen[one.name] = min(one.at, seen.get(one.name, one.at))
    wrong = []
    for (account_id, day), events in days.items():
        expected = naive_rollup(events, day)
        if activity.rollups(account_id, day, day, consistent=True) != [expected]:
            wrong.append(f"{account_id} on {day}: the roll-up")
        if activity.rollup_until(account_id, day, end_of_day(day, UTC)) != expected:
            wrong.append(f"{account_id} on {day}: the log")
    for account_id, seen in firsts.items():
        account = accounts.get(account_id)
        if account is None or account.firsts != seen:
            wrong.append(f"{account_id}: first-seen times")
    return wrong


def _state() -> dict[str, Any]:
    """What the nights left behind: snapshots, and what accounts say of their latest scores."""
    nights = (FIRST_NIGHT.date(), SECOND_NIGHT.date())
    return {
        account_id: (
            history.snapshots(account_id, *nights, consistent=True),
            (account := accounts.get(account_id)) and (account.latest, account.recent),
        )
        for account_id in ACCOUNTS
    }


@contextmanager
def _workspace() -> Iterator[None]:
    """Empty tables in this process, a process that knows nothing, and nobody who waits."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        without_waiting(patch)
        patch.setattr(lane, "sealed_parts", SealedCache())
        patch.setattr(lanes, "LANE_BATCHES", LANE_BATCHES)
        patch.setattr(daylog, "HEAD_BYTES", HEAD_BYTES)
        patch.setattr(nightly, "ThreadPoolExecutor", _InTurn)
        patch.setattr(ingest, "ThreadPoolExecutor", _InTurn)
        patch.setattr(outbox, "ThreadPoolExecutor", _InTurn)
        yield from _fresh_tables(None, patch)
