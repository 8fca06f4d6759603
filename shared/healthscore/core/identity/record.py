"""What is known of one id, a user's or a device's: the record of which a person is made up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthscore.core.identity.timeline import Timeline


RELABELLED = "*"
"""What an unsettled id begins with whose events may be another's, or count or not."""
Mark = tuple[int, bool]
"""Milliseconds since the Unix epoch, and whether somebody is staff or a machine."""


@dataclass(slots=True)
class IdRecord:
    """One id. Ids are written as in `core.day_log.codec.Entry.person`.

    Of the user ids of one person, one *stands for* the person: its record has what is known of all of them.
    """

    id: str
    up: str | None = None
    """Another user id of the same person, nearer to the one that stands for the person. None: this one does."""
    users: list[str] = field(default_factory=list)
    """The person's other user ids, where this one stands for the person."""
    devices: list[str] = field(default_factory=list)
    """The devices on which the person was identified, where this one stands for the person."""
    groups: Timeline = ()
    """The accounts that the person's user ids, or this device, were said to belong to, by their own calls alone."""
    grouping: list[str] = field(default_factory=list)
    """The person's user ids that group calls have named: what they said at other times is kept with them."""
    grouped_devices: list[str] = field(default_factory=list)
    """The person's devices that group calls have named without a user."""
    memberships: Timeline | None = None
    """The person's accounts, where calls of devices have a part in them; None: `groups` says them."""
    owners: Timeline = ()
    """Of a device: the users who were identified on it."""
    shared: bool = False
    """Whether too many users were identified on the device in one day: it is nobody's from then on."""
    marks: tuple[Mark, ...] = ()
    """When calls of this id said whether its person is staff or a machine: of a device all of them, else the last."""
    public_marks: tuple[Mark, ...] = ()
    """The same of a device, said by calls of keys that may be public."""
    marked_devices: list[str] = field(default_factory=list)
    """The person's devices with marks of their own."""
    internal: bool = False
    """Whether the last mark of the person says that it is staff or a machine."""
    described: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """The e-mail addresses and names that each user id of the person, or this device, ever had."""
    has_events: bool = False
    """Whether the id has day logs of its own."""
    is_named: bool = False
    """Whether events of the id are in the logs of accounts that they name themselves."""
    unsettled: list[str] = field(default_factory=list)
    """Ids whose events may not be where they belong yet; behind `RELABELLED` where they may have a wrong label as well.
    """

    @property
    def is_device(self) -> bool:
        """Whether it is a device, and not a user."""
        return self.id.startswith("a")

    def to_json(self) -> dict[str, Any]:
        """The record as it is stored: what is said of the id, by short names."""
        values = {short: getattr(self, name) for name, short in _SHORT.items()}
        return {short: value for short, value in values.items() if value not in (None, False, (), [], {})}

    @classmethod
    def from_json(cls, id_: str, stored: Mapping[str, Any]) -> IdRecord:
        """Read what `to_json` wrote."""
        values = {name: stored[short] for name, short in _SHORT.items() if short in stored}
        for name in ("groups", "memberships", "owners", "marks", "public_marks"):
            if name in values:
                values[name] = tuple((at, value) for at, value in values[name])
        return cls(id_, **values)


_SHORT = {
    "up": "up",
    "users": "u",
    "devices": "d",
    "groups": "g",
    "grouping": "gu",
    "grouped_devices": "gd",
    "memberships": "m",
    "owners": "o",
    "shared": "s",
    "marks": "k",
    "public_marks": "kp",
    "marked_devices": "kd",
    "internal": "i",
    "described": "t",
    "has_events": "e",
    "is_named": "n",
    "unsettled": "w",
}
