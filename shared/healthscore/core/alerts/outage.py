"""Tracking outages: where most accounts fell silent at once, tracking broke, and no customer left.

Customers leave one by one. Where most of the accounts that are usually active on this weekday are missing on the same
night, their events are missing. The falls that the night finds of these accounts are not certain yet.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from healthscore.core.alerts.model import Alert, AlertKind, Evidence, Severity, alert_id
from healthscore.core.model import Component
from healthscore.core.rounding import decimal_number
from healthscore.core.scoring.standard import FULL_SCORE
from healthscore.core.text import counted, figure
from healthscore.core.time import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from healthscore.core.model import DailyScore

WEEKS = 4
"""How many weeks back tonight is compared with the same weekday, because a usual Sunday is quiet."""
MOST = Fraction(1, 2)
"""More than this share of the usual accounts is missing in a tracking outage."""
DEVIATIONS = 3
"""How many standard deviations of chance have to be missing as well: of nine accounts, all nine."""


def present(night: DailyScore) -> bool:
    """Whether the account had an event in the 24 hours before a night (scoring rule 9)."""
    return night.components[Component.RECENCY] == FULL_SCORE


def weeks_present(recent: Iterable[DailyScore], tonight: DailyScore) -> list[int]:
    """The nights before which the account was active: 0 is tonight, 1 to 4 the same weekday that many weeks ago."""
    nights = {night.day: night for night in recent if night.day < tonight.day} | {tonight.day: tonight}
    at = {weeks: nights.get(tonight.day - 7 * weeks * DAY) for weeks in range(WEEKS + 1)}
    return [weeks for weeks, night in at.items() if night is not None and present(night)]


def usual(active: Mapping[int, int]) -> Fraction:
    """How many accounts are usually active before a night of this weekday.

    Args:
        active: number of active accounts, by weeks before tonight. Nights without any are left out of the mean: nothing
            was tracked yet, or tracking was broken then as well.
    """
    counts = [active[weeks] for weeks in range(1, WEEKS + 1) if active.get(weeks)]
    return Fraction(sum(counts), len(counts)) if counts else Fraction(0)


def tracking_outage(active: Mapping[int, int]) -> bool:
    """Whether most of the usual accounts are missing tonight, and more of them than chance explains.

    Args:
        active: as for `usual`.
    """
    expected = usual(active)
    missing = expected - active.get(0, 0)
    return missing > expected * MOST and missing**2 >= DEVIATIONS**2 * expected


def outage_alert(day: date, as_of: datetime, active: Mapping[int, int]) -> Alert:
    """The alert that reports a tracking outage.

    Args:
        day: the night's day in the workspace's time zone.
        as_of: the instant that was scored.
        active: as for `usual`.
    """
    here, expected = active.get(0, 0), usual(active)
    return Alert(
        alert_id=alert_id(AlertKind.FLEET_SILENT, day, None),
        account_id=None,
        kind=AlertKind.FLEET_SILENT,
        severity=Severity.HIGH,
        day=day,
        created_at=as_of,
        title=f"Most accounts fell silent at once: {here:,} active instead of {figure(expected)}",
        why=f"Only {counted(here, 'account')} had an event in the 24 hours before this night's run. On this weekday of "
        f"the {WEEKS} weeks before, it was {figure(expected)} on average. So many customers do not leave in one day: "
        "their events are missing. Alerts about accounts that fell while they were out of sight are held back until "
        "events come in as usual.",
        evidence=(Evidence("Active accounts, from the mean of this weekday", day, decimal_number(expected), here),),
        action="Check that events still arrive: a new release of the product, its tracking code, the write key, the "
        "API's errors. If it was a holiday, nothing has to be done.",
    )
