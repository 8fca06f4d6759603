"""Timelines: what calls say from an instant on, such as the account that a person belongs to.

A call says that from its time on a value holds: "Ann belongs to Acme", "this device is Ann's". What holds at an instant
is what the last call at or before it says; before the first call, what the first one says, since a visitor's events
come before the call that names them. Of calls at the same instant the greatest value holds, whatever order they come
in.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Point = tuple[int, str]
"""Milliseconds since the Unix epoch, and the value that holds from then on."""
Timeline = tuple[Point, ...]
"""The instants at which the value changes, in order; empty where nothing was ever said."""
_instant = itemgetter(0)


def value_at(timeline: Sequence[Point], at: int) -> str | None:
    """What holds at an instant in milliseconds; None where nothing was ever said."""
    if not timeline:
        return None
    return timeline[max(0, bisect_right(timeline, at, key=_instant) - 1)][1]


def timeline_of(points: Iterable[Point]) -> Timeline:
    """The changes that calls make; the order of the calls does not matter."""
    changes: list[Point] = []
    for at, value in sorted(set(points)):
        if changes and changes[-1][0] == at:
            changes.pop()
        if not changes or changes[-1][1] != value:
            changes.append((at, value))
    return tuple(changes)


def within(timeline: Sequence[Point], first: int, end: int) -> list[tuple[int, int, str]]:
    """The stretches of one value from `first` up to `end`, in milliseconds: `(from, until, value)`, in order."""
    cuts = [first, *(at for at, _ in timeline[1:] if first < at < end), end]
    return [
        (start, until, value) for start, until in pairwise(cuts) if (value := value_at(timeline, start)) is not None
    ]
