"""Weeks that were quiet for everybody: they are excused for every account (signal rule 28).

This finds holidays without a calendar, and a broken release of the tracking code.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.signals.calendar import first_whole_week, week_of
from healthscore.core.signals.weeks import BASELINE_WEEKS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

ESTABLISHED_WEEKS = 8
"""An account is expected if it was active in so many of the twelve weeks before: a visit now and then is no rhythm."""
FEWEST_EXPECTED = 20
"""With fewer accounts expected, a third of them can be missing by chance."""


class Attendance(NamedTuple):
    """How many of the expected accounts were active in a week."""

    expected_twelfths: int = 0
    """The sum over the accounts that are expected of the weeks of twelve in which each was active."""
    here: int = 0

    @property
    def is_quiet(self) -> bool:
        """Whether a third or more of at least twenty expected accounts are missing."""
        return (
            self.expected_twelfths >= FEWEST_EXPECTED * BASELINE_WEEKS
            and 3 * BASELINE_WEEKS * self.here <= 2 * self.expected_twelfths
        )

    def __add__(self, other: object) -> Attendance:  # totals add up; tuples would be joined
        if not isinstance(other, Attendance):
            return NotImplemented
        return Attendance(self.expected_twelfths + other.expected_twelfths, self.here + other.here)


def attendance(active: Collection[int], week: int) -> Attendance:
    """An account's part in the attendance of a finished week.

    Args:
        active: the complete weeks in which the account was active, or in which the signal had something.
        week: the week in question.
    """
    before = sum(other in active for other in range(week - BASELINE_WEEKS, week))
    return Attendance(before, int(week in active)) if before >= ESTABLISHED_WEEKS else Attendance()


def quiet_weeks(accounts: Iterable[tuple[frozenset[int], int]]) -> frozenset[int]:
    """The weeks that were quiet for everybody, of a whole history.

    Args:
        accounts: for each account the complete weeks in which it was active, and the last week that is known of it.
    """
    totals: dict[int, Attendance] = defaultdict(Attendance)
    for active, known in accounts:
        expected_in = {week + later for week in active for later in range(1, BASELINE_WEEKS + 1)}
        for week in expected_in:
            if week <= known:
                totals[week] = totals[week] + attendance(active, week)
    return frozenset(week for week, total in totals.items() if total.is_quiet)


class Excused:
    """The weeks that do not exist for an account: neither low, nor baseline, nor recovery, nor silence."""

    __slots__ = ("_by_signal", "_in_order", "weeks")

    def __init__(self, weeks: Iterable[int] = (), by_signal: Mapping[str, Iterable[int]] | None = None) -> None:
        """Take the numbers of weeks.

        Args:
            weeks: for all signals: quiet for everybody, named as quiet days, or excused for this account by a person.
            by_signal: further ones of one signal: of an integration that broke for everybody.
        """
        self.weeks = frozenset(weeks)
        self._in_order = sorted(self.weeks)
        self._by_signal = {key: frozenset(of) for key, of in (by_signal or {}).items()}

    def excuses(self, key: str, week: int) -> bool:
        """Whether a week does not exist for a signal."""
        return week in self.weeks or week in self._by_signal.get(key, ())

    def of_signal(self, key: str) -> frozenset[int]:
        """The further weeks that do not exist for a signal."""
        return self._by_signal.get(key, frozenset())

    def weeks_within(self, start: int, end: int) -> int:
        """How many weeks that are excused for all signals lie wholly between two days, both included."""
        return bisect_left(self._in_order, week_of(end + 1)) - bisect_left(self._in_order, first_whole_week(start))
