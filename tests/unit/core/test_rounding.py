from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.rounding import decimal_number, round_half_up, round_up


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Fraction(5, 2), 3),
        (Fraction(-5, 2), -2),
        (Fraction(7, 3), 2),
        (7, 7),
        # In binary floating point, the largest number below 0.5, plus 0.5, is 1.
        (Fraction(1, 2) - Fraction(1, 10**20), 0),
    ],
)
def test_round_half_up__value__nearest_and_halves_upwards(value, expected):
    assert round_half_up(value) == expected


@given(st.fractions())
def test_round_half_up__any_value__is_at_most_a_half_away(value):
    assert Fraction(-1, 2) < round_half_up(value) - value <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [(Fraction(563, 7), 1, 80.4), (Fraction(1, 20), 1, 0.1), (Fraction(56, 3), 2, 18.67), (80, 1, 80.0)],
)
def test_decimal_number__fraction__is_rounded_half_up_to_the_places(value, places, expected):
    assert repr(decimal_number(value, places)) == repr(expected)


@pytest.mark.parametrize(("value", "expected"), [(Fraction(1, 100), 1), (3, 3), (Fraction(301, 100), 4)])
def test_round_up__value__is_never_below_it(value, expected):
    assert round_up(value) == expected
