"""Champions: the people who carry the product at a customer, and whether they are there (signal rule 26)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.signals.calendar import DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

INFERRED_DAYS = 182
"""Half a year: whoever was most active over it carries the product, and not who did one project."""
ENDED_DAYS_AGO = 28
"""The choice ends four weeks ago, so that a champion who falls silent is not replaced before it is seen."""
FEWEST_DAYS = 24
"""About one a week: of less, the absence of three weeks says nothing."""
SILENT_DAYS = 21
"""Three weeks: longer than a leave mostly is."""
CONTACT_DAYS = 30
"""A month in which somebody has met or mailed the customer: the champion is there, whatever the product sees."""


class ChampionState(StrEnum):
    """Whether a champion is there."""

    RESPONSIVE = "responsive"
    SILENT = "silent"
    UNKNOWN = "unknown"


class Champion(NamedTuple):
    """An account's champions on a night."""

    state: ChampionState
    people: tuple[str, ...] = ()
    """By user id; names are looked up when somebody reads them."""
    inferred: bool = False
    silent_days: int = 0
    """Days since the last event of any of them."""


NOBODY = Champion(ChampionState.UNKNOWN)


def inferred_champion(people: Mapping[str, Sequence[int]], day: int) -> str | None:
    """The person with most active days in the half year that ended four weeks ago; of equals, the smaller id.

    Args:
        people: the active days of each person, oldest first.
        day: the last complete day of the night that chooses.
    """
    end = day - ENDED_DAYS_AGO
    start = end - INFERRED_DAYS + 1
    best, chosen = FEWEST_DAYS - 1, None
    for person, days in people.items():
        if len(days) < FEWEST_DAYS or days[-1] < start:
            continue
        active = bisect_right(days, end) - bisect_left(days, start)
        if active > best or (active == best and chosen is not None and person < chosen):
            best, chosen = active, person
    return chosen


def champion_on(
    day: int,
    champions: Sequence[str],
    people: Mapping[str, Sequence[int]],
    contacts: Sequence[int],
    *,
    since: int,
    inferred: bool,
) -> Champion:
    """Whether the champions are there.

    Args:
        day: the night's last complete day.
        champions: at least one user id.
        people: the active days of each person, oldest first.
        contacts: the days of meetings and e-mails in the CRM, oldest first.
        since: the day on which they were named, from which the absence of one who has never come counts.
        inferred: whether the champion was inferred from use.
    """
    silent = min(_silent(people.get(champion, ()), day, since) for champion in champions)
    met = bisect_right(contacts, day)
    contact = met > 0 and day - contacts[met - 1] < CONTACT_DAYS
    state = ChampionState.SILENT if silent >= SILENT_DAYS and not contact else ChampionState.RESPONSIVE
    return Champion(state, tuple(champions), inferred, silent)


def _silent(days: Sequence[int], day: int, since: int) -> int:
    at = bisect_right(days, day)
    return day - (days[at - 1] if at else since - 1)


class Champions:
    """Who carries the product, night by night of a stretch in which the profile is the same.

    An inferred champion is chosen in the nights after Sundays, and only for nights that ask.
    """

    def __init__(
        self,
        start: int,
        end: int,
        people: Mapping[str, Sequence[int]],
        contacts: Sequence[int],
        *,
        named: Sequence[str],
        since: int,
        before: str | None,
        asked: bool,
    ) -> None:
        """Begin a stretch.

        Args:
            start: the last complete day of its first night.
            end: that of its last night.
            people: the active days of each person, oldest first.
            contacts: the days of meetings and e-mails in the CRM, oldest first.
            named: the champions that the profile names.
            since: the day on which they were named.
            before: whom the last night before had inferred.
            asked: whether anybody can be a champion: not of an API, nor where the detector is off.
        """
        self._start = start
        self._end = end
        self._regular = {person: days for person, days in people.items() if len(days) >= FEWEST_DAYS}
        self._people = people
        self._contacts = contacts
        self._named = tuple(named)
        self._since = since
        self._before = before
        self._asked = asked
        self._chosen: dict[int, str | None] = {}
        self._silences: list[tuple[int, int]] | None = None

    def inferred(self, day: int) -> str | None:
        """Who was inferred in the night after the last Sunday."""
        sunday = day - day % DAYS
        if sunday < self._start:
            return self._before
        if self._named:
            return None
        if sunday not in self._chosen:
            self._chosen[sunday] = inferred_champion(self._regular, sunday)
        return self._chosen[sunday]

    def on(self, day: int) -> Champion:
        """Whether the champions are there on a night."""
        people = self._of(day)
        if not people:
            return NOBODY
        return champion_on(day, people, self._people, self._contacts, since=self._since, inferred=not self._named)

    def silent(self) -> Sequence[tuple[int, int]]:
        """The spans of nights on which the champions are silent."""
        if self._silences is None:
            self._silences = []
            for first, last in self._silences_by_week():
                goes_on = self._silences and self._silences[-1][1] == first - 1
                self._silences.append((self._silences.pop()[0] if goes_on else first, last))
        return self._silences

    def turns(self, first: int, last: int) -> list[int]:
        """The nights after the first of a span on which the champions' state may be another than the night before."""
        silences = [day for start, end in self.silent() for day in (start, end + 1)]
        weeks = range(first - first % DAYS + DAYS, last + 1, DAYS) if self._asked and not self._named else ()
        known = [day for day in weeks if (self.inferred(day) is None) != (self.inferred(day - 1) is None)]
        return sorted({day for day in (*silences, *known) if first < day <= last})

    def _silences_by_week(self) -> Iterator[tuple[int, int]]:
        if not self._asked:
            return
        if self._named:
            yield from self._absences(self._named, self._start, self._end)
            return
        for sunday in self._sundays_of_absence():
            start, end = max(self._start, sunday), min(self._end, sunday + DAYS - 1)
            if (inferred := self.inferred(start)) is not None:
                yield from self._absences((inferred,), start, end)

    def _sundays_of_absence(self) -> list[int]:
        """The Sundays of the weeks in which anybody who may be inferred is silent."""
        sundays: set[int] = set()
        candidates = {*self._regular, *([self._before] if self._before is not None else [])}
        for person in candidates:
            days = self._people.get(person, ())
            for seen, next_seen in pairwise((*days[max(0, bisect_right(days, self._start) - 1) :], self._end + 1)):
                if next_seen - seen > SILENT_DAYS and next_seen > self._start:
                    first = max(self._start, seen + SILENT_DAYS)
                    sundays.update(range(first - first % DAYS, min(next_seen, self._end + 1), DAYS))
        return sorted(sundays)

    def _of(self, day: int) -> tuple[str, ...]:
        if not self._asked or self._named:
            return self._named if self._asked else ()
        inferred = self.inferred(day)
        return () if inferred is None else (inferred,)

    def _absences(self, people: Sequence[str], start: int, end: int) -> Iterator[tuple[int, int]]:
        """The spans within two days on which all of some people are silent, and the CRM has no contact."""
        days = [self._people.get(person, ()) for person in people]
        seen = {day for of in days for day in of[bisect_right(of, start) : bisect_right(of, end)]}
        for since, until in pairwise((start, *sorted(seen), end + 1)):
            first = max(since, since - min(_silent(of, since, self._since) for of in days) + SILENT_DAYS)
            for met in self._contacts[bisect_right(self._contacts, since - CONTACT_DAYS) :]:
                if first < met < until:
                    yield first, met - 1
                if met >= until:
                    break
                first = max(first, met + CONTACT_DAYS)
            if first < until:
                yield first, until - 1
