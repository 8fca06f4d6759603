"""Waiting between attempts."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.storage import retries
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.retries import SECONDS, Backoff

CLIENTS_GIVE_UP_AFTER = 10
"""Seconds that the least patient of the known clients waits for an answer."""


def waits(monkeypatch, part):
    """The pauses until patience ends, each the same part of the longest that it could be."""
    monkeypatch.setattr(retries.random, "uniform", lambda low, high: low + part * (high - low))
    pauses = []
    one = Backoff("too many writers", pauses.append)
    with pytest.raises(StorageUnavailableError, match="too many writers"):
        deque(iter(one.wait, "for ever"))
    return pauses


def test_wait__at_its_longest__doubles_up_to_a_second(monkeypatch):
    pauses = waits(monkeypatch, 1)
    assert pauses[:3] == [0.04, 0.08, 0.16]
    assert all(later == min(1, 2 * earlier) for earlier, later in pairwise(pauses))


@given(part=st.floats(0.01, 1))
def test_wait__however_the_dice_fall__ends_before_a_client_gives_up(part):
    with pytest.MonkeyPatch.context() as patch:
        assert SECONDS <= sum(waits(patch, part)) <= SECONDS + 1 < CLIENTS_GIVE_UP_AFTER
