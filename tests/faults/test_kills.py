"""Processes that are killed (SIGKILL) in the middle of their work leave nothing half done."""

from __future__ import annotations

from healthscore.storage import history
from tests.faults import kills
from tests.faults.batches import ACCOUNTS, FIRST_NIGHT, phases_of
from tests.faults.story import wrong_figures
from tests.integration.nightly.nights import Topic, night, schedule

SEED = 3
DELIVERIES = 40


def test_workers__killed_and_started_anew__end_with_the_figures_of_the_distinct_events(moto):
    phase = phases_of(SEED, DELIVERIES)[0]
    end = kills.deliver(SEED, DELIVERIES, kills=2)
    assert end.kills >= 2
    assert wrong_figures([phase]) == []

    kills.run_night(SEED, DELIVERIES, kills=2)
    once = snapshots()
    assert all(once.values())
    night(Topic(), schedule(FIRST_NIGHT), now=FIRST_NIGHT)
    assert snapshots() == once


def snapshots():
    return {
        account_id: history.snapshots(account_id, FIRST_NIGHT.date(), FIRST_NIGHT.date()) for account_id in ACCOUNTS
    }
