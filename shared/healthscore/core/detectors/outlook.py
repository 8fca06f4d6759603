"""What is known in advance of a stretch of nights, so that a detector can say on which of them it is worth asking."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from healthscore.core.detectors.spans import spans_of
from healthscore.core.signals.calendar import DAYS
from healthscore.core.signals.rhythm import Rhythm, rhythm, silent_days

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from healthscore.core.detectors.champion_state import Champions
    from healthscore.core.detectors.counted_weeks import CountedWeeks
    from healthscore.core.detectors.settings import DetectorSettings
    from healthscore.core.detectors.spans import Span
    from healthscore.core.signals.active_days import ActiveDays
    from healthscore.core.signals.excused import Excused
    from healthscore.core.signals.history import History
    from healthscore.core.signals.model import Profile


class Outlook:
    """A stretch of nights in which nothing changes of what is known of an account but its use."""

    def __init__(
        self,
        start: int,
        end: int,
        *,
        first: int,
        floor: int | None,
        born: int,
        history: History,
        days: ActiveDays,
        weeks: CountedWeeks,
        champions: Champions,
        profile: Profile,
        excused: Excused,
        settings: DetectorSettings,
    ) -> None:
        """A stretch.

        Args:
            start: the last complete day of its first night.
            end: that of its last night.
            first: the day from which on the account is judged: of its first event, or `floor`.
            floor: the day from which on a person has accepted its use as the new normal; None where nobody has.
            born: the first day of its life, as onboarding counts it.
            history: what it did.
            days: the days that count as active, from `first` on.
            weeks: the complete weeks from then on.
            champions: who carries the product, night by night.
            profile: what is known of it.
            excused: the weeks that do not exist.
            settings: which rules are on, and how sensitive they are.
        """
        self.start = start
        self.end = end
        self.first = first
        self.born = born
        self.history = history
        self.days = days
        self.weeks = weeks
        self.champions = champions
        self.profile = profile
        self.excused = excused
        self.settings = settings
        self.found: dict[Hashable, Any] = {}
        """As of `Night.once`."""
        self._floor = floor
        self._rhythms: dict[int, Rhythm] = {}
        self._silences: list[Span] | None = None

    def last_active(self, day: int) -> int | None:
        """The last active day up to a day, or the one before a floor; None before the first one."""
        last = self.days.last(day)
        return self._floor - 1 if last is None and self._floor is not None else last

    def rhythm(self, day: int) -> Rhythm | None:
        """The rhythm before the last active day up to a day; None before the first one."""
        last = self.last_active(day)
        if last is None:
            return None
        if last not in self._rhythms:
            self._rhythms[last] = rhythm(self.days, last)
        return self._rhythms[last]

    def silent(self, limit: Callable[[Rhythm], int | None], fewest: int) -> Iterator[Span]:
        """The nights on which a silence has reached its limit.

        Args:
            limit: the silent days that an account of a rhythm has to have; None where it never has enough.
            fewest: what no limit is below, a week or more.
        """
        for last, until in self._long_silences():
            known = self.rhythm(last) if until - last >= fewest else None
            days = limit(known) if known else None
            if days is None or until - last < days:
                continue
            if self.excused.weeks_within(last + 1, until):
                nights = range(last + days, until + 1)
                yield from spans_of(day for day in nights if silent_days(last, day, self.excused) >= days)
            else:
                yield last + days, until

    def _long_silences(self) -> list[Span]:
        """The last active day before each silence of a week or more, and the last silent one."""
        if self._silences is None:
            active, floor = self.days.days, self._floor
            known = active[max(0, bisect_left(active, self.start) - 1) : bisect_left(active, self.end + 1)]
            before = () if floor is None or (known and known[0] < self.start) else (floor - 1,)
            each = pairwise((*before, *known, self.end + 1))
            self._silences = [(last, after - 1) for last, after in each if after - last > DAYS]
        return self._silences
