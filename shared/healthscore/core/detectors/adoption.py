"""Adoption win: a new feature stays in use (signal rule 29). Good news, which changes no state."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.detectors.finding import Detector, Evidence, Level, Schedule, Sighting
from healthscore.core.detectors.spans import united
from healthscore.core.signals.calendar import date_of, monday, sunday, week_of
from healthscore.core.signals.weeks import RECENT_WEEKS
from healthscore.core.text import capitalized, counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.core.detectors.night import Night
    from healthscore.core.detectors.outlook import Outlook
    from healthscore.core.detectors.spans import Span

NAME = "adoption"
WEEKS = 3
"""Of its first four: whoever tries a feature comes once or twice. Of these, 40 to 52 % keep it."""


class Adopted(NamedTuple):
    """A feature that was first used lately."""

    feature: str
    first: int
    weeks: int
    week: int


def _spans(outlook: Outlook) -> Iterable[Span]:
    weeks = {week_of(days[0]) for days in outlook.history.features.values() if len(days) >= WEEKS}
    return united((monday(week + WEEKS), monday(week + RECENT_WEEKS + 1) - 1) for week in weeks)


def _see(night: Night) -> Iterable[Sighting]:
    start = monday(night.week - RECENT_WEEKS + 1)
    end = sunday(night.week)
    new = [(feature, days) for feature, days in night.history.features.items() if start <= days[0] <= end]
    for feature, days in sorted(new):
        weeks = {week_of(day) for day in days[: bisect_right(days, end)]}
        if len(weeks) >= WEEKS:
            yield Sighting(NAME, feature, Level.OK, Adopted(feature, days[0], len(weeks), night.week))


def _sentence(sighting: Sighting) -> str:
    adopted: Adopted = sighting.figures
    first = date_of(adopted.first)
    return (
        f"{capitalized(adopted.feature)}, first used on {first.day} {first:%b}, was used in "
        f"{counted(adopted.weeks, 'week')} of the last {RECENT_WEEKS}."
    )


def _evidence(sighting: Sighting) -> tuple[Evidence, ...]:
    adopted: Adopted = sighting.figures
    what = f"Weeks with {adopted.feature}"
    return (Evidence(what, "weeks", sunday(adopted.week), 0, adopted.weeks, since=adopted.first),)


def _span(sighting: Sighting) -> tuple[int, int]:
    return sighting.figures.first, sunday(sighting.figures.week)


DETECTOR = Detector(NAME, Schedule.WEEKLY, _see, _sentence, _evidence, _span, _spans)
