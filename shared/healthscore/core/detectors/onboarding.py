"""Onboarding: how many marks of a good start an account has after 4, 8 and 12 weeks (signal rule 27)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.detectors.finding import Detector, Evidence, Level, Schedule, Sighting
from healthscore.core.signals.lazy_days import active_between
from healthscore.core.text import capitalized, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from healthscore.core.detectors.night import Night
    from healthscore.core.detectors.outlook import Outlook
    from healthscore.core.detectors.spans import Span

NAME = "onboarding"
CHECKS = (28, 56, 84)
"""The days of its life on which it is judged: whole weeks, and the last one before the other rules begin on day 90."""
UNTIL = 90
"""From this day of its life on, the other rules judge it."""
RECENT_DAYS = 14
"""Two weeks: whoever starts with a product comes every week or two."""
FEATURES = 3
"""Whoever uses one feature tries it; whoever uses three works with it."""
STALLED_MARKS = 1
"""With one mark at most on day 56, more than half are gone a month later; with all of them, 7 to 9 %."""
RECENTLY, HALF, THREE, SECOND = (
    "used in the last 14 days",
    "used in half of its weeks",
    "three features",
    "a second user",
)


class Verdict(StrEnum):
    """How the start goes."""

    ON_TRACK = "on track"
    SLOW = "slow"
    STALLED = "stalled"


class Start(NamedTuple):
    """The marks of a start on the day on which it was judged."""

    life_day: int
    marks: tuple[str, ...]
    missing: tuple[str, ...]
    first: int
    """The first day of its life."""

    @property
    def verdict(self) -> Verdict:
        """On track with all marks, stalled with one at most."""
        if not self.missing:
            return Verdict.ON_TRACK
        return Verdict.STALLED if len(self.marks) <= STALLED_MARKS else Verdict.SLOW


def start(life_day: int, active: Collection[int], features: int, users: int | None, first: int = 1) -> Start:
    """Judge a start.

    Args:
        life_day: 28, 56 or 84.
        active: the days of life on which it was active, of which the first is 1.
        features: how many features it has used.
        users: how many people it has; None where an API is what uses it, and the mark does not apply.
        first: the day number of the first day of its life.
    """
    until = [day for day in active if day <= life_day]
    weeks = {(day - 1) // 7 for day in until}
    marks = {
        RECENTLY: max(until, default=0) > life_day - RECENT_DAYS,
        HALF: 2 * 7 * len(weeks) >= life_day,
        THREE: features >= FEATURES,
    }
    if users is not None:
        marks[SECOND] = users > 1
    return Start(
        life_day,
        tuple(mark for mark, reached in marks.items() if reached),
        tuple(mark for mark, reached in marks.items() if not reached),
        first,
    )


def start_of(night: Night) -> Start | None:
    """The latest judgement of an account's start; None before the first one, and from day 90 on."""
    if not CHECKS[0] <= night.life_day < UNTIL:
        return None
    life_day = max(check for check in CHECKS if check <= night.life_day)
    return night.once((NAME, life_day), lambda: _judged(night, life_day))


def _judged(night: Night, life_day: int) -> Start:
    first = night.day - night.life_day + 1
    until = first + life_day - 1
    history = night.history
    days = history.days(night.profile.usage_channel).days
    active = [day - first + 1 for day in days[bisect_left(days, first) : bisect_right(days, until)]]
    features = len(active_between(history.features, first, until))
    of_people = night.profile.of_people
    users = len(active_between(history.people, first, until)) if of_people else None
    return start(life_day, active, features, users, first)


def _spans(outlook: Outlook) -> Iterable[Span]:
    for check, after in pairwise((*CHECKS, UNTIL)):  # a verdict stands until the next one
        yield outlook.born + check - 1, outlook.born + after - 2


def _see(night: Night) -> Iterable[Sighting]:
    found = start_of(night)
    if found is None or found.verdict is Verdict.ON_TRACK:
        return ()
    level = Level.YELLOW if found.verdict is Verdict.STALLED else Level.MONITOR
    return (Sighting(NAME, None, level, found),)


def _sentence(sighting: Sighting) -> str:
    found: Start = sighting.figures
    many = len(found.marks) + len(found.missing)
    marks = f"{len(found.marks)} of {many} marks of a good start"
    return f"Day {found.life_day}: {marks}. Missing: {listed(found.missing)}."


def _evidence(sighting: Sighting) -> tuple[Evidence, ...]:
    found: Start = sighting.figures
    many = len(found.marks) + len(found.missing)
    day = found.first + found.life_day - 1
    return (Evidence(capitalized("marks of a good start"), "marks", day, many, len(found.marks), since=found.first),)


def _span(sighting: Sighting) -> tuple[int, int]:
    found: Start = sighting.figures
    return found.first, found.first + found.life_day - 1


DETECTOR = Detector(NAME, Schedule.NIGHTLY, _see, _sentence, _evidence, _span, _spans, of_young=True, of_cadence=True)
