"""A workspace's life under faults, from a seed, and the same life without any: both must end with the same figures.

Writers deliver batches of events, with repetitions, late events and several accounts, and send again whatever was not
acknowledged; accounts and users are erased meanwhile, twice at once. All take turns at every call in an order that the
seed decides. Between the days two nightly runs at once take snapshots and send alerts, while events come in and an
account is erased, and are run again until nothing is left to do.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from math import inf
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from healthscore.core.day_log import log as daylog
from healthscore.core.day_log import shards as write_shards
from healthscore.services.nightly import process
from healthscore.services.notifications import outbox
from healthscore.storage import side_by_side
from healthscore.storage.accounts import accounts, history, merges
from tests.conftest import fresh_tables
from tests.faults.batches import (
    ACCOUNTS,
    ERASED_AT_NIGHT,
    FIRST_NIGHT,
    SECOND_NIGHT,
    distinct,
    phases_of,
)
from tests.faults.injection import with_tokens_from, without_waiting
from tests.faults.life import Life
from tests.integration.nightly.nights import Inline
from tools.local import aws

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARD_BATCHES = 5
"""Days after one with more batches are in shards."""
CONFLICT_WEIGHT = 1
"""With so few batches to a shard, races of their real weight would split every day as far as can be."""
HEAD_BYTES = 500
"""Heads this small are sealed every few events."""


@dataclass
class Figures:
    """What a run did, and what was wrong with its end."""

    seed: int
    deliveries: int = 0
    repeated: int = 0
    erasures: int = 0
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
    figures.events = len(distinct(phases))
    with _workspace(seed):
        under = Life(Random(seed), figures, share)
        under.live(phases)
        end = _state()
    if not beside_a_calm_one:
        return figures
    with _workspace(seed):
        calm = Life(Random(seed), Figures(seed), 0.0)
        calm.live_calmly([under.first_night_knew, [*distinct([phases.between, phases.late]).values()]])
        if end != _state():
            figures.wrong.append("the nights left something else than without faults")
        if _sent(under) != _sent(calm):
            figures.wrong.append("other messages were sent than without faults")
    return figures


def _sent(life: Life) -> set[str]:
    """The messages that were sent, except of the account that was erased before they all were."""
    erased = sha256(ERASED_AT_NIGHT.encode()).hexdigest()[:20]
    return {message for message, _ in life.topic.accepted if not message.endswith(erased)}


def _state() -> dict[str, Any]:
    """What the nights left behind: snapshots, and what accounts say of their latest scores."""
    nights = (FIRST_NIGHT.date(), SECOND_NIGHT.date())
    return {
        account_id: (
            (account := accounts.get(account_id)) and history.snapshots(account, *nights),
            account and (account.latest, account.recent),
        )
        for account_id in ACCOUNTS
        if account_id != ERASED_AT_NIGHT
    }


@contextmanager
def _workspace(seed: int) -> Iterator[None]:
    """Empty tables in this process, a process that knows nothing, and nobody who waits."""
    with aws.running() as endpoint, pytest.MonkeyPatch.context() as patch:
        without_waiting(patch, Random(seed))
        with_tokens_from(patch, Random(seed))
        patch.setattr(write_shards, "SHARD_BATCHES", SHARD_BATCHES)
        patch.setattr(write_shards, "CONFLICT_WEIGHT", CONFLICT_WEIGHT)
        patch.setattr(daylog, "HEAD_BYTES", HEAD_BYTES)
        patch.setattr(merges, "SECONDS", inf)  # or the number of calls would depend on how fast the machine is
        for module in (process, outbox, side_by_side):
            patch.setattr(module, "ThreadPoolExecutor", Inline)
        yield from fresh_tables(endpoint, patch)
