from __future__ import annotations

import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.signals.earlier_profiles import (
    MAX_BYTES,
    MAX_CHANGES,
    merged,
    read_by_rules,
    timeline,
    with_change,
    without_churned,
    without_people,
)

FIELDS = st.builds(
    read_by_rules,
    st.fixed_dictionaries(
        {},
        optional={
            "expected_cadence_days": st.sampled_from([7, 90]),
            "usage_mode": st.sampled_from(["continuous", "periodic"]),
            "usage_channel": st.sampled_from(["people", "api", "both"]),
            "champions": st.lists(st.sampled_from(["ann", "ben", "eve"]), max_size=2),
            "created_at": st.sampled_from(["2026-01-01", "2025-01-01T10:00:00Z"]),
            "name": st.just("Acme"),
        },
    ),
    churned=st.sampled_from([None, False, True]),
)
LIVES = st.lists(FIELDS, min_size=1, max_size=8)


def lived(states, *, start=1000, step=10):
    """What rules read now and the changes, of an account with these states, each from an instant on."""
    earlier = []
    for number, (before, after) in enumerate(itertools.pairwise(states)):
        changed = with_change(earlier, before, after, start + step * number)
        earlier = earlier if changed is None else changed
    return states[-1], json.loads(json.dumps(earlier))


def state_at(now, earlier, instant):
    return [fields for since, fields in timeline(now, earlier) if since <= instant][-1]


@given(LIVES)
def test_timeline__of_any_changes__has_what_held_at_each_time(states):
    now, earlier = lived(states)
    assert [state_at(now, earlier, 999 + 10 * number) for number in range(len(states))] == states


def test_with_change__of_what_no_rule_reads__is_none():
    before = read_by_rules({"name": "Acme", "champions": [], "usage_channel": "people"})
    assert with_change([], before, read_by_rules({"name": "Acme Corp", "usage_mode": "continuous"}), 1) is None


def test_with_change__by_a_clock_that_is_behind__comes_after_the_change_before():
    first = with_change([], {"c": 7}, {"c": 8}, 500) or []
    assert with_change(first, {"c": 8}, {"c": 9}, 400) == [(500, {"c": 7}), (500, {"c": 8})]


def test_with_change__more_than_there_is_room_for__forgets_the_oldest():
    states = [{"c": number} for number in range(1, 80)]
    now, earlier = lived(states)
    assert len(earlier) == MAX_CHANGES
    assert state_at(now, earlier, 0) == {"c": 79 - MAX_CHANGES}
    long = [{"h": [f"{number}-{'x' * 190}" for number in range(first, first + 5)]} for first in range(20)]
    now, earlier = lived(long)
    assert 0 < len(json.dumps(earlier, separators=(",", ":"))) <= MAX_BYTES
    assert state_at(now, earlier, 5000) == long[-1]


@given(LIVES, LIVES, st.integers(1, 30))
def test_merged__of_two_accounts__fills_at_each_time_what_was_not_known(states, others, step):
    goes_on, given_up = lived(states), lived(others, step=step)
    after = {**given_up[0], **goes_on[0]}
    changes = merged(goes_on, given_up, after)
    for instant in range(980, 1300, 5):
        expected = {**state_at(*given_up, instant), **state_at(*goes_on, instant)}
        assert state_at(after, changes, instant) == expected


@given(LIVES)
def test_without_churned__of_any_changes__tells_all_but_that(states):
    now, earlier = without_churned(*lived(states))
    bare = [{short: value for short, value in fields.items() if short != "x"} for fields in states]
    assert [state_at(now, earlier, 999 + 10 * number) for number in range(len(states))] == bare


@given(LIVES, st.sets(st.sampled_from(["ann", "ben", "eve"])))
def test_without_people__of_any_changes__names_them_at_no_time_and_changes_nothing_else(states, gone):
    now, earlier = lived(states)
    scrubbed = without_people(earlier, gone)
    assert not any(f'"{person}"' in json.dumps(scrubbed) for person in gone)
    now = {**now, "h": [one for one in now.get("h", []) if one not in gone]}
    for number, fields in enumerate(states):
        found = state_at(now, scrubbed, 999 + 10 * number)
        champions = [one for one in fields.get("h", []) if one not in gone]
        assert {**found, "h": found.get("h", [])} == {**fields, "h": champions}
