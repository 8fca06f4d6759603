"""The complete weeks of an account, as its weekly rules know them on any night."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from healthscore.core.detectors.drop import Drops, Series
from healthscore.core.detectors.spans import Span, united
from healthscore.core.signals.calendar import DAYS, monday
from healthscore.core.signals.model import ACTIVE_DAYS, USERS, signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from healthscore.core.detectors.settings import DetectorSettings
    from healthscore.core.signals.active_days import ActiveDays
    from healthscore.core.signals.excused import Excused


FOREVER = 10**6
"""A week after all others: the last one that is known stays it."""


class Counted:
    """What is counted up to a week."""

    __slots__ = ("_series", "falling", "tickets", "week")

    def __init__(self, week: int, series: Mapping[str, Series], tickets: Sequence[int]) -> None:
        """Count up to a week.

        Args:
            week: the last complete week that is counted.
            series: all weeks of each signal.
            tickets: the open tickets at the ends of the weeks that are known, oldest first.
        """
        self.week = week
        self.tickets = tickets
        self.falling = {
            key: drop
            for key, of in series.items()
            if of.runs and (drop := of.drop(of.counted(week) - 1)) is not None and drop.falling
        }
        """The drops that the last week is part of, as far as they are judged by their unusual weeks."""
        self._series = series

    @property
    def signals(self) -> Iterable[str]:
        """The signals that are counted."""
        return self._series

    def drops(self, key: str) -> Drops | None:
        """The drops of a signal."""
        series = self._series.get(key)
        return None if series is None else Drops(series, series.counted(self.week))


class CountedWeeks:
    """The weeks of each signal, and what they come to after each of them."""

    def __init__(
        self,
        first: int,
        last: int,
        *,
        days: ActiveDays,
        weekly: Mapping[str, Mapping[int, int]],
        tickets: Mapping[int, int],
        excused: Excused,
        settings: DetectorSettings,
        of_people: bool,
    ) -> None:
        """Take the weeks from one to another.

        Args:
            first: the first complete week that counts.
            last: the last one.
            days: the active days.
            weekly: the sums of each week by signal.
            tickets: the open tickets at the ends of weeks.
            excused: the weeks that do not exist.
            settings: how sensitive drops are.
            of_people: whether people use the product; an API has no users.
        """
        keys = sorted({ACTIVE_DAYS, USERS, *weekly} - (set() if of_people else {USERS}))
        weeks = [week for week in range(first, last + 1) if week not in excused.weeks]
        of_days = days.counts(DAYS, monday(first) + DAYS - 1, monday(last) + DAYS - 1)[::DAYS]
        self.series: dict[str, Series] = {}
        for key in keys:
            of = weekly.get(key, {})
            own = [week for week in weeks if not excused.excuses(key, week)] if excused.of_signal(key) else weeks
            values = (
                [of_days[week - first] for week in own] if key == ACTIVE_DAYS else [of.get(week, 0) for week in own]
            )
            self.series[key] = Series(own, values, signal(key).minimum, settings.sensitivity)
        self._tickets = [week for week in range(first, last + 1) if week in tickets]
        self._open = [tickets[week] for week in self._tickets]
        self._counted: Counted | None = None
        self._falling: list[Span] | None = None

    def after(self, week: int) -> Counted:
        """What is counted up to a week."""
        if self._counted is None or self._counted.week != week:
            self._counted = Counted(week, self.series, self._open[: bisect_right(self._tickets, week)])
        return self._counted

    def nights(self, keys: Iterable[str], seen: Callable[[Series], Iterable[int]]) -> list[Span]:
        """The nights after weeks of signals of which something can be seen, each until the next week is counted.

        Args:
            keys: the signals.
            seen: the positions of these weeks in a series.
        """
        known = [series for key in keys if (series := self.series.get(key))]
        return united(_nights(series.weeks, at, at) for series in known for at in seen(series))

    def ticket_nights(self, seen: Callable[[Sequence[int]], bool]) -> list[Span]:
        """The nights after weeks at whose ends something can be seen of the open tickets.

        Args:
            seen: whether it can, by the open tickets up to such an end.
        """
        ends = range(len(self._open))
        return united(_nights(self._tickets, at, at) for at in ends if seen(self._open[: at + 1]))

    def falling_nights(self) -> list[Span]:
        """The nights on which a drop of any signal is judged by its unusual weeks."""
        if self._falling is None:
            self._falling = united(
                _nights(series.weeks, first, last)
                for series in self.series.values()
                for first, last in series.falling()
            )
        return self._falling


def _nights(weeks: Sequence[int], first: int, last: int) -> Span:
    """The nights that know the weeks at two positions, or between them, as the last ones of some."""
    after = weeks[last + 1] if last + 1 < len(weeks) else FOREVER
    return monday(weeks[first] + 1), monday(after + 1) - 1
