"""Which traits of accounts and people are kept, and that an admin is always right."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.identity.traits import MAX_TRAITS, effective, with_traits


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
