"""Parsed calls of the Segment dialect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from healthscore.core.day_log.codec import Entry


class TrackedEvent(NamedTuple):
    """Something that somebody did: a track, page or screen call."""

    account_id: str | None
    """The account that the call itself names; None: it is looked up by the person's memberships."""
    entry: Entry


class PersonMembership(NamedTuple):
    """A person belongs to an account from an instant on."""

    person: str
    """As in `core.day_log.codec.Entry`."""
    at: int
    """Milliseconds since the Unix epoch."""
    account_id: str


class Alias(NamedTuple):
    """One person is known by two ids."""

    person: str
    """The id that is given up, as in `core.day_log.codec.Entry`: mostly an anonymous one."""
    user: str
    """The id that stands for the person from now on."""


class Description(NamedTuple):
    """What a call says about an account or a person."""

    about: str
    """An account id; or a person, as in `core.day_log.codec.Entry`."""
    at: int
    """Milliseconds since the Unix epoch."""
    traits: dict[str, Any]
    """Checked values by field; of an account, further ones as `attributes.<name>`. May be empty."""


@dataclass(frozen=True, slots=True)
class ParsedCalls:
    """The calls of one request, by what they say."""

    tracked_events: list[TrackedEvent] = field(default_factory=list)
    memberships: list[PersonMembership] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    accounts: list[Description] = field(default_factory=list)
    people: list[Description] = field(default_factory=list)
