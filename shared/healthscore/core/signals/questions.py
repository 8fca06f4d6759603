"""What the product asks about an account, and never sets by itself (signal rule 6).

Learning a rhythm from the days cost more departures than it saved false alerts, however it was done. A person knows.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthscore.core.signals.active_days import ActiveDays

PAUSE_DAYS = 45
"""The longest that an account without a weekly rhythm may be silent before it is overdue."""
PAUSES = 3
"""Once is a leave, twice is chance."""
WITHIN_DAYS = 400
"""A year and a month, so that a quarterly use has four of them in it."""
API_DAYS = 91
"""A quarter: every weekday is in it equally often."""
API_TENTHS = 9
"""Of the events: a few are always of somebody who tries it by hand."""


def may_be_its_rhythm(days: ActiveDays, day: int) -> bool:
    """Whether an account came back after three long pauses lately: "is this its rhythm?".

    Args:
        days: the days on which it was active.
        day: the last complete day.
    """
    known = days.until(day).since(day - WITHIN_DAYS + 1).days
    return sum(after - before > PAUSE_DAYS for before, after in pairwise(known)) >= PAUSES


def may_be_an_api(events: int, without_people: int) -> bool:
    """Whether an API uses the product, by the events of 91 days.

    Args:
        events: all of them.
        without_people: those that name no user, or are an integration's.
    """
    return events > 0 and 10 * without_people >= API_TENTHS * events
