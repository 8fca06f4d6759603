"""The rate limit, with a clock that only waiting and work move."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from healthscore.services.notifications.rate_limit import RateLimit


class Hours:
    """A clock that is moved by waiting, and by work."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waited: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds

    def limit(self, per_second: int) -> RateLimit:
        return RateLimit(per_second, clock=lambda: self.now, wait=self.wait)


def test_take__first_messages__go_at_once():
    hours = Hours()
    hours.limit(5).take(5)
    assert hours.waited == []


def test_take__full_batches__wait_for_their_second():
    hours = Hours()
    limit = hours.limit(5)
    for _ in range(3):
        limit.take(5)
    assert hours.waited == [1.0, 1.0]


def test_take__work_took_that_long__does_not_wait():
    hours = Hours()
    limit = hours.limit(4)
    limit.take(2)
    hours.now += 0.5
    limit.take(4)
    hours.now += 30
    limit.take(4)
    assert hours.waited == []


@given(
    st.integers(1, 20),
    st.lists(st.tuples(st.integers(1, 10), st.floats(0, 3, allow_nan=False)), min_size=1, max_size=30),
)
def test_take__whatever_is_taken_when__no_second_brings_more_than_twice_the_limit(per_second, takes):
    """What is taken at the end of one second and at the beginning of the next is the most that can meet."""
    hours = Hours()
    limit = hours.limit(per_second)
    went: list[tuple[float, int]] = []
    for messages, pause in takes:
        taken = min(messages, per_second)
        limit.take(taken)
        went.append((hours.now, taken))
        hours.now += pause
    for begin, _ in went:
        within = sum(taken for at, taken in went if begin <= at < begin + 1 - 1e-6)
        assert within < 2 * per_second
