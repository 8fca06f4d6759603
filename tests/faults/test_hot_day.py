"""A hot day in shards stays exact, and an event costs what it costs on any other day."""

from __future__ import annotations

from tests.faults import hot_day
from tests.faults.hot_day import HotDay


def test_hot_day__of_many_writers_in_shards__is_exact_and_costs_about_a_unit_an_event(tables):
    day = HotDay(events=300)
    hot_day.begin(day, shards=16)
    cost = hot_day.live(day, writers=8)
    assert cost.exact
    assert cost.per_event < 1.5


def test_hot_day__of_larger_batches_of_one_person_each__keeps_their_lower_cost(tables):
    day = HotDay(events=1_000, per_batch=20)
    hot_day.begin(day, shards=16)
    cost = hot_day.live(day, writers=8)
    assert cost.exact
    assert cost.per_event < 0.15
