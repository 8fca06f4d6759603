"""Lanes: which entry lies where, how many a day has, and that their roll-ups add up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.day_log.codec import entry
from healthscore.core.day_log.log import Head, decode_head, encode_head
from healthscore.core.day_log.rollup import Fold, merged
from healthscore.core.day_log.shards import (
    LANE_BATCHES,
    MAX_LANES,
    NO_LOAD,
    RACE,
    Load,
    lane_of,
    lanes_for,
    load_of,
    split,
)
from tests.support.events import DAY, distinct_events, event, naive_rollup

POWERS = [1, 2, 4, 8, 16, 32]


@pytest.mark.parametrize(
    ("batches", "lanes"),
    [
        (0, 1),
        (LANE_BATCHES, 1),
        (LANE_BATCHES + 1, 2),
        (2 * LANE_BATCHES, 2),
        (2 * LANE_BATCHES + 1, 4),
        (100_000, 16),
        (10**9, MAX_LANES),
    ],
)
def test_lanes_for__a_load__is_the_power_of_two_that_leaves_each_lane_little_enough(batches, lanes):
    assert lanes_for(Load(batches, batches), 1) == lanes


def test_lanes_for__wide_batches__is_one():
    assert lanes_for(Load(10**6, 2 * 10**6), 1) == MAX_LANES
    assert lanes_for(Load(10**6, 2 * 10**6 + 1), MAX_LANES) == 1


def test_lanes_for__a_quiet_day_after_busy_ones__is_half_of_before():
    assert lanes_for(Load(3, 3), 16) == 8
    assert lanes_for(NO_LOAD, 2) == lanes_for(NO_LOAD, 1) == 1


def test_load_of__a_batch__counts_the_lanes_it_would_touch():
    assert load_of([entry(event("e1", user_id="ann")), entry(event("e2", 1, user_id="ann"))]) == Load(1, 1)
    crowd = [entry(event(f"e{i}", user_id=f"user-{i}")) for i in range(1000)]
    assert NO_LOAD.plus(load_of(crowd)).plus(load_of(crowd[:1])) == Load(2, MAX_LANES + 1)


def test_load__after_lost_races__is_that_of_many_more_batches_as_wide():
    assert load_of([entry(event("e1"))]).after(0) == Load(1, 1)
    assert Load(1, 3).after(2) == Load(1 + 2 * RACE, 3 * (1 + 2 * RACE))
    assert lanes_for(Load(LANE_BATCHES, LANE_BATCHES).plus(Load(1, 1).after(LANE_BATCHES // RACE)), 1) == 4


def test_load__beyond_what_a_head_can_hold__stays_there():
    full = Load(2**32 - 1, 2**32 - 1)
    assert full.plus(Load(1, 9)) == full
    assert decode_head(DAY, encode_head(DAY, Head(load=full))).load == full


@pytest.mark.parametrize("lanes", POWERS)
def test_lane_of__a_person__does_not_depend_on_the_event(lanes):
    entries = [entry(event(f"e{i}", i, user_id="ann", session_id=f"s{i}", name=f"n{i}")) for i in range(20)]
    assert len({lane_of(one, lanes) for one in entries}) == 1


def test_lane_of__a_session_without_a_person__does_not_depend_on_the_event():
    assert len({lane_of(entry(event(f"e{i}", i, session_id="s")), MAX_LANES) for i in range(20)}) == 1


@pytest.mark.parametrize("fields", [{"user_id": "u{}"}, {"anonymous_id": "a{}"}, {"session_id": "s{}"}, {}])
def test_split__of_many__uses_all_lanes_about_evenly(fields):
    crowd = [
        entry(event(f"e{i}", **{name: template.format(i) for name, template in fields.items()})) for i in range(3200)
    ]
    sizes = [len(part) for part in split(crowd, MAX_LANES).values()]
    assert len(sizes) == MAX_LANES
    assert min(sizes) > 50


@given(distinct_events(max_size=60), st.sampled_from(POWERS))
def test_merged__roll_ups_of_lanes__are_that_of_the_day(events, lanes):
    parts = split([entry(one) for one in events], lanes)
    assert list(parts) == sorted(parts)
    assert merged([Fold().add(part).rollup(DAY) for part in parts.values()]) == naive_rollup(events)


def test_merged__lanes_with_more_names_than_a_roll_up_keeps__sums_the_rest_under_one_entry():
    parts = [[entry(event(f"{lane}-{i}", name=f"a rather long name, number {i}")) for i in range(30)] for lane in "xy"]
    rollup = merged([Fold().add(part).rollup(DAY) for part in parts])
    assert rollup.events == sum(tally.count for tally in rollup.names.values()) == 60
    assert rollup.names[""].count == 60 - 2 * (len(rollup.names) - 1)
