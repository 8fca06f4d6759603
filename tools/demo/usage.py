"""How customers use the made-up product: phases of visits, written out as events.

Everything is random but repeatable: the same story at the same instant gives the same events, event ids included.
Stories are given in days before now, so that the demo workspace is up to date whenever it is made. What is judged by
calendar weeks is given in whole weeks before the present one, so that it is the same on every weekday.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from healthscore.core.time import DAY, format_instant, start_of_day

if TYPE_CHECKING:
    from collections.abc import Iterator

ACTIONS = (
    *("dashboard_viewed", "report_viewed", "task_created", "task_completed") * 3,
    *("comment_added", "filter_saved", "file_uploaded") * 2,
    *("export_downloaded", "user_invited", "schedule_changed"),
)
"""The events of a visit after signing in; frequent ones are listed more often."""
_OPENS, _LAST_VISIT_STARTS = 8 * 60, 16 * 60
"""Minutes of the day, UTC."""
_WEEKEND = 5
_BETWEEN_EVENTS = timedelta(minutes=4)
"""In a visit of a week; those of a phase of days say how long they last."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Days with the same kind of usage; `first` and `last` are days before today, both included."""

    first: int
    last: int
    visits: int
    """A day, each by another user as long as there are enough of them."""
    events: tuple[int, int]
    """A visit, from and to."""
    minutes: tuple[int, int]
    """Length of a visit, from and to."""
    every: int = 1
    """2 for every second day, and so on, beginning with the first."""
    weekends: bool = True


@dataclass(frozen=True, slots=True)
class Weeks:
    """Calendar weeks with the same visits; `first` and `last` are weeks before the present one, both included.

    The present week is that of yesterday, the last day that a night looks at. With `last` 0 the visits go on up to now.
    """

    first: int
    last: int
    days: tuple[int, ...]
    """Weekdays, Monday is 0."""
    names: tuple[str, ...]
    """The events of a visit."""
    users: tuple[str, ...] = ()
    """They come in turn; with nobody, a machine sends the events."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A single event, such as a milestone."""

    days_ago: int
    name: str
    before_now: bool = False
    """Half-way between midnight and now; otherwise in the morning, before all visits."""


def events(
    account_id: str,
    users: tuple[str, ...],
    phases: tuple[Phase | Weeks, ...],
    moments: tuple[Moment, ...],
    now: datetime,
) -> Iterator[dict[str, Any]]:
    """Make the events of an account's usage, for `POST /v1/events`; none is later than now.

    Args:
        account_id: whose usage it is.
        users: who visits in phases of days; none where only machines send events.
        phases: the usage.
        moments: the single events beside it.
        now: the instant that the days are counted back from, aware; days are those of UTC.
    """
    today = start_of_day(now.astimezone(UTC).date(), UTC)
    for moment in moments:
        since_midnight = (now - today) / 2 if moment.before_now else timedelta(minutes=_OPENS - 10)
        at = today - moment.days_ago * DAY + since_midnight
        yield _event(account_id, users[0] if users else None, moment.name, at, f"{account_id}-{moment.name}")
    for number, phase in enumerate(phases):
        if isinstance(phase, Weeks):
            made = _weeks(account_id, phase, today, f"{account_id}-{number}")
        else:
            made = _days(account_id, users, phase, today)
        for event in made:
            if event["timestamp"] <= format_instant(now):
                yield event


def _days(account_id: str, users: tuple[str, ...], phase: Phase, today: datetime) -> Iterator[dict[str, Any]]:
    for days_ago in range(phase.first, phase.last - 1, -phase.every):
        midnight = today - days_ago * DAY
        if phase.weekends or midnight.weekday() < _WEEKEND:
            yield from _day(account_id, users, phase, midnight, Random(f"{account_id} {days_ago}"))  # noqa: S311


def _weeks(account_id: str, phase: Weeks, today: datetime, name: str) -> Iterator[dict[str, Any]]:
    yesterday = today - DAY
    present = yesterday - yesterday.weekday() * DAY
    # Today may be the Monday after the present week.
    for week in range(phase.first, phase.last - 1 if phase.last else -2, -1):
        for turn, weekday in enumerate(phase.days):
            midnight = present + (weekday - 7 * week) * DAY
            random = Random(f"{name} {week} {weekday}")  # noqa: S311
            at = midnight + timedelta(minutes=random.randint(_OPENS, _LAST_VISIT_STARTS))
            user = phase.users[(turn + week) % len(phase.users)] if phase.users else None
            for count, event in enumerate(phase.names):
                event_id = f"{name}-{midnight:%Y%m%d}-{count}"
                yield _event(account_id, user, event, at + count * _BETWEEN_EVENTS, event_id)


def _day(
    account_id: str, users: tuple[str, ...], phase: Phase, midnight: datetime, random: Random
) -> Iterator[dict[str, Any]]:
    visitors = random.sample(users, min(phase.visits, len(users)))
    for visit in range(phase.visits):
        user = visitors[visit % len(visitors)]
        at = midnight + timedelta(minutes=random.randint(_OPENS, _LAST_VISIT_STARTS))
        count = random.randint(*phase.events)
        pause = timedelta(minutes=random.randint(*phase.minutes)) / max(count - 1, 1)
        for number in range(count):
            name = random.choice(ACTIONS) if number else "signed_in"
            yield _event(account_id, user, name, at + number * pause, f"evt-{random.getrandbits(64):016x}")


def _event(account_id: str, user: str | None, name: str, at: datetime, event_id: str) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "account_id": account_id,
        **({} if user is None else {"user_id": user}),
        "name": name,
        "timestamp": format_instant(at),
    }
