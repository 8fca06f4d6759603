"""Places: where the events of an id count."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.identity.places import PLACES_BYTES, Place, decode, encode, fitting, merged, place_at

stretches = st.lists(
    st.builds(Place, st.integers(0, 20), st.sampled_from([None, "acme", "bolt"]), st.sampled_from([None, "uann"])),
    min_size=1,
    max_size=6,
    unique_by=lambda place: place.since,
).map(sorted)


@given(stretches)
def test_merged__stretches__says_the_same_at_each_instant_and_no_two_neighbours_are_alike(drawn):
    places = merged(drawn)
    assert [place_at(places, at)[1:] for at in range(-1, 22)] == [place_at(drawn, at)[1:] for at in range(-1, 22)]
    assert all(one[1:] != other[1:] for one, other in pairwise(places))


@given(stretches)
def test_decode__of_encoded_places__says_the_same_at_each_instant(drawn):
    places = merged(drawn)
    again = decode(encode(places))
    assert [place_at(again, at)[1:] for at in range(-1, 22)] == [place_at(places, at)[1:] for at in range(-1, 22)]
    assert encode(again) == encode(places)


def test_encode__places_that_begin_at_different_instants__is_the_same_text():
    """The first one holds before its instant as well, so the instant says nothing."""
    assert encode((Place(5, "acme", None), Place(9, "bolt", None))) == encode(
        (Place(7, "acme", None), Place(9, "bolt", None))
    )


@pytest.mark.parametrize(("at", "account_id"), [(0, None), (9, None), (10, "acme"), (19, "acme"), (20, "bolt")])
def test_place_at__an_instant__is_the_last_place_by_then_else_the_first(at, account_id):
    places = (Place(5, None, None), Place(10, "acme", "uann"), Place(20, "bolt", "uann"))
    assert place_at(places, at).account_id == account_id


@given(stretches)
def test_fitting__places_for_which_there_is_room__are_all_kept(drawn):
    assert fitting(merged(drawn)) == merged(drawn)


def test_fitting__more_changes_than_there_is_room_for__keeps_the_newest():
    """An id may be said to move at every millisecond of a day, between accounts with the longest ids."""
    wide = "\U00020000" * 195
    places = tuple(Place(at, f"{at}{wide}", f"u{wide}") for at in range(500))
    kept = fitting(places)
    assert 0.8 * PLACES_BYTES < len(encode(kept).encode()) <= PLACES_BYTES
    assert kept == places[-len(kept) :]
    assert place_at(kept, 0) == kept[0]
    assert place_at(kept, 499) == places[499]
