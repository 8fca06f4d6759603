"""Which account somebody belonged to at a time, and which memberships and traits are kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.identity.memberships import MAX_MEMBERSHIPS, account_at, merge_memberships
from healthscore.core.identity.traits import MAX_TRAITS, effective, with_traits

memberships = st.lists(st.tuples(st.integers(0, 20), st.sampled_from("abc")), max_size=8)


@pytest.mark.parametrize(("at", "account"), [(0, "a"), (10, "a"), (19, "a"), (20, "b"), (99, "b")])
def test_account_at__is_the_latest_by_then_else_the_earliest(at, account):
    assert account_at([(10, "a"), (20, "b")], at) == account


def test_account_at__no_membership__none():
    assert account_at([], 5) is None


@given(memberships)
def test_merge_memberships__whatever_is_dropped__no_instant_gets_another_answer(new):
    kept = merge_memberships((), new)
    assert [account_at(kept, at) for at in range(-1, 22)] == [account_at(sorted(set(new)), at) for at in range(-1, 22)]


@given(memberships, memberships)
def test_merge_memberships__merged_twice__changes_nothing(known, new):
    once = merge_memberships(merge_memberships((), known), new)
    assert merge_memberships(once, once) == once


def test_merge_memberships__the_same_every_day__keeps_the_first_and_the_last():
    known = ()
    for day in range(100):
        known = merge_memberships(known, [(day, "a")])
    assert known == ((0, "a"), (99, "a"))


def test_merge_memberships__too_many__keeps_the_newest():
    kept = merge_memberships((), [(at, str(at)) for at in range(MAX_MEMBERSHIPS + 5)])
    assert (len(kept), kept[0], kept[-1]) == (
        MAX_MEMBERSHIPS,
        (5, "5"),
        (MAX_MEMBERSHIPS + 4, str(MAX_MEMBERSHIPS + 4)),
    )


@given(st.permutations([(1, "x"), (2, "y"), (3, "z")]))
def test_with_traits__different_values_in_any_order__the_latest_counts(new):
    known = {}
    for at, value in new:
        known = with_traits(known, {"plan": value}, at) or known
    assert known == {"plan": ("z", 3)}


def test_with_traits__same_value_again__nothing_changes():
    assert with_traits({"plan": ("pro", 1)}, {"plan": "pro"}, 2) is None


def test_with_traits__too_many__the_first_stay():
    known = with_traits({}, {f"n{i}": i for i in range(MAX_TRAITS + 5)}, 1)
    assert (len(known), "n0" in known) == (MAX_TRAITS, True)


def test_effective__admin_and_traits__the_admin_wins_field_by_field():
    traits = {"plan": ("pro", 1), "name": ("Acme", 1), "attributes.industry": ("x", 1), "attributes.seats": (5, 1)}
    profile = {"plan": "enterprise", "attributes": {"seats": 7}}
    assert effective(traits, profile) == (
        {"plan": "enterprise", "name": "Acme", "attributes": {"seats": 7, "industry": "x"}},
        ("attributes.industry", "name"),
    )
    assert profile == {"plan": "enterprise", "attributes": {"seats": 7}}
