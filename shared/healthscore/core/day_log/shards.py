"""Write shards: a day with very many small batches is split, so that its writers do not all put the same item.

A day's log consists of 1, 2, 4 … `MAX_SHARDS` shards, each a log of its own. All entries of a person lie in one shard,
so sessions and people of the shards add up to those of the day. Repetitions of an event lie in the same shard, so each
shard finds its repetitions alone. How many shards a day has is decided once, from the load of the
day before, and never changes for that day.
"""

from __future__ import annotations

from collections import defaultdict
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.core.day_log.codec import Entry

MAX_SHARDS = 32
SHARD_BATCHES = 10_000
"""Batches a day that one shard takes: at a peak of ten times the average that is 1.2 a second. With some ten
milliseconds between reading and writing a head, about one in a hundred of these meets another."""
CONFLICT_WEIGHT = 100
"""Batches that a write conflict counts for: where one batch in a hundred meets one, a shard is full."""
NARROW_BATCH = 2
"""Batches that would on average touch more shards than this are not split: each shard costs a put of its own, and the
writers would still meet, since every batch would go to most shards."""

_MOST = 2**32 - 1


class WriteLoad(NamedTuple):
    """How many batches a day had, and how many shards they touched."""

    batches: int
    """Those with new events, each write conflict counted as `CONFLICT_WEIGHT` more."""
    spread: int
    """The shards that the batches would have touched if there were `MAX_SHARDS`, summed likewise."""

    def plus(self, other: WriteLoad) -> WriteLoad:
        """The sum of both, as far as a head can hold it."""
        return WriteLoad(min(_MOST, self.batches + other.batches), min(_MOST, self.spread + other.spread))

    def after(self, conflicts: int) -> WriteLoad:
        """The load of a commit that met conflicts: few batches at one moment meet as often as many over the day."""
        weight = 1 + CONFLICT_WEIGHT * conflicts
        return WriteLoad(self.batches * weight, self.spread * weight)


NO_LOAD = WriteLoad(0, 0)


def shard_of(entry: Entry, shards: int) -> int:
    """The shard of an entry, by its person; one without a person lies by its session, one without both by its id.

    Where it becomes known who a person is, the entries move to the shard of the id that stands for the person.
    """
    who = entry.who
    if who is None:
        return (entry.session or entry.id) % shards
    return blake2b(who.encode(), digest_size=1).digest()[0] % shards


def split(entries: Iterable[Entry], shards: int) -> dict[int, list[Entry]]:
    """Entries by shard, lowest shard first."""
    parts: dict[int, list[Entry]] = defaultdict(list)
    for entry in entries:
        parts[shard_of(entry, shards)].append(entry)
    return dict(sorted(parts.items()))


def load_of(batch: Iterable[Entry]) -> WriteLoad:
    """The load of one batch."""
    return WriteLoad(1, len({shard_of(entry, MAX_SHARDS) for entry in batch}))


def shards_for(load: WriteLoad, shards: int) -> int:
    """How many shards a day should have after a day of this load in `shards` shards.

    A power of two, at most `MAX_SHARDS`; not less than half of before, so that a quiet Sunday does not undo a busy
    week.
    """
    if load.spread > NARROW_BATCH * load.batches:
        return 1
    wanted = -(-load.batches // SHARD_BATCHES)
    return min(MAX_SHARDS, max(shards // 2, 1 << max(0, wanted - 1).bit_length()))
