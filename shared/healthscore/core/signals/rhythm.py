"""How regularly an account was active before its last event, and how long it has been silent since (signal rule 22)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.signals.active_days import QUARTER
from healthscore.core.signals.calendar import DAYS, monday, sunday, week_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from healthscore.core.signals.active_days import ActiveDays

WEEKS = 13
"""Blocks of seven days that are looked at: a quarter."""


class Rhythm(NamedTuple):
    """The thirteen blocks of seven days up to the last active day."""

    last: int
    """The last active day."""
    weeks_active: int
    """In how many of the blocks there was activity, 1 to 13."""
    days_active: int
    """On how many of their 91 days."""


def rhythm(days: ActiveDays, last: int) -> Rhythm:
    """The rhythm before an active day. Of a young account, what there is: the blocks before its life are empty."""
    return Rhythm(last, days.weeks_active(last, WEEKS), days.count(last - QUARTER + 1, last))


def silent_days(last: int, day: int, excused: Collection[int]) -> int:
    """Complete days without activity after an active one, less 7 for each excused week that lies wholly in them."""
    silent = day - last
    if silent < DAYS or not excused:
        return silent
    first, end = week_of(last), week_of(day)
    return silent - DAYS * sum(
        week in excused for week in range(first, end + 1) if monday(week) > last and sunday(week) <= day
    )
