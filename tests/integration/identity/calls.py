"""Calls of Segment's dialect as the tracker takes them, and what becomes of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from healthscore.core.day_log.codec import entry
from healthscore.core.identity.calls import Alias, Description, GroupCall, Identification, ParsedCalls, TrackedEvent
from healthscore.core.time import millis
from healthscore.services.ingestion.identity import Tracker
from healthscore.settings import Settings
from healthscore.storage.day_logs import whole_days
from tests.support.events import MIDNIGHT, event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.core.day_log.codec import Entry
    from healthscore.services.ingestion.events import Ingested

    Call = TrackedEvent | GroupCall | Identification | Alias | Description

NOW = MIDNIGHT + timedelta(days=3)
START = millis(MIDNIGHT)


def record(*calls: Call, settings: Settings | None = None) -> Ingested:
    """Have one request record calls; the settings have their defaults unless they are given."""
    return Tracker(settings or Settings(), NOW, lambda: float("inf")).record(calls_of(calls))


def tracked(event_id: str, person: str, minute: float, account_id: str | None = None) -> TrackedEvent:
    """An event so many minutes after midnight."""
    field = "user_id" if person.startswith("u") else "anonymous_id"
    return TrackedEvent(account_id, entry(event(event_id, minute, **{field: person[1:]})))


def calls_of(calls: Iterable[Call]) -> ParsedCalls:
    """Calls by their kinds."""
    parsed = ParsedCalls()
    kinds = {
        TrackedEvent: parsed.tracked_events,
        GroupCall: parsed.group_calls,
        Identification: parsed.identifications,
        Alias: parsed.aliases,
        Description: parsed.people,
    }
    for one in calls:
        kinds[type(one)].append(one)
    return parsed


def entries_of(pk: str) -> list[Entry]:
    """Everything in a log, of all its days."""
    return [one for day in whole_days.days(pk) for one in whole_days.read_day(pk, day)]
