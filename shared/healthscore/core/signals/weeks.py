"""The complete weeks of one signal that exist: an excused week is left out (signal rules 2 and 28)."""

from __future__ import annotations

from typing import NamedTuple


class Week(NamedTuple):
    """One complete week of a signal."""

    week: int
    value: int


BASELINE_WEEKS = 12
"""A quarter less one week: long enough that a holiday is a small part, short enough that a year's growth is not yet in it."""
RECENT_WEEKS = 4
