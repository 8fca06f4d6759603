"""Shards: which entry lies where, how many a day has, and that their roll-ups add up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.day_log.codec import entry
from healthscore.core.day_log.log import Head, decode_head, encode_head
from healthscore.core.day_log.rollup import Fold, merged
from healthscore.core.day_log.shards import (
    CONFLICT_WEIGHT,
    MAX_SHARDS,
    NO_LOAD,
    SHARD_BATCHES,
    WriteLoad,
    load_of,
    shard_of,
    shards_for,
    split,
)
from tests.support.events import DAY, distinct_events, event, naive_rollup

POWERS = [1, 2, 4, 8, 16, 32]


@pytest.mark.parametrize(
    ("batches", "shards"),
    [
        (0, 1),
        (SHARD_BATCHES, 1),
        (SHARD_BATCHES + 1, 2),
        (2 * SHARD_BATCHES, 2),
        (2 * SHARD_BATCHES + 1, 4),
        (100_000, 16),
        (10**9, MAX_SHARDS),
    ],
)
def test_shards_for__a_load__is_the_power_of_two_that_leaves_each_shard_little_enough(batches, shards):
    assert shards_for(WriteLoad(batches, batches), 1) == shards


def test_shards_for__wide_batches__is_one():
    assert shards_for(WriteLoad(10**6, 2 * 10**6), 1) == MAX_SHARDS
    assert shards_for(WriteLoad(10**6, 2 * 10**6 + 1), MAX_SHARDS) == 1


def test_shards_for__a_quiet_day_after_busy_ones__is_half_of_before():
    assert shards_for(WriteLoad(3, 3), 16) == 8
    assert shards_for(NO_LOAD, 2) == shards_for(NO_LOAD, 1) == 1


def test_load_of__a_batch__counts_the_shards_it_would_touch():
    assert load_of([entry(event("e1", user_id="ann")), entry(event("e2", 1, user_id="ann"))]) == WriteLoad(1, 1)
    crowd = [entry(event(f"e{i}", user_id=f"user-{i}")) for i in range(1000)]
    assert NO_LOAD.plus(load_of(crowd)).plus(load_of(crowd[:1])) == WriteLoad(2, MAX_SHARDS + 1)


def test_load__after_conflicts__is_that_of_many_more_batches_as_wide():
    assert load_of([entry(event("e1"))]).after(0) == WriteLoad(1, 1)
    assert WriteLoad(1, 3).after(2) == WriteLoad(1 + 2 * CONFLICT_WEIGHT, 3 * (1 + 2 * CONFLICT_WEIGHT))
    assert (
        shards_for(
            WriteLoad(SHARD_BATCHES, SHARD_BATCHES).plus(WriteLoad(1, 1).after(SHARD_BATCHES // CONFLICT_WEIGHT)), 1
        )
        == 4
    )


def test_load__beyond_what_a_head_can_hold__stays_there():
    full = WriteLoad(2**32 - 1, 2**32 - 1)
    assert full.plus(WriteLoad(1, 9)) == full
    assert decode_head(DAY, encode_head(DAY, Head(load=full))).load == full


@pytest.mark.parametrize("shards", POWERS)
def test_shard_of__a_person__does_not_depend_on_the_event(shards):
    entries = [entry(event(f"e{i}", i, user_id="ann", session_id=f"s{i}", name=f"n{i}")) for i in range(20)]
    assert len({shard_of(one, shards) for one in entries}) == 1


def test_shard_of__a_session_without_a_person__does_not_depend_on_the_event():
    assert len({shard_of(entry(event(f"e{i}", i, session_id="s")), MAX_SHARDS) for i in range(20)}) == 1


@pytest.mark.parametrize("fields", [{"user_id": "u{}"}, {"anonymous_id": "a{}"}, {"session_id": "s{}"}, {}])
def test_split__of_many__uses_all_shards_about_evenly(fields):
    crowd = [
        entry(event(f"e{i}", **{name: template.format(i) for name, template in fields.items()})) for i in range(3200)
    ]
    sizes = [len(part) for part in split(crowd, MAX_SHARDS).values()]
    assert len(sizes) == MAX_SHARDS
    assert min(sizes) > 50


@given(distinct_events(max_size=60), st.sampled_from(POWERS))
def test_merged__roll_ups_of_shards__are_that_of_the_day(events, shards):
    parts = split([entry(one) for one in events], shards)
    assert list(parts) == sorted(parts)
    assert merged([Fold().add(part).rollup(DAY) for part in parts.values()]) == naive_rollup(events)


def test_merged__shards_with_more_names_than_a_roll_up_keeps__sums_the_rest_under_one_entry():
    parts = [
        [entry(event(f"{shard}-{i}", name=f"a rather long name, number {i}")) for i in range(30)] for shard in "xy"
    ]
    rollup = merged([Fold().add(part).rollup(DAY) for part in parts])
    assert rollup.events == sum(counted.count for counted in rollup.names.values()) == 60
    assert rollup.names[""].count == 60 - 2 * (len(rollup.names) - 1)
