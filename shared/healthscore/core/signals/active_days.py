"""The days on which an account was active, as counts of any span of days."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

QUARTER = 91
"""Thirteen weeks, so that every weekday is in it equally often."""
YEAR = 365


class ActiveDays:
    """A set of days that answers in constant time how many of them lie in a span."""

    __slots__ = ("_best", "_up_to", "days", "first")

    def __init__(self, days: Iterable[int]) -> None:
        """Take day numbers in any order; repeated ones count once."""
        self.days = tuple(sorted(set(days)))
        self.first = self.days[0] if self.days else 0
        bits = bytearray(self.days[-1] - self.first + 1 if self.days else 0)
        for day in self.days:
            bits[day - self.first] = 1
        self._up_to = [0, *accumulate(bits)]
        self._best: list[tuple[int, int]] | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActiveDays) and self.days == other.days

    def __hash__(self) -> int:
        return hash(self.days)

    def __contains__(self, day: int) -> bool:
        return self.count(day, day) == 1

    def count(self, start: int, end: int) -> int:
        """How many active days lie in a span, its two ends included."""
        start, end = start - self.first, end - self.first + 1
        up_to, last = self._up_to, len(self._up_to) - 1
        return up_to[0 if end < 0 else min(last, end)] - up_to[0 if start < 0 else min(last, start)]

    def last(self, day: int) -> int | None:
        """The last active day up to a day; None where there is none."""
        at = bisect_right(self.days, day)
        return self.days[at - 1] if at else None

    def weeks_active(self, day: int, weeks: int = 13) -> int:
        """In how many of the blocks of seven days up to a day there was activity."""
        return sum(self.count(day - 7 * back - 6, day - 7 * back) > 0 for back in range(weeks))

    def quarter(self, day: int) -> int:
        """Active days in the quarter that ends with a day."""
        return self.count(day - QUARTER + 1, day)

    def best_quarter(self, day: int) -> tuple[int, int]:
        """The most active days of any quarter that ended within the year up to a day, and the last day of it."""
        if self._best is None:
            self._best = self._best_quarters()
        at = day - self.first
        return self._best[at] if 0 <= at < len(self._best) else (0, day)

    def _best_quarters(self) -> list[tuple[int, int]]:
        """The best quarter of the year up to every day, from the first active one until no day is in any."""
        if not self.days:
            return []
        best: list[tuple[int, int]] = []
        falling: deque[tuple[int, int]] = deque()  # candidates: each is better than all that are later
        for day in range(self.first, self.days[-1] + QUARTER + YEAR):
            this = self.quarter(day)
            while falling and falling[-1][0] <= this:
                falling.pop()
            falling.append((this, day))
            if falling[0][1] <= day - YEAR:
                falling.popleft()
            best.append(falling[0])
        return best

    def since(self, day: int) -> ActiveDays:
        """The days from a day on."""
        return ActiveDays(self.days[bisect_left(self.days, day) :])

    def until(self, day: int) -> ActiveDays:
        """The days up to a day."""
        return ActiveDays(self.days[: bisect_right(self.days, day)])
