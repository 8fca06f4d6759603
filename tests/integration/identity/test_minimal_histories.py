"""Histories are repeatable, and one that fails is made as small as a person needs it."""

from __future__ import annotations

import pytest

from tests.support.identity_histories import Fate, History, Step, history, shown, stamped
from tests.support.minimal_histories import described, minimal

GROUP = {"type": "group", "timestamp": "2026-11-16T09:00:00.000Z", "userId": "~ann", "groupId": "~acme"}
TRACK = {"type": "track", "timestamp": "2026-11-16T09:30:00.001Z", "userId": "~ann", "context": {"groupId": "~bolt"}}
PAGE = {"type": "page", "timestamp": "2026-11-17T00:00:00.000Z", "anonymousId": "~v1", "messageId": "~m1"}
WHOLE = History(
    (TRACK, GROUP, PAGE, GROUP),
    (
        Step((0,), Fate("killed after", 2, 1)),
        Step(),
        Step((1, 0)),
        Step((2,), Fate("paused", 3)),
        Step((0, 3), Fate("killed before", 11)),
    ),
)


def test_history__of_a_seed__is_the_same_every_time():
    assert [history(seed) for seed in range(20)] == [history(seed) for seed in range(20)]
    assert history(1) != history(2)


@pytest.mark.parametrize("seed", range(20))
def test_history__its_steps__deliver_every_call(seed):
    assert {number for step in history(seed).steps for number in step.calls} == {*range(len(history(seed).calls))}


def test_stamped__calls__have_ids_of_their_own_and_are_otherwise_the_same():
    assert stamped([GROUP], "x-") == [{**GROUP, "userId": "x-ann", "groupId": "x-acme"}]


def test_minimal__of_a_failure_by_two_calls__has_these_alone():
    def faults(one):
        kinds = [call["type"] for call in one.delivered]
        return ["wrong"] if "group" in kinds and "page" in kinds else []

    small = minimal(WHOLE, faults)
    assert sorted(call["type"] for call in small.calls) == ["group", "page"]
    assert (len(small.steps), [step.fate for step in small.steps]) == (1, [None])


def test_minimal__of_a_failure_by_a_fate__keeps_it():
    small = minimal(WHOLE, lambda one: ["wrong"] if any(step.fate == ("paused", 3, 0) for step in one.steps) else [])
    assert [step.fate for step in small.steps] == [Fate("paused", 3)]


def test_minimal__of_a_failure_by_a_sweep__keeps_it():
    small = minimal(WHOLE, lambda one: ["wrong"] if Step() in one.steps else [])
    assert small == History((), (Step(),))


def test_minimal__out_of_time__is_the_smallest_until_then():
    assert minimal(WHOLE, lambda _: ["wrong"], seconds=0) == WHOLE


def test_described__history__is_readable():
    assert described(WHOLE, ["acme: events is 1, not 2"]).splitlines() == [
        "calls",
        "   0  Mon 09:30:00.001  track    userId='ann'  context.groupId='bolt'",
        "   1  Mon 09:00:00.000  group    userId='ann'  groupId='acme'",
        "   2  Tue 00:00:00.000  page     anonymousId='v1'  messageId='m1'",
        "   3  Mon 09:00:00.000  group    userId='ann'  groupId='acme'",
        "steps",
        "  1. deliver 0, killed after at its DynamoDB call 2, sent again after 1 more steps",
        "  2. sweep",
        "  3. deliver 1, 0",
        "  4. deliver 2, paused at its DynamoDB call 3 and waits while the next step runs",
        "  5. deliver 0, 3, killed before at its DynamoDB call 11, sent again after 0 more steps",
        "wrong",
        "  acme: events is 1, not 2",
    ]


def test_shown__call__names_its_fields_in_one_line():
    assert shown(PAGE) == "Tue 00:00:00.000  page     anonymousId='v1'  messageId='m1'"
