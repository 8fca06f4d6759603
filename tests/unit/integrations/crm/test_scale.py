"""The large account's run, small."""

from __future__ import annotations

from tests.bench.crm import run


def test_large_account__killed_refused_and_lagging__is_read_exactly_within_its_limits():
    everything, day = (figures for _, figures in run(2500, 60, kill_every=1))
    assert (everything.companies, everything.wrong, everything.kills) == (2500, 0, 2)
    assert (day.wrong, day.kills > 0) == (0, True)
    assert 0 < day.companies <= 60
    assert day.read["companies"] <= 70
    for figures in (everything, day):
        assert figures.most_in_10_seconds <= 100
        assert figures.most_searches_in_a_second <= 5
