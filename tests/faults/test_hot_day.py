"""A hot day in lanes stays exact, and an event costs what it costs on any other day."""

from __future__ import annotations

from tests.faults import hot_day


def test_hot_day__of_many_writers_in_lanes__is_exact_and_costs_about_a_unit_an_event(tables):
    cost = hot_day.live(events=300, writers=8, lanes=16)
    assert cost.exact
    assert cost.units / cost.events < 1.5


def test_hot_day__of_larger_batches_of_one_person_each__keeps_their_lower_cost(tables):
    cost = hot_day.live(events=1_000, writers=8, lanes=16, per_batch=20)
    assert cost.exact
    assert cost.units / cost.events < 0.15
