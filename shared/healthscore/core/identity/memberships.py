"""Memberships: the account that a person's events count for, by time."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Membership = tuple[int, str]

MAX_MEMBERSHIPS = 50
"""Kept of one person; of more, the newest."""


def account_at(memberships: Sequence[Membership], at: int) -> str | None:
    """The account that a person belonged to.

    Args:
        memberships: milliseconds since the Unix epoch, and the account from then on; sorted.
        at: the instant in question, in milliseconds.

    Returns:
        The account of the last membership by then; before the first membership, that of the first, since a visitor's
        events come before the call that names the account. None where there is no membership.
    """
    if not memberships:
        return None
    return memberships[max(0, bisect_right(memberships, at, key=lambda membership: membership[0]) - 1)][1]


def merge_memberships(known: Sequence[Membership], new: Iterable[Membership]) -> tuple[Membership, ...]:
    """Add memberships; the order in which they become known does not matter.

    Clients name the account again and again. So of a run of the same account the first and the last time are kept, and
    those between are dropped: `account_at` is the same at every instant, unless another account between the two becomes
    known later.
    """
    memberships = sorted({*known, *new})
    kept = [
        membership
        for i, membership in enumerate(memberships)
        if i in (0, len(memberships) - 1) or not memberships[i - 1][1] == membership[1] == memberships[i + 1][1]
    ]
    return tuple(kept[-MAX_MEMBERSHIPS:])
