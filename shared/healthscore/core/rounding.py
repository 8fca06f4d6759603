"""Exact rounding of fractions.

Scores are computed with whole numbers and fractions, never in binary floating point; a float appears only where a
finished figure becomes JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction


def round_half_up(value: Fraction | int) -> int:
    """Round to the nearest whole number, halves upwards: 2.5 → 3, -2.5 → -2 (scoring rule 2)."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def decimal_number(value: Fraction | int, places: int = 1) -> float:
    """Round half up to some decimals, as a JSON number: 80 3/7 → 80.4."""
    scale: int = 10**places
    return (2 * value.numerator * scale + value.denominator) // (2 * value.denominator) / scale


def round_up(value: Fraction | int) -> int:
    """Round up to a whole number."""
    return -(-value.numerator // value.denominator)


def whole(number: float) -> float:
    """A number as JSON shows it: without a fraction where it has none, 391300.0 → 391300."""
    return int(number) if number == int(number) else number
