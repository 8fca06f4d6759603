"""What a reader is shown of each signal (signal rule 11)."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from healthscore.core.rounding import decimal_number
from healthscore.core.signals.acceleration import acceleration
from healthscore.core.signals.applicability import not_applicable
from healthscore.core.signals.calendar import date_of, is_sunday, monday, week_of
from healthscore.core.signals.level import level
from healthscore.core.signals.model import ACTIVE_DAYS
from healthscore.core.signals.recovery import recovered_percent, recovery
from healthscore.core.signals.rhythm import rhythm, silent_days
from healthscore.core.signals.slope import SPANS, slope
from healthscore.core.signals.weeks import RECENT_WEEKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import TypedDict

    from healthscore.core.json_types import Day
    from healthscore.core.signals.excused import Excused
    from healthscore.core.signals.history import History
    from healthscore.core.signals.model import Profile, Signal

    class WeekJson(TypedDict):
        """One complete week."""

        week: Day
        value: float
        excused: bool

    class SlopeJson(TypedDict):
        """The change over a span."""

        direction: str
        percent: float | None

    class SignalJson(TypedDict):
        """One signal."""

        key: str
        family: str
        applicable: bool
        reason: str | None
        weeks: list[WeekJson]
        level: float
        usual: float | None
        slopes: dict[str, SlopeJson]
        acceleration: str | None
        recovery: str | None
        recovered_percent: float | None

    class HabitsJson(TypedDict):
        """How regularly an account was active up to its last event."""

        last_active: Day
        silent_days: int
        weeks_active_of_13: int
        days_active_of_91: int


IRREGULAR = "Half of its weeks are low already: it is irregular, and judged by silence alone."
SHOWN_WEEKS = 26
"""Half a year: what the baseline and the drops look at."""


def signal_json(
    of: Signal,
    history: History,
    profile: Profile,
    excused: Excused,
    day: int,
    *,
    baseline: int | None = None,
    irregular: bool = False,
) -> SignalJson:
    """A signal as of a day.

    Args:
        of: the signal.
        history: what the account did; days after `day` are not looked at.
        profile: what is known of it.
        excused: the weeks that do not exist.
        day: the last complete day.
        baseline: the twelve weeks before a drop that is not over; None where there is none.
        irregular: whether too many of its weeks are low for a drop to be told (signal rule 16).
    """
    last = week_of(day) if is_sunday(day) else week_of(day) - 1
    numbers = range(last + 1 if history.first_week is None else history.first_week, last + 1)
    values = [history.week(of.key, week, profile.usage_channel) for week in numbers]
    weeks = [value for week, value in zip(numbers, values, strict=True) if not excused.excuses(of.key, week)]
    reason = not_applicable(of, profile, weeks, tracked=_is_tracked(of, history), age=day - history.any_days.first + 1)
    if reason is None and irregular:
        reason = IRREGULAR
    now = level(weeks)
    percent = recovered_percent(weeks, baseline) if baseline else None
    return {
        "key": of.key,
        "family": of.family.value,
        "applicable": reason is None,
        "reason": reason,
        "weeks": [
            {
                "week": date_of(monday(week)).isoformat(),
                "value": _number(value, of),
                "excused": excused.excuses(of.key, week),
            }
            for week, value in list(zip(numbers, values, strict=True))[-SHOWN_WEEKS:]
        ],
        "level": _number(now.now, of),
        "usual": None if now.usual is None else decimal_number(now.usual / of.unit),
        "slopes": {str(days): _slope(weeks, span, of) for days, span in SPANS.items()},
        "acceleration": _acceleration(weeks),
        "recovery": None if percent is None else recovery(percent).value,
        "recovered_percent": None if percent is None else decimal_number(percent),
    }


def habits_json(history: History, profile: Profile, excused: Excused, day: int) -> HabitsJson | None:
    """How regularly an account was active; None before its first event."""
    days = history.days(profile.usage_channel)
    last = days.last(day)
    if last is None:
        return None
    known = rhythm(days, last)
    return {
        "last_active": date_of(last).isoformat(),
        "silent_days": silent_days(last, day, excused),
        "weeks_active_of_13": known.weeks_active,
        "days_active_of_91": known.days_active,
    }


def _is_tracked(of: Signal, history: History) -> bool:
    if of.key == ACTIVE_DAYS:
        return bool(history.any_days.days)
    return any(history.weekly.get(of.key, {}).values())


def _slope(weeks: Sequence[int], span: int, of: Signal) -> SlopeJson:
    found = slope(weeks, span, of.unit)
    percent = None if found.percent is None else decimal_number(found.percent)
    return {"direction": found.direction.value, "percent": percent}


def _acceleration(weeks: Sequence[int]) -> str | None:
    if len(weeks) < 3 * RECENT_WEEKS:
        return None
    first, second, third = (sum(weeks[-at * RECENT_WEEKS :][:RECENT_WEEKS]) for at in (3, 2, 1))
    found = acceleration(first, second, third)
    return None if found is None else found.value


def _number(value: int, of: Signal) -> float:
    return decimal_number(Fraction(value, of.unit))
