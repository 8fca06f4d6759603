"""The ids of a log's sealed part."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.day_log.id_set import IdSet


@given(st.lists(st.sets(st.integers(0, 2**64 - 1), min_size=1, max_size=9), max_size=30))
def test_id_set__grown_by_sets_of_any_size__holds_them_all_and_leaves_the_smaller_ones_as_they_were(sets):
    seen, expected, before = IdSet(), set(), []
    for ids in sets:
        before.append((seen, frozenset(expected)))
        seen = seen.plus(ids - expected)
        expected |= ids
    for each, held in [*before, (seen, expected)]:
        assert len(each) == len(held)
        assert all(id_ in each for id_ in held)
        assert not any(id_ in each for id_ in expected - held)


def test_id_set__grown_by_a_thousand_blocks__looks_in_a_few_places_and_copies_little():
    seen, copied = IdSet(), 0
    for first in range(0, 50_000, 50):
        grown = seen.plus(range(first, first + 50))
        copied += sum(len(layer) for layer in grown._layers if not any(layer is old for old in seen._layers))
        seen = grown
    assert len(seen._layers) <= 11
    assert copied < 50_000 * 11
