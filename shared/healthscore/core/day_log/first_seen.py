"""When each event name was first seen in an account's life: what milestones are counted from (scoring rule 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

MAX_NAMES = 500
"""Event names remembered per account beside the milestones; with more, the earliest are kept.

A client that puts ids into its event names would otherwise grow the account without bound.
"""


def merge_first_seen(
    known: Mapping[str, int], seen: Iterable[tuple[str, int]], milestones: Collection[str]
) -> dict[str, int] | None:
    """Bring first-seen times up to date.

    Args:
        known: first-seen milliseconds by event name.
        seen: event names and milliseconds of new events, in any order.
        milestones: names that are remembered however many others there are.

    Returns:
        The new first-seen times, or None where nothing changes. The result depends only on the set of all events, not
        on their order: a name that is crowded out today could only come back by an earlier event.
    """
    firsts = dict(known)
    for name, at in seen:
        if at < firsts.get(name, at + 1):
            firsts[name] = at
    crowd = [name for name in firsts if name not in milestones]
    if len(crowd) > MAX_NAMES:
        crowd.sort(key=lambda name: (firsts[name], name))
        for name in crowd[MAX_NAMES:]:
            del firsts[name]
    return None if firsts == known else firsts
