"""Places: where the events of one id count, by time, and whose they are."""

from __future__ import annotations

import json
from bisect import bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.day_log.codec import PARTLY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from healthscore.core.day_log.codec import Entry


class Place(NamedTuple):
    """Where events count from an instant on."""

    since: int
    """Milliseconds since the Unix epoch."""
    account_id: str | None
    """None: the person belongs to no account, and the events wait."""
    label: str | None
    """As `core.day_log.codec.Entry.label`."""


Places = tuple[Place, ...]
"""In order, and at least one; the first holds before its instant as well."""
NOWHERE: Places = (Place(0, None, None),)
"""Of events that count for no account."""
_since = itemgetter(0)


def place_at(places: Sequence[Place], at: int) -> Place:
    """Where an event of an instant in milliseconds counts."""
    return places[max(0, bisect_right(places, at, key=_since) - 1)]


def labelled(entry: Entry, places: Places) -> Entry:
    """An entry that names its account, with the label of its person.

    Args:
        entry: the entry.
        places: where the entries of its id count on the whole day.
    """
    partly = PARTLY if len({place.label for place in places}) > 1 else 0
    return entry._replace(label=place_at(places, entry.at).label, flags=entry.flags & ~PARTLY | partly)


def merged(stretches: Iterable[Place]) -> Places:
    """Places in order, without those that are like the one before."""
    kept: list[Place] = []
    for place in stretches:
        if not kept or kept[-1][1:] != place[1:]:
            kept.append(place)
    return tuple(kept)


PLACES_BYTES = 100_000
"""Room for the places of a day, in an id's own log."""


def fitting(places: Places) -> Places:
    """Places for which there is room: of too many, the newest."""
    while len(encode(places).encode()) > PLACES_BYTES:
        places = places[len(places) // 8 + 1 :]
    return places


def encode(places: Places) -> str:
    """Places as text; equal places are equal text. The first one's instant is left out, since it says nothing."""
    (_, account_id, label), *later = places
    return json.dumps([[0, account_id, label], *later], ensure_ascii=False, separators=(",", ":"))


def decode(text: str) -> Places:
    """Read what `encode` wrote."""
    return tuple(Place(*place) for place in json.loads(text))
