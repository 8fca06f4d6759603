"""The days on which an account was active, as counts of any span of days."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate
from operator import lt, sub
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

QUARTER = 91
"""Thirteen weeks, so that every weekday is in it equally often."""
YEAR = 365
_DAY_BITS = 22
"""A quarter's count and its last day are one number each, so that the larger is the better or later one."""


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
        self._best: list[int] | None = None

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

    def counts(self, length: int, start: int, end: int) -> list[int]:
        """How many active days lie in each span of a length, by its last day, from one day to another."""
        up_to = self._counted(start - length, end)
        return list(map(sub, up_to[length:], up_to))

    def _counted(self, start: int, end: int) -> list[int]:
        """How many days were active up to each day of a span."""
        up_to, before = self._up_to, self.first - 1
        last = len(up_to) - 1
        known = up_to[max(0, start - before) : max(0, min(last, end - before) + 1)]
        return [0] * (min(end + 1, before) - start) + known + [up_to[-1]] * (end - max(start - 1, before + last))

    def weeks_active(self, day: int, weeks: int = 13) -> int:
        """In how many of the blocks of seven days up to a day there was activity."""
        up_to = self._counted(day - 7 * weeks, day)[::7]
        return sum(map(lt, up_to, up_to[1:]))

    def quarter(self, day: int) -> int:
        """Active days in the quarter that ends with a day."""
        return self.count(day - QUARTER + 1, day)

    def best_quarter(self, day: int) -> tuple[int, int]:
        """The most active days of any quarter that ended within the year up to a day, and the last day of it."""
        best, at = self._best_quarters(), day - self.first
        if not 0 <= at < len(best):
            return 0, day
        active, until = divmod(best[at], 1 << _DAY_BITS)
        return active, until

    def _best_quarters(self) -> list[int]:
        """The best quarter of the year up to every day, from the first active one until no day is in any.

        The days are cut into blocks of a year: a year that ends in a block is the end of the block before and the
        beginning of this one.
        """
        if self._best is None:
            end = self.days[-1] + QUARTER + YEAR - 1 if self.days else self.first - 1
            quarters = self.counts(QUARTER, self.first, end)
            numbers = [(active << _DAY_BITS) + day for day, active in enumerate(quarters, self.first)]
            blocks = [numbers[at : at + YEAR] for at in range(0, len(numbers), YEAR)]
            so_far = [best for block in blocks for best in accumulate(block, max)]
            still = [best for block in blocks for best in [*accumulate(reversed(block), max)][::-1]]
            self._best = [*so_far[: YEAR - 1], *map(max, still, so_far[YEAR - 1 :])]
        return self._best

    def since(self, day: int) -> ActiveDays:
        """The days from a day on."""
        return ActiveDays(self.days[bisect_left(self.days, day) :])

    def until(self, day: int) -> ActiveDays:
        """The days up to a day."""
        return ActiveDays(self.days[: bisect_right(self.days, day)])
