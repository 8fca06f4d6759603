"""Whole lives under faults end exact; and the check that says so notices when a guard is taken out of the code."""

from __future__ import annotations

from datetime import timedelta

import pytest

from healthscore.core import daylog
from healthscore.storage import log_items, messages
from tests.faults import story, topic
from tests.faults.injection import KINDS

DELIVERIES = 60


def test_lives__under_faults__end_with_the_figures_of_those_without():
    lives = [story.live(seed, DELIVERIES) for seed in range(2)]
    assert [one.wrong for one in lives] == [[], []]
    met = {fault for one in lives for fault in one.faults}
    assert met >= KINDS
    assert met & topic.PARTIAL_KINDS
    assert all(one.repeated for one in lives)


def test_life__of_the_same_seed__meets_the_same_faults():
    once, again = (story.live(7, 10, beside_a_calm_one=False) for _ in range(2))
    assert (once.faults, once.calls, once.repeated) == (again.faults, again.calls, again.repeated)


def wrong():
    """What the first life that does not end exact has to say."""
    lives = (story.live(seed, DELIVERIES, beside_a_calm_one=False) for seed in (2, 4, 6, 8))
    return next((one.wrong for one in lives if one.wrong), [])


def test_check__without_the_version_condition__fails(monkeypatch):
    head_put = log_items.head_put

    def unconditional(*args, **kwargs):
        put = head_put(*args, **kwargs)
        return {name: put[name] for name in ("TableName", "Item")}

    monkeypatch.setattr(log_items, "head_put", unconditional)
    assert any("the roll-up" in one for one in wrong())


def test_check__without_de_duplication__fails(monkeypatch):
    class Forgetful(daylog.Sealed):
        @property
        def seen(self):
            return frozenset()

        @seen.setter
        def seen(self, ids):
            pass

    monkeypatch.setattr(daylog, "Sealed", Forgetful)
    assert any("the roll-up" in one for one in wrong())


def test_check__without_the_outboxs_claim__fails(monkeypatch):
    claim = messages.claim
    no_lease = timedelta(0)
    monkeypatch.setattr(messages, "claim", lambda *message, now, lease: claim(*message, now=now, lease=no_lease))
    assert any("within its lease" in one for one in wrong())


def test_check__with_a_sender_that_does_not_send_again__fails(monkeypatch):
    monkeypatch.setattr(story, "TRIES", 1)
    with pytest.raises(AssertionError):
        story.live(0, DELIVERIES)
