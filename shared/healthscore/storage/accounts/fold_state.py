"""What an account's item says of the fold of its days: how far it got, and from where on logs have changed late.

Apart from `late`, which writes marks, since whatever reads an account reads this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from healthscore.storage import codec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthscore.storage.codec import Item

LATE, FOLDED = "late", "folded"
"""The attributes of an account's item: the mark, and how far the last night has folded its days."""
ATTRIBUTES = (LATE, FOLDED)


class Mark(NamedTuple):
    """A change of a log, or of several."""

    day: int
    """The number of the earliest day."""
    at: int
    """When it was about to be made, in seconds since the Unix epoch."""


class Folded(NamedTuple):
    """How far a night has folded an account's days."""

    day: int
    """The number of the last one."""
    whole: int | None
    """As of which instant all marks are followed, in seconds since the Unix epoch; None where none ever was."""
    pending: Sequence[tuple[int, int]] = ()
    """The days among them that are not in the stored use yet, and the versions of their logs."""


class Marked(NamedTuple):
    """What an account's item says, as it was read."""

    text: str | None
    mark: Mark | None
    folded: Folded | None


def of_item(item: Item) -> Marked:
    """Read an account's item."""
    late, folded = codec.json_of(item, LATE), codec.json_of(item, FOLDED)
    return Marked(
        codec.optional_text_of(item, LATE),
        None if late is None else Mark(*late),
        None if folded is None else Folded(*folded),
    )
