"""When each event name of an account was first seen: the times that milestones are counted from (scoring rule 8)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

NAMES_BYTES = 32 * 1024
"""Room for the names that an account's item keeps, with their times, as JSON. Those beyond it have items of their own.

A client that puts ids into its event names would otherwise fill the item, which holds all else that is known.
"""
MILESTONES_BYTES = 48 * 1024
"""More room, for milestones alone: they are needed at every score. Fifty of the longest fit."""
OTHERS = ""
"""Stands among the names for all that are not kept here, with the earliest of their times. No event has such a name."""
_TIME_BYTES = 16
"""A time with its sign, and the colon and the comma around it."""


def merge_first_seen(
    known: Mapping[str, int], seen: Iterable[tuple[str, int]], milestones: Collection[str]
) -> dict[str, int] | None:
    """Add events to the first-seen times that an account's item keeps.

    Args:
        known: first-seen milliseconds by event name.
        seen: event names and milliseconds of new events, in any order.
        milestones: names for which there is more room.

    Returns:
        The new first-seen times, or None where nothing changes. Where there is no room for a name, `OTHERS` stands for
        it, and `beyond` tells which ones these are.
    """
    merged = dict(known)
    size: int | None = None
    for name, at in sorted(seen, key=lambda one: (one[1], one[0])):
        if name not in merged and name != OTHERS:
            size = _size(merged) if size is None else size
            room = NAMES_BYTES + (MILESTONES_BYTES if name in milestones else 0)
            more = _size({name: at})
            if size + more > room:
                name = OTHERS  # noqa: PLW2901  (what stands for it)
            else:
                size += more
        if at < merged.get(name, at + 1):
            merged[name] = at
    return None if merged == known else merged


def beyond(kept: Mapping[str, int], seen: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The first times of those names for which an account's item had no room.

    Args:
        kept: the times in the item.
        seen: event names and milliseconds, in any order.
    """
    others: dict[str, int] = {}
    if OTHERS in kept:
        for name, at in seen:
            if name not in kept and at < others.get(name, at + 1):
                others[name] = at
    return others


def fitting(known: Mapping[str, int]) -> dict[str, int]:
    """First-seen times that fit into `NAMES_BYTES`: the earliest, as `merge_first_seen` gives them for a new item."""
    return merge_first_seen({}, known.items(), ()) or {}


def _size(times: Mapping[str, int]) -> int:
    return sum(len(json.dumps(name, ensure_ascii=False).encode()) + _TIME_BYTES for name in times)
