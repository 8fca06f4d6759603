"""Parsed calls of the Segment dialect.

The time of some calls depends on when they were delivered: the client's clock was corrected by the time of receipt, or
the call does not say when it was made. The first delivery then decides for all others; it is remembered by `message`.
"""

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
    written: int | None = None
    """The time as the client wrote it, in milliseconds, where the entry's was corrected by the time of receipt."""
    message: str | None = None
    """What names the call in all its deliveries, where the call does not say when it was made and the entry's time is
    that of receipt."""


class PersonMembership(NamedTuple):
    """A person belongs to an account from an instant on."""

    person: str
    """As in `core.day_log.codec.Entry`."""
    at: int
    """Milliseconds since the Unix epoch."""
    account_id: str
    message: str | None = None
    """What names the call in all its deliveries; None where it was sent without a message id."""
    provisional: bool = False
    """Whether the time depends on the delivery: it was corrected, or is that of receipt."""


class Alias(NamedTuple):
    """One person is known by two ids."""

    person: str
    """The id that is given up, as in `core.day_log.codec.Entry`: mostly an anonymous one."""
    user: str
    """The id that stands for the person from now on."""
    at: int
    """When the call said so, in milliseconds since the Unix epoch."""
    message: str | None = None
    """As in `PersonMembership`."""
    provisional: bool = False
    """As in `PersonMembership`."""


class Description(NamedTuple):
    """What a call says about an account or a person."""

    about: str
    """An account id; or a person, as in `core.day_log.codec.Entry`."""
    at: int
    """Milliseconds since the Unix epoch."""
    traits: dict[str, Any]
    """Checked values by field; of an account, further ones as `attributes.<name>`. May be empty."""
    message: str | None = None
    """As in `PersonMembership`."""
    provisional: bool = False
    """As in `PersonMembership`."""


@dataclass(frozen=True, slots=True)
class ParsedCalls:
    """The calls of one request, by what they say."""

    tracked_events: list[TrackedEvent] = field(default_factory=list)
    memberships: list[PersonMembership] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    accounts: list[Description] = field(default_factory=list)
    people: list[Description] = field(default_factory=list)
