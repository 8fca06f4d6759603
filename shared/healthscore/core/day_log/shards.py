"""Lanes: how a day with very many small batches is split, so that its writers need not meet in one item.

A day's log consists of 1, 2, 4 … `MAX_LANES` lanes, each a log of its own. All entries of a person lie in one lane, so
sessions and people of the lanes add up to those of the day; and the same event lies in the same lane however often it
is sent, so each lane finds its repetitions alone. How many lanes a day has is decided once, from the load of the day
before, and never changes for that day.
"""

from __future__ import annotations

from collections import defaultdict
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.core.day_log.codec import Entry

MAX_LANES = 32
LANE_BATCHES = 10_000
"""Batches a day that one lane takes: at a peak of ten times the average that is 1.2 a second, of which, with some ten
milliseconds between reading and writing a head, about one in a hundred meets another."""
RACE = 100
"""Batches that a lost race counts for: where one batch in a hundred loses one, a lane has as much as it should take."""
NARROW = 2
"""Batches that would on average touch more lanes than this are not split up: each lane costs a put of its own, and as
every batch would go to most lanes, the writers would still meet."""

_MOST = 2**32 - 1


class Load(NamedTuple):
    """How much a day was written to, and how wide its batches were."""

    batches: int
    """Those that brought something new, each lost race counted as `RACE` more."""
    spread: int
    """The lanes that the batches would have touched had there been `MAX_LANES`, summed likewise."""

    def plus(self, other: Load) -> Load:
        """The sum of both, as far as a head can hold it."""
        return Load(min(_MOST, self.batches + other.batches), min(_MOST, self.spread + other.spread))

    def after(self, races: int) -> Load:
        """The load when it took so many lost races to bring it in: few batches at one moment meet as often as many."""
        weight = 1 + RACE * races
        return Load(self.batches * weight, self.spread * weight)


NO_LOAD = Load(0, 0)


def lane_of(entry: Entry, lanes: int) -> int:
    """The lane of an entry, by its person; one without a person lies by its session, one without both by its id.

    It follows from the event alone: whatever is learned later of a person must not change what `entry.person` says.
    """
    if entry.person is not None:
        place = blake2b(entry.person.encode(), digest_size=1).digest()[0]
    else:
        place = entry.session or entry.id
    return place % lanes


def split(entries: Iterable[Entry], lanes: int) -> dict[int, list[Entry]]:
    """Entries by lane, lowest lane first."""
    parts: dict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        parts[lane_of(entry, lanes)].append(entry)
    return dict(sorted(parts.items()))


def load_of(batch: Iterable[Entry]) -> Load:
    """The load of one batch."""
    return Load(1, len({lane_of(entry, MAX_LANES) for entry in batch}))


def lanes_for(load: Load, lanes: int) -> int:
    """How many lanes a day should have after a day of this load in so many lanes.

    A power of two, at most `MAX_LANES`; not less than half of before, so that a quiet Sunday does not undo a busy week.
    """
    if load.spread > NARROW * load.batches:
        return 1
    wanted = -(-load.batches // LANE_BATCHES)
    return min(MAX_LANES, max(lanes // 2, 1 << max(0, wanted - 1).bit_length()))
