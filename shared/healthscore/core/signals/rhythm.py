"""How regularly an account was active before its last event, and how long it has been silent since (signal rule 22)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.signals.active_days import QUARTER
from healthscore.core.signals.calendar import DAYS

if TYPE_CHECKING:
    from healthscore.core.signals.active_days import ActiveDays
    from healthscore.core.signals.excused import Excused

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


def silent_days(last: int, day: int, excused: Excused) -> int:
    """Complete days without activity after an active one, less 7 for each excused week that lies wholly in them."""
    silent = day - last
    return silent if silent < DAYS else silent - DAYS * excused.weeks_within(last + 1, day)
