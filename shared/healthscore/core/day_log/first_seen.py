"""When each event name of an account was first seen: the times that milestones are counted from (scoring rule 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

MAX_NAMES = 500
"""Event names remembered per account beside the milestones; of more, the earliest are kept.

A client that puts ids into its event names would otherwise grow the account without bound.
"""


def merge_first_seen(
    known: Mapping[str, int], seen: Iterable[tuple[str, int]], milestones: Collection[str]
) -> dict[str, int] | None:
    """Add events to first-seen times.

    Args:
        known: first-seen milliseconds by event name.
        seen: event names and milliseconds of new events, in any order.
        milestones: names that are remembered however many others there are.

    Returns:
        The new first-seen times, or None where nothing changes. The result depends only on the set of all events, not
        on their order: a name that is dropped today could only come back with an earlier event.
    """
    merged = dict(known)
    for name, at in seen:
        if at < merged.get(name, at + 1):
            merged[name] = at
    others = [name for name in merged if name not in milestones]
    if len(others) > MAX_NAMES:
        others.sort(key=lambda name: (merged[name], name))
        for name in others[MAX_NAMES:]:
            del merged[name]
    return None if merged == known else merged
