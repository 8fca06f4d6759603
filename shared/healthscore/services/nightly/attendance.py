"""The fleet's weeks in a night: workers count who came in the last finished week, and the night's end decides it once.

A night that was missed on a Monday is made up for by the next one. Until a week is decided it is not excused; what is
decided stays, also where a night is run again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthscore.core.signals.attendance import attendance_of, counted_signals, excused, last_finished
from healthscore.core.signals.model import Profile, UsageChannel
from healthscore.services.early_warning import quiet_days, workspace_definitions
from healthscore.services.folding import known_use
from healthscore.storage.runs import attendance as decided_weeks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthscore.core.account import Account
    from healthscore.core.nightly.run_totals import RunTotals
    from healthscore.core.signals.excused import Attendance, Excused
    from healthscore.core.signals.history import History
    from healthscore.services.nightly.plan import Run


@dataclass(frozen=True, slots=True)
class WeekCount:
    """What a worker knows of the fleet: it is the same for all accounts of a night."""

    excused: Excused
    """The weeks that are excused for all accounts."""
    counts: int | None
    """The week of which this night counts who came; None where it is decided, and in a backfill."""
    signals: tuple[str, ...]
    """The signals that are counted."""


def week_count(run: Run) -> WeekCount:
    """Read what was decided, once for a worker.

    Args:
        run: the run.

    Raises:
        StorageUnavailableError: the tables cannot be read now.
    """
    weeks = decided_weeks.read()
    week = last_finished(run.day.toordinal())
    undecided = not run.backfill and all(known.week != week for known in weeks)
    signals = counted_signals(workspace_definitions(run.settings))
    return WeekCount(excused(weeks, quiet_days(run.settings)), week if undecided else None, signals)


def attendance_tonight(
    run: Run, night: WeekCount, account: Account, history: History | None
) -> Mapping[str, Attendance]:
    """An account's part in the week that a night counts; none where its use is not folded to the end yet.

    Args:
        run: the run.
        night: what the worker knows of the fleet.
        account: the account.
        history: what the night has judged it by; None where an earlier try of the same night has done so.

    Raises:
        StorageUnavailableError: the tables cannot be read now.
    """
    if night.counts is None:
        return {}
    if history is None:
        use = known_use(account, run.settings, run.now).use
        if not use.is_whole:
            return {}
        history = use.history()
    channel = UsageChannel(account.profile.get("usage_channel") or UsageChannel.PEOPLE)
    profile = Profile(channel, churned=bool(account.crm and account.crm.churned))
    return attendance_of(history, profile, night.counts, night.signals)


def decide_week(run: Run, total: RunTotals) -> None:
    """Decide the last finished week by who came, if anybody was counted: for good, unless an earlier night has done it.

    Raises:
        StorageUnavailableError: not kept.
    """
    if total.attendance:
        decided_weeks.decide(last_finished(run.day.toordinal()), total.attendance)
