"""Trying again, and the waits between attempts."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.storage import retries
from healthscore.storage.errors import AccountErasedError, ConditionFailedError, StorageUnavailableError
from healthscore.storage.retries import SECONDS, attempts, retried

CLIENTS_GIVE_UP_AFTER = 10
"""Seconds that the least patient of the known clients waits for an answer."""


def waits(monkeypatch, part):
    """The waits of a loop that never ends by itself, each the same part of the longest that it could be."""
    monkeypatch.setattr(retries.random, "uniform", lambda low, high: low + part * (high - low))
    pauses = []
    with pytest.raises(StorageUnavailableError, match="too many writers"):
        list(attempts("too many writers", pauses.append))
    return pauses


def test_attempts__at_their_longest__wait_twice_as_long_each_time_up_to_a_second(monkeypatch):
    pauses = waits(monkeypatch, 1)
    assert pauses[:3] == [0.04, 0.08, 0.16]
    assert all(later == min(1, 2 * earlier) for earlier, later in pairwise(pauses))


@given(part=st.floats(0.01, 1))
def test_attempts__however_the_dice_fall__end_before_a_client_gives_up(part):
    with pytest.MonkeyPatch.context() as patch:
        assert SECONDS <= sum(waits(patch, part)) <= SECONDS + 1 < CLIENTS_GIVE_UP_AFTER


def test_attempts__are_numbered_from_zero__and_the_first_waits_for_nothing():
    pauses = []
    assert list(islice(attempts("too many writers", pauses.append), 1)) == [0]
    assert pauses == []
    assert list(islice(attempts("too many writers", pauses.append), 3)) == [0, 1, 2]
    assert len(pauses) == 2


@pytest.fixture
def slept(monkeypatch):
    pauses = []
    monkeypatch.setattr(retries.time, "sleep", pauses.append)
    return pauses


def fails(times, error=ConditionFailedError):
    calls = []

    @retried("too many writers")
    def save(name, *, suffix):
        calls.append(name)
        if len(calls) <= times:
            raise error("not as read")
        return name + suffix

    return save, calls


def test_retried__condition_that_fails_twice__begins_again_each_time(slept):
    save, calls = fails(2)
    assert save("ann", suffix="!") == "ann!"
    assert calls == ["ann"] * 3
    assert len(slept) == 2


def test_retried__condition_that_always_fails__gives_up_with_an_answer(slept):
    save, _ = fails(1_000)
    with pytest.raises(StorageUnavailableError, match="too many writers"):
        save("ann", suffix="!")
    assert sum(slept) >= SECONDS


def test_retried__any_other_error__is_raised_at_once(slept):
    save, calls = fails(1, AccountErasedError)
    with pytest.raises(AccountErasedError):
        save("ann", suffix="!")
    assert (calls, slept) == (["ann"], [])
