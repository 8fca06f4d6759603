"""Processes that are killed (SIGKILL) in the middle of their work leave nothing half done."""

from __future__ import annotations

import pytest

from healthscore.services.notifications.outbox import LEASE
from healthscore.storage.accounts import accounts, history
from healthscore.storage.alerts import messages
from tests.faults import kills
from tests.faults.batches import ACCOUNTS, CONTESTED, FIRST_NIGHT, phases_of
from tests.faults.checks import traces_of_account, wrong_figures
from tests.integration.nightly.nights import Topic, night, schedule, sweep

pytestmark = pytest.mark.slow

SEED = 3
DELIVERIES = 40


def test_workers__killed_and_started_again__end_with_the_figures_of_the_distinct_events(moto):
    phase = phases_of(SEED, DELIVERIES)[0]
    end = kills.deliver(SEED, DELIVERIES, kills=2)
    assert end.kills >= 2
    assert wrong_figures([phase]) == []

    kills.run("night", SEED, DELIVERIES, kills=2)
    once = snapshots()
    assert all(once.values())
    night(Topic(), schedule(FIRST_NIGHT), now=FIRST_NIGHT)
    assert snapshots() == once
    kills.run("outbox", SEED, DELIVERIES, kills=1)
    sweep(Topic(), FIRST_NIGHT + 3 * LEASE)
    assert list(messages.pending()) == []

    assert kills.run(f"erase={ACCOUNTS[3]}", SEED, DELIVERIES, kills=2).kills == 2
    assert traces_of_account(ACCOUNTS[3]) == []
    left = [[event for event in batch if event.account_id != ACCOUNTS[3]] for batch in phase]
    assert wrong_figures([left]) == []


def snapshots():
    return {
        account_id: history.snapshots(accounts.get(account_id), FIRST_NIGHT.date(), FIRST_NIGHT.date())
        for account_id in ACCOUNTS
        if account_id != CONTESTED
    }
