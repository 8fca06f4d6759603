"""Gives calls whose time depends on their delivery the time that their first delivery decided."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from healthscore.storage.day_logs.log_items import expiry
from healthscore.storage.people import first_times

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from healthscore.core.identity.calls import (
        Alias,
        Description,
        GroupCall,
        Identification,
        ParsedCalls,
        TrackedEvent,
    )
    from healthscore.settings import Settings

    IdentityCall = TypeVar("IdentityCall", GroupCall, Identification, Alias, Description)


def with_first_times(calls: ParsedCalls, settings: Settings, now: datetime) -> ParsedCalls:
    """The calls with the times that hold for all of their deliveries.

    Tracked events that do not say when they were made, and identity calls whose time is provisional, are decided now
    unless an earlier delivery decided them. Other identity calls are looked up: an earlier delivery may have found the
    client's clock in the future that has come meanwhile. Tracked events with a time of their own cost nothing.

    Raises:
        StorageUnavailableError: some times are not decided, or not known to be; the calls may be sent again.
    """
    identity: list[GroupCall | Identification | Alias | Description] = [
        *calls.group_calls,
        *calls.identifications,
        *calls.aliases,
        *calls.accounts,
        *calls.people,
    ]
    wanted: dict[str, int] = {}
    for event in calls.tracked_events:
        if event.message is not None:
            wanted.setdefault(event.message, event.entry.at)
    for call in identity:
        if call.message is not None and call.provisional:
            wanted.setdefault(call.message, call.at)
    others = {call.message for call in identity if call.message is not None} - wanted.keys()
    times: dict[str, int] = {}
    if wanted:
        times |= first_times.decide(wanted, expiry(now.date(), settings.retention_days))
    if others:
        times |= first_times.known(others)
    return replace(
        calls,
        tracked_events=[_tracked(event, times) for event in calls.tracked_events],
        group_calls=_timed(calls.group_calls, times),
        identifications=_timed(calls.identifications, times),
        aliases=_timed(calls.aliases, times),
        accounts=_timed(calls.accounts, times),
        people=_timed(calls.people, times),
    )


def _tracked(event: TrackedEvent, times: Mapping[str, int]) -> TrackedEvent:
    if event.message is None:
        return event
    return event._replace(entry=event.entry._replace(at=times[event.message]))


def _timed(calls: Sequence[IdentityCall], times: Mapping[str, int]) -> list[IdentityCall]:
    return [call._replace(at=times.get(call.message or "", call.at)) for call in calls]
