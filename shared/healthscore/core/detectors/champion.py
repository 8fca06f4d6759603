"""Champion gone silent: every champion is away, and the CRM knows of no contact (signal rule 26)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.detectors.champion_state import Champion, ChampionState
from healthscore.core.detectors.finding import Detector, Evidence, Level, Schedule, Sighting
from healthscore.core.signals.calendar import DAYS, first_whole_week, week_of
from healthscore.core.signals.model import USERS
from healthscore.core.signals.weeks import RECENT_WEEKS
from healthscore.core.text import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.core.detectors.night import Night

NAME = "champion"
MOST_FEW = 2
"""Where three people or more are active, 4 to 12 % leave or shrink lastingly after a champion's silence (3 % without
one); where fewer are, 31 to 44 % (18 %)."""


class Absence(NamedTuple):
    """Champions who are silent, and how many others there are."""

    champion: Champion
    others: int
    """How many other people were active in the last four complete weeks."""
    few: bool
    """Whether each of these weeks had two people at most."""
    day: int


def level_of(*, few: bool) -> Level:
    """How grave the absence is by itself."""
    return Level.YELLOW if few else Level.MONITOR


def _see(night: Night) -> Iterable[Sighting]:
    if night.champion.state is not ChampionState.SILENT:
        return ()
    weeks = _recent_weeks(night)
    few = all(night.history.week(USERS, week) <= MOST_FEW for week in weeks)
    people = frozenset[str]().union(*(night.history.people_of(week) for week in weeks))
    others = len(people.difference(night.champion.people))
    return (Sighting(NAME, None, level_of(few=few), Absence(night.champion, others, few, night.day)),)


def _recent_weeks(night: Night) -> list[int]:
    """The last four complete weeks that exist, of a young account as many as there are."""
    week = week_of(night.day + 1) - 1
    first = first_whole_week(night.first)
    found: list[int] = []
    while len(found) < RECENT_WEEKS and week >= first:
        if not night.excused.excuses(USERS, week):
            found.append(week)
        week -= 1
    return found


def _sentence(sighting: Sighting) -> str:
    absence: Absence = sighting.figures
    people = listed(absence.champion.people)
    how = " (most active over half a year, inferred)" if absence.champion.inferred else ""
    has = "has" if len(absence.champion.people) == 1 else "have"
    was = "other was" if absence.others == 1 else "others were"
    many = absence.others or "no"
    return (
        f"{people}{how} {has} not been seen for {counted(absence.champion.silent_days, 'day')}; "
        f"{many} {was}, in the last {RECENT_WEEKS} weeks."
    )


def _evidence(sighting: Sighting) -> tuple[Evidence, ...]:
    absence: Absence = sighting.figures
    since = absence.day - absence.champion.silent_days
    return (
        Evidence("Days without an event of a champion", "days", absence.day, None, absence.champion.silent_days, since),
        Evidence("Other people in the last four weeks", "people", absence.day, None, absence.others),
    )


def _span(sighting: Sighting) -> tuple[int, int]:
    absence: Absence = sighting.figures
    return absence.day - max(absence.champion.silent_days, RECENT_WEEKS * DAYS), absence.day


DETECTOR = Detector(NAME, Schedule.NIGHTLY, _see, _sentence, _evidence, _span, of_young=True, of_cadence=True)
