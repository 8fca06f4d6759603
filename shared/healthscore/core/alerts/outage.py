"""Whether a whole fleet fell silent at once: then its tracking broke, and nobody left.

Customers leave one by one. Where most of those who are usually here on this weekday are missing on the same night, the
events are missing and not the customers, and what the night would say of each account is not to be believed yet.
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
"""Tonight is compared with the same weekday of so many weeks before: a Sunday is only as quiet as Sundays are."""
MOST = Fraction(1, 2)
"""The share of the usual accounts that is missing, when it is not a few customers but the fleet."""
DEVIATIONS = 3
"""So many standard deviations of chance have to be missing as well: among nine accounts, only all nine are "most"."""

DROPS = frozenset({AlertKind.BAND_FELL, AlertKind.SCORE_FELL, AlertKind.DECLINING, AlertKind.SILENT})
"""What alerts tell that missing events can feign."""


def present(night: DailyScore) -> bool:
    """Whether the account had an event in the 24 hours before a night (scoring rule 9)."""
    return night.components[Component.RECENCY] == FULL_SCORE


def weeks_present(recent: Iterable[DailyScore], tonight: DailyScore) -> list[int]:
    """Of tonight (0) and the same nights 1 to 4 weeks before: those before which the account was active."""
    nights = {night.day: night for night in recent if night.day < tonight.day} | {tonight.day: tonight}
    at = {weeks: nights.get(tonight.day - 7 * weeks * DAY) for weeks in range(WEEKS + 1)}
    return [weeks for weeks, night in at.items() if night is not None and present(night)]


def usual(active: Mapping[int, int]) -> Fraction:
    """How many accounts are usually active before a night of this weekday.

    Args:
        active: accounts that were, by weeks before tonight. A night before which nobody was is no measure: either
            nothing was tracked yet, or it was broken then as well.
    """
    counts = [active[weeks] for weeks in range(1, WEEKS + 1) if active.get(weeks)]
    return Fraction(sum(counts), len(counts)) if counts else Fraction(0)


def tracking_outage(active: Mapping[int, int]) -> bool:
    """Whether most of the usual accounts are missing tonight, and more of them than chance would take."""
    expected = usual(active)
    missing = expected - active.get(0, 0)
    return missing > expected * MOST and missing**2 >= DEVIATIONS**2 * expected


def outage_alert(day: date, as_of: datetime, active: Mapping[int, int]) -> Alert:
    """The one alert that says so."""
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
