"""The rules for the settings of early warning; as those of `api.fields`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from healthscore.api import fields
from healthscore.core.detectors.registry import BY_NAME
from healthscore.core.identity.stored_size import stored_size
from healthscore.http.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_VALUE_EVENTS = 50
MAX_GROUPS = 20
MAX_GROUP_EVENTS = 50
MAX_GROUP_NAME = 50
"""The name of an integration is part of its signal's key, and stands in sentences."""
MAX_QUIET_DAYS = 200
MAX_OWN_BYTES = 8 * 1024
"""Of what an account has of its own: it is part of the account's item."""


def value_events(value: list[str]) -> list[str]:
    """Names of the events that the customer has bought the product for."""
    return _once(value, MAX_VALUE_EVENTS)


def group_events(value: list[str]) -> list[str]:
    """Names of the events of one integration, or one feature."""
    if not value:
        raise ValueError("must name at least one event")
    return _once(value, MAX_GROUP_EVENTS)


def groups(value: dict[str, list[str]]) -> dict[str, list[str]]:
    """Event names by integration, or by feature; an event belongs to one of them."""
    if len(value) > MAX_GROUPS:
        raise ValueError(f"must not have more than {MAX_GROUPS} names; it has {len(value)}")
    for name in value:
        if fields.text(name) != name:
            raise ValueError(f"must not have names with spaces at an end, such as {shown(name)}")
        if len(name) > MAX_GROUP_NAME:
            raise ValueError(f"must not have names longer than {MAX_GROUP_NAME} characters, such as {shown(name)}")
    for event in _repeated(event for events in value.values() for event in events):
        both = " and ".join(shown(name) for name, events in value.items() if event in events)
        raise ValueError(f"must not name an event twice, but {shown(event)} is in {both}")
    return value


def own_signals(value: dict[str, Any]) -> dict[str, Any]:
    """What an account's signals are made of, all of it together."""
    size = stored_size(value)
    if size > MAX_OWN_BYTES:
        raise ValueError(f"must not take more than {MAX_OWN_BYTES} bytes as compact JSON; they take {size}")
    return value


def quiet_days(value: list[str]) -> list[str]:
    """Days whose weeks are excused, each once, the earliest first."""
    if len(value) > MAX_QUIET_DAYS:
        raise ValueError(f"must not list more than {MAX_QUIET_DAYS} days; it lists {len(value)}")
    return sorted(set(value))


def detectors(value: dict[str, Any]) -> dict[str, Any]:
    """What is chosen of detectors, by their names."""
    for name in value:
        if name not in BY_NAME:
            raise ValueError(f"must name detectors, but {shown(name)} is none; there are {', '.join(BY_NAME)}")
    return value


def _once(value: list[str], most: int) -> list[str]:
    if len(value) > most:
        raise ValueError(f"must not name more than {most} events; it names {len(value)}")
    for event in _repeated(value):
        raise ValueError(f"must not name an event twice, but names {shown(event)}")
    return value


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]
