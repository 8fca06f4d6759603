"""Where a person belongs: which account the events of somebody count for at which time."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Stay = tuple[int, str]

MAX_STAYS = 50
"""Kept of one person; with more, the newest are."""


def account_at(stays: Sequence[Stay], at: int) -> str | None:
    """The account that a person belonged to.

    Args:
        stays: milliseconds and account of what is known, sorted.
        at: the instant in question, in milliseconds.

    Returns:
        What was said last by then. For a time before anything was said: what was said first, since a visitor's events
        come before anyone says where the visitor belongs. None where nothing was ever said.
    """
    if not stays:
        return None
    return stays[max(0, bisect_right(stays, at, key=lambda stay: stay[0]) - 1)][1]


def with_stays(known: Sequence[Stay], said: Iterable[Stay]) -> tuple[Stay, ...]:
    """Enter what was said; the order in which things are said does not matter.

    Clients say again and again where somebody belongs, so of a run of the same account its first and last time are
    kept, and what lies between is dropped: as long as nobody says later that the person was elsewhere in between, the
    answer is the same at every instant.
    """
    stays = sorted({*known, *said})
    kept = [
        stay
        for i, stay in enumerate(stays)
        if i in (0, len(stays) - 1) or not stays[i - 1][1] == stay[1] == stays[i + 1][1]
    ]
    return tuple(kept[-MAX_STAYS:])
