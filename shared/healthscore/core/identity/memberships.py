"""Where a person belongs: which account the events of somebody count for at which time."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Membership = tuple[int, str]

MAX_MEMBERSHIPS = 50
"""Kept of one person; with more, the newest are."""


def account_at(memberships: Sequence[Membership], at: int) -> str | None:
    """The account that a person belonged to.

    Args:
        memberships: milliseconds and account of what is known, sorted.
        at: the instant in question, in milliseconds.

    Returns:
        What was said last by then. For a time before anything was said: what was said first, since a visitor's events
        come before anyone says where the visitor belongs. None where nothing was ever said.
    """
    if not memberships:
        return None
    return memberships[max(0, bisect_right(memberships, at, key=lambda membership: membership[0]) - 1)][1]


def merge_memberships(known: Sequence[Membership], said: Iterable[Membership]) -> tuple[Membership, ...]:
    """Enter what was said; the order in which things are said does not matter.

    Clients say again and again where somebody belongs, so of a run of the same account its first and last time are
    kept, and what lies between is dropped: as long as nobody says later that the person was elsewhere in between, the
    answer is the same at every instant.
    """
    memberships = sorted({*known, *said})
    kept = [
        membership
        for i, membership in enumerate(memberships)
        if i in (0, len(memberships) - 1) or not memberships[i - 1][1] == membership[1] == memberships[i + 1][1]
    ]
    return tuple(kept[-MAX_MEMBERSHIPS:])
