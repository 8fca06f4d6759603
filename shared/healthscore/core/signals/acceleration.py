"""Acceleration: whether a fall speeds up (signal rule 9)."""

from __future__ import annotations

from enum import StrEnum


class Acceleration(StrEnum):
    """How a fall goes on."""

    SPEEDING_UP = "speeding_up"
    SLOWING_DOWN = "slowing_down"
    STEADY = "steady"


def acceleration(first: int, second: int, third: int) -> Acceleration | None:
    """How a fall over three spans of four weeks goes on; None where it is no fall.

    The second fall is compared with the first in proportion: from 16 over 8 to 4 is steady.
    """
    if not third < second < first:
        return None
    now, evenly = third * first, second * second
    if now == evenly:
        return Acceleration.STEADY
    return Acceleration.SPEEDING_UP if now < evenly else Acceleration.SLOWING_DOWN
