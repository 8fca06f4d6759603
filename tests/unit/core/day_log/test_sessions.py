"""Sessions: scoring rule 7."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.day_log.sessions import GAP_MS, Sessions


def totals(*events: tuple[str | None, int, int]) -> tuple[int, int, int]:
    sessions = Sessions()
    for person, session, at in events:
        sessions.add(person, session, at)
    return sessions.totals()


@pytest.mark.parametrize(
    ("gap", "expected"),
    [(GAP_MS - 1, (1, 2, GAP_MS - 1)), (GAP_MS, (1, 2, GAP_MS)), (GAP_MS + 1, (2, 2, 0))],
    ids=["just under half an hour", "exactly half an hour", "a millisecond more"],
)
def test_gap__around_half_an_hour__joins_up_to_and_including_it(gap, expected):
    assert totals(("uann", 0, 0), ("uann", 0, gap)) == expected


def test_event_between_two_runs__within_reach_of_both__joins_them():
    assert totals(("uann", 0, 0), ("uann", 0, 2 * GAP_MS), ("uann", 0, GAP_MS)) == (1, 3, 2 * GAP_MS)


def test_two_people__at_the_same_time__have_sessions_of_their_own():
    assert totals(("uann", 0, 0), ("ubob", 0, 5), ("aann", 0, 7)) == (3, 3, 0)


def test_named_session__with_a_long_gap__stays_one():
    assert totals(("uann", 9, 0), ("uann", 9, 5 * GAP_MS)) == (1, 2, 5 * GAP_MS)


def test_named_session__of_two_people__is_two():
    assert totals(("uann", 9, 0), ("ubob", 9, 10)) == (2, 2, 0)


def test_named_session__without_a_person__is_one():
    assert totals((None, 9, 0), (None, 9, 10)) == (1, 2, 10)


def test_event_without_person_and_session__belongs_to_none():
    assert totals((None, 0, 0)) == (0, 0, 0)


def test_named_and_unnamed_events_of_a_person__are_kept_apart():
    assert totals(("uann", 9, 0), ("uann", 0, 10), ("uann", 9, 20)) == (2, 3, 20)


@given(st.lists(st.tuples(st.sampled_from(["ua", "ub", None]), st.sampled_from([0, 0, 1]), st.integers(0, 20_000_000))))
def test_totals__in_any_order__are_the_same(events):
    assert totals(*events) == totals(*reversed(events)) == totals(*sorted(events, key=repr))


def test_copy__of_sessions__does_not_change_with_the_original():
    sessions = Sessions()
    sessions.add("uann", 0, 0)
    twin = sessions.copy()
    sessions.add("uann", 0, 60_000)
    assert twin.totals() == (1, 1, 0)
    assert sessions.totals() == (1, 2, 60_000)
