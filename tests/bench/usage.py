"""Generated usage: events of accounts whose users and sessions have UUIDs as ids, as in real products."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from healthscore.core.model import Event

if TYPE_CHECKING:
    from datetime import date

NAMES = (
    "account_created", "first_feature_used", "report_viewed", "report_exported",
    "dashboard_opened", "invitation_sent", "search_performed", "comment_added",
)  # fmt: skip
SESSION_EVENTS = 20


def uuid(random: Random) -> str:
    """A UUID from seeded random numbers."""
    return str(UUID(int=random.getrandbits(128), version=4))


def day_of_events(account_id: str, day: date, count: int, users: int, seed: str, *, hours: float = 24) -> list[Event]:
    """One account's events of a day in order of time, spread over its first `hours` and over its users.

    Each user starts a new session after `SESSION_EVENTS` events.
    """
    random = Random(f"{account_id} {day} {seed}")
    people = Random(account_id)
    names = [uuid(people) for _ in range(users)]
    sessions: dict[str, tuple[str, int]] = {}
    step = timedelta(hours=hours) / count
    events = []
    for number in range(count):
        user = names[number % users] if number < users else random.choice(names)
        session, used = sessions.get(user, ("", SESSION_EVENTS))
        if used == SESSION_EVENTS:
            session, used = uuid(random), 0
        sessions[user] = session, used + 1
        at = datetime(day.year, day.month, day.day, tzinfo=UTC) + number * step
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        name = NAMES[number % len(NAMES)] if number < len(NAMES) else random.choice(NAMES)
        events.append(Event(uuid(random), account_id, name, at, user_id=user, session_id=session))
    return events
