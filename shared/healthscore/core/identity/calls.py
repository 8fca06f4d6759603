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
    """The account that the call itself names; None: it counts for the account that the person belongs to."""
    entry: Entry
    written: int | None = None
    """The time as the client wrote it, in milliseconds, where the entry's was corrected by the time of receipt."""
    message: str | None = None
    """What names the call in all its deliveries, where the call does not say when it was made and the entry's time is
    that of receipt."""
    position: int = 0
    """As in `GroupCall`."""


class GroupCall(NamedTuple):
    """An id belongs to an account from an instant on."""

    id: str
    """A user or a device, as in `core.day_log.codec.Entry.person`."""
    at: int
    """Milliseconds since the Unix epoch."""
    account_id: str
    message: str | None = None
    """What names the call in all its deliveries; None where it was sent without a message id."""
    provisional: bool = False
    """Whether the time depends on the delivery: it was corrected, or is that of receipt."""
    position: int = 0
    """Position in the request as sent."""


class Identification(NamedTuple):
    """A device is a user's from an instant on."""

    device: str
    """As in `core.day_log.codec.Entry.person`."""
    at: int
    """Milliseconds since the Unix epoch."""
    user: str
    """As in `core.day_log.codec.Entry.person`."""
    message: str | None = None
    """As in `GroupCall`."""
    provisional: bool = False
    """As in `GroupCall`."""
    position: int = 0
    """As in `GroupCall`."""


class Alias(NamedTuple):
    """Two ids are one user's. The one that is given up may be a device's, which is the user's from then on."""

    previous: str
    """The id that is given up, as a user's."""
    at: int
    """Milliseconds since the Unix epoch."""
    user: str
    """The other id of the same user."""
    message: str | None = None
    """As in `GroupCall`."""
    provisional: bool = False
    """As in `GroupCall`."""
    position: int = 0
    """As in `GroupCall`."""


class Description(NamedTuple):
    """What a call says about an account or a person."""

    about: str
    """An account id; or a person, as in `core.day_log.codec.Entry`."""
    at: int
    """Milliseconds since the Unix epoch."""
    traits: dict[str, Any]
    """Checked values by field; of an account, further ones as `attributes.<name>`. May be empty."""
    message: str | None = None
    """As in `GroupCall`."""
    provisional: bool = False
    """As in `GroupCall`."""
    position: int = 0
    """As in `GroupCall`."""


@dataclass(frozen=True, slots=True)
class ParsedCalls:
    """The calls of one request, by what they say."""

    tracked_events: list[TrackedEvent] = field(default_factory=list)
    group_calls: list[GroupCall] = field(default_factory=list)
    identifications: list[Identification] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    accounts: list[Description] = field(default_factory=list)
    people: list[Description] = field(default_factory=list)
    is_public: bool = False
    """Whether a stranger may have sent them: they fill what nobody has said, and replace nothing."""

    @property
    def account_ids(self) -> set[str | None]:
        """The accounts that the calls name; None among them where an event names none."""
        named = {event.account_id for event in self.tracked_events}
        return {*named, *(call.account_id for call in self.group_calls), *(said.about for said in self.accounts)}
