"""Whatever calls say, in whatever order, batches and crashes they arrive, every figure is the judge's.

A history is a few calls about a few people; its deliveries are shuffled, repeated, split, paused and killed. All of it
is drawn from a seed (`tests/support/identity_histories.py`), and judged by `tests/support/identity_judge.py`. A history
that fails is made small and shown. More of them, or one again, by hand:

    make histories HISTORIES=20000 FIRST_HISTORY=500
    make histories HISTORIES=1 FIRST_HISTORY=4711
"""

from __future__ import annotations

import os

import pytest

from healthscore.core.day_log import log as day_log
from tests.support.identity_deliveries import Workspace
from tests.support.identity_guide import examples
from tests.support.identity_histories import ZONES, History, Step, history, with_merges
from tests.support.minimal_histories import described, minimal

HISTORIES = int(os.environ.get("HISTORIES", "400"))
WITH_MERGES = HISTORIES // 4
"""Besides these, histories in which accounts are merged."""
FIRST = int(os.environ.get("FIRST_HISTORY", "0"))
pytestmark = pytest.mark.no_cover  # it would double their time
CHUNK = 25
"""Histories that share tables, each with ids of its own."""
FEWEST_FATES = 3
"""Kinds of faults that the deliveries of a whole chunk meet at least: else they make fewer calls than faults expect."""


@pytest.mark.parametrize("start", range(FIRST, FIRST + HISTORIES, CHUNK))
def test_figures__of_random_histories__are_those_of_the_calls_alone(start, moto, monkeypatch):
    workspace = Workspace(ZONES[start // CHUNK % len(ZONES)], monkeypatch)
    seeds = range(start, min(start + CHUNK, FIRST + HISTORIES))
    for seed in seeds:
        faults = workspace.faults(history(seed))
        if faults:
            small = minimal(history(seed), workspace.faults)
            pytest.fail(
                f"history {seed}, in {workspace.zone}\n{described(small, workspace.faults(small) or faults)}",
                pytrace=False,
            )
    assert len(seeds) < CHUNK or len(workspace.met) >= FEWEST_FATES, workspace.met


@pytest.mark.parametrize("start", range(FIRST, FIRST + WITH_MERGES, CHUNK))
def test_figures__of_random_histories_with_merged_accounts__are_those_of_the_account_that_goes_on(
    start, moto, monkeypatch
):
    workspace = Workspace(ZONES[start // CHUNK % len(ZONES)], monkeypatch)
    monkeypatch.setattr(day_log, "HEAD_BYTES", 260)
    for seed in range(start, min(start + CHUNK, FIRST + WITH_MERGES)):
        whole = with_merges(history(seed), seed)
        faults = workspace.faults(whole)
        if faults:
            small = minimal(whole, workspace.faults)
            pytest.fail(f"history {seed}\n{described(small, workspace.faults(small) or faults)}", pytrace=False)


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.title)
def test_figures__of_an_example_of_the_guide__are_those_of_the_judge(example, moto, monkeypatch):
    whole = History(tuple(example.calls), (Step(tuple(range(len(example.calls)))),))
    assert Workspace("UTC", monkeypatch).faults(whole) == []
