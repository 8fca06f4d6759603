"""Runs with their real pool of workers, at the same time, on each engine that answers over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from healthscore.core.account import Account
from healthscore.storage.accounts import accounts, history
from healthscore.storage.alerts import messages
from tests.integration.nightly.nights import ABSENT, THRIVING, TONIGHT, Topic, account, night


@pytest.mark.usefixtures("tables")
def test_nights__two_at_the_same_time__keep_one_snapshot_each_and_send_each_message_once():
    for number in range(20):
        account(f"a{number:02}", *([THRIVING] * 3 if number % 4 == 0 else [ABSENT]))
    topic = Topic()
    with ThreadPoolExecutor(2) as pool:
        results = [run.result() for run in [pool.submit(night, topic) for _ in range(2)]]
    night(topic)
    assert [result["left"] for result in results] == [[], []]
    assert len(topic.ids()) == len(set(topic.ids())) == 5 + 1
    assert list(messages.pending()) == []
    for one in accounts.scan(0, 1):
        assert isinstance(one, Account)
        assert one.latest is not None
        assert one.latest.as_of == TONIGHT
        assert history.snapshots(one, TONIGHT.date(), TONIGHT.date()) == [one.latest]
