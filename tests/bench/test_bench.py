"""The benchmarks run at their smallest size; `make bench` runs them at full size."""

from __future__ import annotations

import pytest

from healthscore import process
from healthscore.integrations.crm import hubspot_api
from tests.bench import book, costs, crm_tables, early_warning, engine, imports, night, postgres, starts, views, writes

PARTS = {
    "writes": lambda: writes.measure(day_events=100, timed_events=1, rounds=1, batches=(100,)),
    "views": lambda: views.measure(cases=((3, 20),), views=1, rounds=1),
    "night with risk": lambda: night.with_risk(
        {"customers": 1, "before": 1, "timed": 1, "metered": 1, "history": 3, "daily": True}
    ),
    "night": lambda: night.measure(customers=2, days=8, a_day=4, nights=3, compared=night.Compared(2, 2, 1, 1)),
    "early warning": lambda: early_warning.measure(days=120, rounds=1),
    "imports": lambda: imports.measure(stored=(0, 30), timed=10, plainly=2, far_batches=1),
    "book": lambda: book.measure(accounts=(100,), changed=(0, 10), beside=2500, rounds=1),
    "starts": lambda: starts.measure(functions=("score",), rounds=1),
}
"""Each benchmark at its smallest size."""


@pytest.fixture
def bench_tables(dynamodb_local_endpoint, monkeypatch):
    for name, value in engine.environment(dynamodb_local_endpoint).items():
        monkeypatch.setenv(name, value)
    process.forget()
    engine.fresh_tables()
    yield
    engine.drop_tables()
    process.forget()


@pytest.mark.slow
@pytest.mark.dynamodb_local
@pytest.mark.parametrize("part", PARTS)
def test_bench__at_its_smallest__measures(part, bench_tables, monkeypatch):
    monkeypatch.setattr(postgres, "_programs", lambda: None)
    section = PARTS[part]()
    assert section.figures
    assert all(value > 0 for value in section.figures.values()), section.figures
    assert (postgres.MISSING in str(section)) == (part == "night")


def test_costs__of_known_units__are_units_times_prices():
    figures = {"writes 20 100": 0.1, "reads 20 100": 0.1, "cpu 20 100": 0.4}
    cost = costs.events(figures, 20)
    assert cost.writes == pytest.approx(0.0625)
    assert cost.reads == pytest.approx(0.0125)
    assert cost.gateway == pytest.approx(0.05)
    assert cost.total == pytest.approx(sum(cost))


@pytest.mark.slow
@pytest.mark.dynamodb_local
def test_large_crm__synced_through_crashes__leaves_exactly_its_facts_in_the_tables(bench_tables, monkeypatch):
    """The check of `python -m tests.bench.crm_tables`, with a few hundred companies."""
    monkeypatch.setattr(hubspot_api, "ASSOCIATED", 100)
    first, day, again = (figures for _, figures in crm_tables.run(250, 20, crash_every=300))
    assert [figures.wrong for figures in (first, day, again)] == [0, 0, 0]
    assert first.crashes > 1
    # A claim and the facts, once for each company however often the reader crashed.
    assert first.table_calls["TransactWriteItems"] < 2 * 250 + 20
    assert 0 < day.changed <= day.companies <= day.read["companies"] < 25
    assert again.companies == 250
    assert (again.changed, again.table_calls.get("TransactWriteItems", 0)) == (0, 0)
    assert again.table_calls_a_company < 0.2
    for figures in (first, day, again):
        assert figures.most_in_10_seconds <= 100
        assert figures.most_searches_in_a_second <= 5
