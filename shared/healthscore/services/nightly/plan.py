"""Plans a nightly run: reads what the event asks for, pins the instant to score, and divides the accounts.

What goes through the state machine stays small: the plan as JSON values, and one number for each part of the accounts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from healthscore.core.time import day_of, end_of_day, format_instant, from_millis, millis, parse_instant
from healthscore.storage import workspace
from healthscore.storage.runs import runs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from healthscore.settings import Settings

AHEAD = timedelta(minutes=15)
"""How far ahead of this machine's clock a run's instant may lie: as far as events may."""
ACCOUNTS_PER_SCAN_PART = 5000
"""A worker takes less than a minute for these: a part that fails is small, and quickly done again."""
MAX_SCAN_PARTS = 1000
"""Their numbers go through the state machine, whose inputs end at 256 KB."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Run:
    """One nightly run."""

    day: date
    """The night's day in the workspace's time zone."""
    as_of: datetime
    """The instant to score, aware UTC."""
    settings: Settings
    backfill: bool = False
    """Whether a past day's snapshots are taken again, which brings no alerts and no digest."""
    first: bool = False
    """Whether no regular run was before: the trouble that stands is listed once."""
    planned_at: datetime | None = None
    """When it was planned, aware; None for the instant that it scores."""

    @property
    def now(self) -> datetime:
        """The time of what it changes beside scores: also where it takes a past day again."""
        return self.planned_at or self.as_of


def plan_run(event: Mapping[str, Any], now: datetime) -> Run:
    """Read what a run is asked for; all regular runs of a day get the instant of the first one.

    Args:
        event: `{}` for a run as of now, `{"time": "2026-11-21T02:00:00Z"}` for one as of the instant it was scheduled
            for, or `{"date": "2026-11-20"}` for taking the snapshots of a past day again, as of its end.
        now: the instant of the call, aware.

    Raises:
        ValueError: the event is none of these; the message says why.
        StorageUnavailableError: the workspace cannot be read or written now.
    """
    unknown = sorted(set(event) - {"time", "date"})
    if unknown or len(event) > 1:
        raise ValueError(f'a run takes {{"time": …}} or {{"date": …}} or nothing, but got {", ".join(sorted(event))}')
    settings = workspace.settings().settings
    if "date" in event:
        day = _past_day(event["date"], day_of(now, settings.zone), settings)
        return Run(day, end_of_day(day, settings.zone), settings, backfill=True, planned_at=now)
    as_of = _instant(event["time"], now) if "time" in event else from_millis(millis(now))
    day = day_of(as_of, settings.zone)
    return Run(day, runs.start_run(day, as_of), settings, first=not runs.any_run_before(day))


def plan_scan_parts(task: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Do the state machine's first task: plan the run, and divide the accounts into parts.

    Args:
        task: `{"task": "start", "event": what plan_run takes, "execution": a name unlike any other run's}`.
        now: the instant of the call, aware.

    Returns:
        `run`, which every other task is given; `segments`, the number of parts; `numbers`, the number of each part.

    Raises:
        ValueError: the event makes no sense; the message says why.
        StorageUnavailableError: the workspace cannot be read or written now.
    """
    asked = {name: value for name, value in task["event"].items() if value is not None}
    run = plan_run(asked, now)
    parts = min(max(-(-runs.accounts_about() // ACCOUNTS_PER_SCAN_PART), 1), MAX_SCAN_PARTS)
    return {
        "run": {
            "day": run.day.isoformat(),
            "as_of": format_instant(run.as_of),
            "backfill": run.backfill,
            "first": run.first,
            "planned_at": format_instant(run.now),
            "execution": task["execution"],
        },
        "segments": parts,
        "numbers": list(range(parts)),
    }


def planned_run(plan: Mapping[str, Any]) -> Run:
    """The run that `plan_scan_parts` has planned.

    Args:
        plan: its `run`.

    Raises:
        StorageUnavailableError: the workspace cannot be read now.
    """
    return Run(
        day=date.fromisoformat(plan["day"]),
        as_of=parse_instant(plan["as_of"]),
        settings=workspace.settings().settings,
        backfill=plan["backfill"],
        first=plan.get("first", False),  # an execution that began before an update has none, nor the next
        planned_at=parse_instant(plan["planned_at"]) if "planned_at" in plan else None,
    )


def _past_day(text: object, today: date, settings: Settings) -> date:
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        raise ValueError('"date" must be a day such as 2026-11-20')
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"date": there is no day {text}') from None
    if day >= today:
        raise ValueError(f'"date" must be a past day, but {text} is not over: today is {today} in {settings.timezone}')
    if (today - day).days > settings.retention_days:
        raise ValueError(f'"date" must lie within the {settings.retention_days} days that events are kept')
    return day


def _instant(text: object, now: datetime) -> datetime:
    if not isinstance(text, str):
        raise ValueError('"time" must be an instant such as 2026-11-21T02:00:00Z')  # noqa: TRY004  (one error for bad events)
    try:
        at = parse_instant(text)
    except ValueError as error:
        raise ValueError(f'"time": {error}') from None
    if at > now + AHEAD:
        raise ValueError(f'"time" must not lie in the future, but {text} does')
    return at
