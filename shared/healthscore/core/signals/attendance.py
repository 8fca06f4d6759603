"""The weeks of the whole fleet: who came of those who were expected, decided once a week (signal rule 28).

Each account's part in a finished week is a few numbers, which add up in any order. What is decided of a week is kept,
whatever comes late: so that any past night is judged by the weeks that it was judged by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.signals.calendar import DAYS, sunday, week_of
from healthscore.core.signals.excused import Attendance, Excused, attendance
from healthscore.core.signals.model import ACTIVE_DAYS, INTEGRATION, VALUE
from healthscore.core.signals.weeks import BASELINE_WEEKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthscore.core.signals.history import History
    from healthscore.core.signals.model import Definitions, Profile


class DecidedWeek(NamedTuple):
    """What is decided of a finished week."""

    week: int
    attendance: Mapping[str, Attendance]
    """By signal key: of active days, that of all accounts."""
    quiet: frozenset[str]
    """The signals that it is excused for: with active days, for all."""


def last_finished(night: int) -> int:
    """The last week that is over in the night of a day, by its number: the week before, on every day of a week."""
    return week_of(night) - 1


def counted_signals(definitions: Definitions) -> tuple[str, ...]:
    """The signals of which a workspace counts who came: active days, and what can break for everybody by itself.

    An account's own integrations are not among them: no twenty accounts have the same.
    """
    return ACTIVE_DAYS, VALUE, *(INTEGRATION + name for name in sorted(definitions.integrations))


def attendance_of(history: History, profile: Profile, week: int, signals: Iterable[str]) -> dict[str, Attendance]:
    """An account's part in the attendance of a finished week, by signal: of those of which it is expected.

    Args:
        history: what it did. Its first, partial week does not count.
        profile: what is known of it: nobody expects a customer who has left.
        week: the week in question.
        signals: the signals that are counted.
    """
    first = history.first_week
    if first is None or profile.churned:
        return {}
    start = max(first, week - BASELINE_WEEKS)
    found: dict[str, Attendance] = {}
    for key in signals:
        if key == ACTIVE_DAYS:
            days = history.days(profile.usage_channel).counts(DAYS, sunday(start), sunday(week))[::DAYS]
            active = {at for at, count in enumerate(days, start) if count}
        else:
            sums = history.weekly.get(key, {})
            active = {at for at in range(start, week + 1) if sums.get(at)}
        if (part := attendance(active, week)).expected_twelfths:
            found[key] = part
    return found


def decided(week: int, totals: Mapping[str, Attendance]) -> DecidedWeek:
    """What comes of the attendance of all accounts in a week."""
    return DecidedWeek(week, totals, frozenset(key for key, total in totals.items() if total.is_quiet))


def excused(weeks: Iterable[DecidedWeek], quiet_days: Iterable[int] = ()) -> Excused:
    """The weeks that do not exist for any account.

    Args:
        weeks: what was decided.
        quiet_days: the days that the settings name as quiet: they excuse their weeks as well.
    """
    everybody = {week_of(day) for day in quiet_days}
    by_signal: dict[str, set[int]] = {}
    for decision in weeks:
        if ACTIVE_DAYS in decision.quiet:
            everybody.add(decision.week)
        for key in decision.quiet - {ACTIVE_DAYS}:
            by_signal.setdefault(key, set()).add(decision.week)
    return Excused(everybody, by_signal)
