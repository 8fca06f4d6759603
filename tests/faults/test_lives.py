"""Whole lives under faults end exact; and the check that says so notices when a guard is taken out of the code."""

from __future__ import annotations

from datetime import timedelta

import pytest

from healthscore.core.day_log.id_set import IdSet
from healthscore.storage import writes
from healthscore.storage.alerts import messages
from healthscore.storage.day_logs import log_items, settle
from healthscore.storage.erasure import day_logs
from tests.faults import life, story, topic
from tests.faults.injection import KINDS

pytestmark = pytest.mark.slow

DELIVERIES = 24
MOST_LIVES = 20
"""Lived until one of them notices that a guard is missing: mostly the first or second."""


def test_lives__under_faults__end_with_the_figures_of_those_without():
    """Which faults a seed meets changes with the code's calls: so there are lives until every kind was met."""
    met: set[str] = set()
    for seed in range(2, MOST_LIVES):
        one = story.live(seed, DELIVERIES, share=0.08)
        assert one.wrong == []
        assert one.repeated
        assert one.erasures
        met |= set(one.faults)
        if seed > 2 and met >= KINDS and met & topic.PARTIAL_KINDS:
            return
    pytest.fail(f"not met: {KINDS - met or topic.PARTIAL_KINDS}")


def test_life__of_the_same_seed__meets_the_same_faults_and_comes_to_the_same_end():
    once, again = (story.live(7, 10, beside_a_calm_one=False) for _ in range(2))
    assert once == again


def noticed(*words):
    """Whether a life ends with such a complaint: which one does changes with the code's calls."""
    lives = (story.live(seed, DELIVERIES, beside_a_calm_one=False) for seed in range(MOST_LIVES))
    return any(word in complaint for one in lives for complaint in one.wrong for word in words)


def test_check__without_the_version_condition__fails(monkeypatch):
    head_put = log_items.head_put

    def unconditional(*args, **kwargs):
        put = head_put(*args, **kwargs)
        return writes.put(put.parameters["TableName"], put.parameters["Item"])

    monkeypatch.setattr(log_items, "head_put", unconditional)
    assert noticed("is missing")


def test_check__without_de_duplication__fails(monkeypatch):
    monkeypatch.setattr(IdSet, "__contains__", lambda _ids, _id: False)
    assert noticed("the roll-up")


def test_check__without_settlements__fails(monkeypatch):
    monkeypatch.setattr(settle, "settle", lambda *_, **__: None)
    assert noticed("people-")


def test_check__without_the_outboxs_claim__fails(monkeypatch):
    claim = messages.claim
    no_lease = timedelta(0)
    monkeypatch.setattr(messages, "claim", lambda *message, now, lease: claim(*message, now=now, lease=no_lease))
    assert noticed("within its lease")


def test_check__with_an_erasure_that_leaves_the_logs__fails(monkeypatch):
    monkeypatch.setattr(day_logs, "erase", lambda _erasure: iter(()))
    assert noticed("first-seen times", "a trace of")


def test_check__with_a_sender_that_does_not_send_again__fails(monkeypatch):
    monkeypatch.setattr(life, "TRIES", 1)
    with pytest.raises(AssertionError):
        story.live(0, DELIVERIES)
