"""What happened to an account, by which alerts are judged.

Days are an account's own. A night of a day knows that day and all before it. Definitions:

- *Judged* from the first day from 90 on by which 8 of 13 blocks of seven days were active.
- An *alert* is a stretch of nights with the state. It counts if it starts more than 90 days before the last event:
  as a *contraction* if the 91 days from its start hold at most half of the use of the days from 182 to 28 before it,
  in proportion; else as *false*.
- A *departure* is announced if an alert starts or is on in any night from 90 days before the last event on.
- *Steady*: 12 or 13 of the 13 blocks up to the last active day were active.
- A *break*, or lasting contraction: a week at or below half of the 12 before, as are it and the 12 after it together.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.signals.calendar import first_whole_week, monday, sunday, week_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.backtest.accounts import Account

MATURE, BLOCKS, ACTIVE_BLOCKS, STEADY_BLOCKS = 90, 13, 8, 12
BEFORE_LAST = 90
AFTER = 91
REFERENCE, REFERENCE_ENDS, SHORTEST_REFERENCE = 182, 28, 28
BASELINE, LASTING, FEWEST = 12, 13, 12
YEAR = 365.25


class Break(NamedTuple):
    """A lasting contraction."""

    day: int
    """The last day before it."""
    steady: bool


class Outcome:
    """The days of an account, and what became of it."""

    def __init__(self, account: Account) -> None:
        self.name = account.name
        self.last = account.last
        self.left = account.left
        self.end = account.end
        self.days = [row[0] for row in account.rows]
        bits = bytearray(account.known + 1)
        for day in self.days:
            bits[day] = 1
        self._up_to = [0, *accumulate(bits)]
        self.judged = self._judged()
        self.steady = self._steady()
        self.breaks = [] if self.judged is None else list(self._breaks(account))

    def count(self, start: int, end: int) -> int:
        """Active days from a day up to, but without, another."""
        up_to, most = self._up_to, len(self._up_to) - 1
        return up_to[max(0, min(end, most))] - up_to[max(0, min(start, most))]

    @property
    def years(self) -> float:
        """For how long alerts could be false."""
        return 0 if self.judged is None else max(0, self.last - BEFORE_LAST - self.judged) / YEAR

    @property
    def steady_years(self) -> float:
        """For how much of that it was in steady use."""
        return 0 if self.judged is None else sum(self.steady[self.judged : max(0, self.last - BEFORE_LAST)]) / YEAR

    def blocks(self, day: int) -> int:
        """How many of the 13 blocks of seven days up to a day were active."""
        return sum(self.count(day - 7 * back - 6, day - 7 * back + 1) > 0 for back in range(BLOCKS))

    def is_contraction(self, day: int) -> bool:
        """Whether the use after a day is at most half of the use well before it."""
        start = max(day - REFERENCE, 0)
        length = day - REFERENCE_ENDS - start
        reference = self.count(start, day - REFERENCE_ENDS)
        after = self.count(day, day + AFTER)
        return length >= SHORTEST_REFERENCE and 2 * after * length <= reference * AFTER

    def _judged(self) -> int | None:
        return next((day for day in range(MATURE, self.last + 1) if self.blocks(day) >= ACTIVE_BLOCKS), None)

    def _steady(self) -> bytes:
        """Whether it was in steady use, for each day."""
        steady = bytearray(self.end)
        for day, following in zip(self.days, [*self.days[1:], self.end], strict=True):
            if self.blocks(day) >= STEADY_BLOCKS:
                steady[day:following] = b"\x01" * (following - day)
        return bytes(steady[: self.end])

    def _breaks(self, account: Account) -> Iterator[Break]:
        """The lasting contractions, each by its steepest week."""
        zero = account.zero
        first, last = first_whole_week(zero), week_of(zero + account.known + 1) - 1
        weeks = [self.count(monday(week) - zero, sunday(week) - zero + 1) for week in range(first, last + 1)]
        stretch: list[tuple[int, int, int]] = []
        for at in range(BASELINE, len(weeks) - LASTING + 2):
            before, after = sum(weeks[at - BASELINE : at]), sum(weeks[at : at + LASTING])
            whole = at + LASTING <= len(weeks)
            if whole and before >= FEWEST and 24 * after <= 13 * before and 24 * weeks[at] <= before:
                stretch.append((after, before, at))
                continue
            if stretch:
                *_, steepest = min(stretch, key=lambda found: (found[0] / found[1], found[2]))
                day = monday(first + steepest) - 1 - zero
                if self.judged is not None and self.judged <= day < self.last:
                    yield Break(day, bool(self.steady[day]))
            stretch = []
