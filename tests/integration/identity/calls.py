"""Calls of the Block dialect as the tracker takes them, and what becomes of them."""

from __future__ import annotations

from datetime import timedelta

from healthscore.core.day_log.codec import entry
from healthscore.core.identity.calls import Alias, ParsedCalls, PersonMembership, TrackedEvent
from healthscore.core.time import millis
from healthscore.services.ingestion import identity
from healthscore.settings import Settings
from healthscore.storage.day_logs import whole_days
from tests.support.events import MIDNIGHT, event

NOW = MIDNIGHT + timedelta(days=3)
START = millis(MIDNIGHT)


def record(calls: ParsedCalls):
    return identity.Tracker(Settings(), NOW, lambda: float("inf")).record(calls)


def tracked(event_id: str, person: str, minute: float, account_id: str | None = None) -> TrackedEvent:
    field = "user_id" if person.startswith("u") else "anonymous_id"
    return TrackedEvent(account_id, entry(event(event_id, minute, **{field: person[1:]})))


def calls_of(calls) -> ParsedCalls:
    return ParsedCalls(
        tracked_events=[one for one in calls if isinstance(one, TrackedEvent)],
        memberships=[one for one in calls if isinstance(one, PersonMembership)],
        aliases=[one for one in calls if isinstance(one, Alias)],
    )


def entries_of(pk: str):
    return [one for day in whole_days.days(pk) for one in whole_days.read_day(pk, day).entries]
