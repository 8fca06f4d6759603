"""Timelines: what holds at an instant follows from the calls alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.identity.timeline import timeline_of, value_at, within

INSTANTS = range(-1, 22)
points = st.lists(st.tuples(st.integers(0, 20), st.sampled_from("abc")), max_size=8)


def plainly(said, at):
    """What holds at an instant, as the rule words it."""
    if not said:
        return None
    before = [point for point in said if point[0] <= at]
    return max(before)[1] if before else max(point for point in said if point[0] == min(said)[0])[1]


@given(points)
def test_value_at__any_calls__is_the_last_by_then_else_the_first_and_the_greatest_of_one_instant(said):
    assert [value_at(timeline_of(said), at) for at in INSTANTS] == [plainly(said, at) for at in INSTANTS]


@given(points, st.randoms())
def test_timeline_of__calls_in_any_order_and_repeated__is_the_same(said, random):
    again = said + said[: len(said) // 2]
    random.shuffle(again)
    assert timeline_of(again) == timeline_of(said)


@given(points, points)
def test_timeline_of__a_timeline_and_the_calls_it_is_made_of__changes_nothing(said, more):
    """A record keeps the changes alone; with all kept calls beside them, it comes to what these say."""
    assert timeline_of([*timeline_of(said), *said, *more]) == timeline_of([*said, *more])


def test_timeline_of__a_call_that_changes_nothing__leaves_it_out():
    assert timeline_of([(1, "a"), (5, "a"), (9, "b"), (9, "a")]) == ((1, "a"), (9, "b"))


@pytest.mark.parametrize(("at", "value"), [(0, "a"), (10, "a"), (19, "a"), (20, "b"), (99, "b")])
def test_value_at__before_the_first_call__is_what_that_one_says(at, value):
    assert value_at(((10, "a"), (20, "b")), at) == value


@given(points, st.integers(-1, 20), st.integers(1, 10))
def test_within__stretches__cover_the_whole_and_say_what_holds_at_each_instant(said, first, length):
    timeline, end = timeline_of(said), first + length
    stretches = within(timeline, first, end)
    assert [value for start, until, value in stretches for _ in range(start, until)] == [
        value_at(timeline, at) for at in range(first, end) if timeline
    ]
    assert all(start < until for start, until, _ in stretches)
