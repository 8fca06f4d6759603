"""Tracking outages: where most accounts fell silent at once, tracking broke, and no customer left.

Customers leave one by one. Where most of the accounts that are usually active on this weekday are missing on the same
night, their events are missing. The falls that the night finds of these accounts are not certain yet.

The same accounts are compared with themselves: only those count that have been active on this weekday before, tonight
as well. So accounts that somebody makes up for a day neither raise what is expected nor stand in for those that are
missing.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.alerts.model import Alert, AlertKind, Evidence, Severity, alert_id
from healthscore.core.model import Component
from healthscore.core.rounding import decimal_number
from healthscore.core.scoring.standard import FULL_SCORE
from healthscore.core.text import figure
from healthscore.core.time import DAY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date, datetime

    from healthscore.core.model import DailyScore

WEEKS = 4
"""How many weeks back tonight is compared with the same weekday, because a usual Sunday is quiet."""
ESTABLISHED_NIGHTS = 3
"""An account has to be active on this many nights before its absence says anything: a visit of a day is no habit."""
MOST = Fraction(1, 2)
"""More than this share of the usual accounts is missing in a tracking outage; a usual account was active on more than
this share of the nights that it is compared with."""
DEVIATIONS = 3
"""How many standard deviations of chance have to be missing as well: of nine accounts, all nine."""


def present(night: DailyScore) -> bool:
    """Whether the account had an event in the 24 hours before a night (scoring rule 9)."""
    return night.components[Component.RECENCY] == FULL_SCORE


def presence(recent: Iterable[DailyScore], tonight: DailyScore) -> str:
    """On which nights of tonight's weekday an account was active, tonight first and then 1 to 4 weeks ago: `10111`.

    `1` stands for active, `0` for not, or for a night that is not known. An account that was active on fewer than
    `ESTABLISHED_NIGHTS` nights before tonight has not shown yet what is usual for it: its presence is empty.
    """
    nights = {night.day: night for night in recent if night.day < tonight.day}
    if sum(map(present, nights.values())) < ESTABLISHED_NIGHTS:
        return ""
    nights[tonight.day] = tonight
    at = (nights.get(tonight.day - 7 * weeks * DAY) for weeks in range(WEEKS + 1))
    return "".join("1" if night is not None and present(night) else "0" for night in at)


class Turnout(NamedTuple):
    """How many of the usual accounts were active."""

    tonight: int
    usually: Fraction
    """The mean of the same accounts, on this weekday of the weeks before."""

    @classmethod
    def of(cls, presences: Mapping[str, int], outages: Collection[int] = ()) -> Turnout:
        """Count the accounts that were active on more than half of the nights of this weekday.

        Args:
            presences: number of accounts by `presence`.
            outages: weeks before tonight with a tracking outage on this weekday. They are left out, and so is a night
                before which none of the accounts was active: nothing was tracked yet, or tracking was broken then.
        """
        known = {pattern: number for pattern, number in presences.items() if pattern}
        weeks = [
            week
            for week in range(1, WEEKS + 1)
            if week not in outages and any(pattern[week] == "1" for pattern in known)
        ]
        here, before = 0, 0
        for pattern, number in known.items():
            active = sum(pattern[week] == "1" for week in weeks)
            if active > len(weeks) * MOST:
                here += number * (pattern[0] == "1")
                before += number * active
        return cls(here, Fraction(before, len(weeks)) if weeks else Fraction(0))

    @property
    def is_outage(self) -> bool:
        """Whether most of the usual accounts are missing, and more of them than chance explains."""
        missing = self.usually - self.tonight
        return missing > self.usually * MOST and missing**2 >= DEVIATIONS**2 * self.usually


def outage_alert(day: date, as_of: datetime, turnout: Turnout) -> Alert:
    """The alert that reports a tracking outage.

    Args:
        day: the night's day in the workspace's time zone.
        as_of: the instant that was scored.
        turnout: that of the night.
    """
    here, expected = turnout
    return Alert(
        alert_id=alert_id(AlertKind.FLEET_SILENT, day, None),
        account_id=None,
        kind=AlertKind.FLEET_SILENT,
        severity=Severity.HIGH,
        day=day,
        created_at=as_of,
        title=f"Most accounts fell silent at once: {here:,} active instead of {figure(expected)}",
        why=f"Of the accounts that are usually active on this weekday, {here:,} had an event in the 24 hours before "
        f"this night's run. In the {WEEKS} weeks before, it was {figure(expected)} of them on average. So many "
        "customers do not leave in one day: their events are missing. Alerts about accounts that fell while they were "
        "out of sight are held back until events come in as usual.",
        evidence=(
            Evidence(
                "Active among the usual accounts, from the mean of this weekday", day, decimal_number(expected), here
            ),
        ),
        action="Check that events still arrive: a new release of the product, its tracking code, the write key, the "
        "API's errors. If it was a holiday, nothing has to be done.",
    )
