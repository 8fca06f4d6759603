"""Committing what there is room for: an entry that has no room, and never will, does not stop the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from healthscore.storage.errors import NoRoomError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

One = TypeVar("One")


def commit_fitting(entries: Sequence[One], commit: Callable[[Sequence[One]], int]) -> tuple[int, list[One]]:
    """Commit entries together; where there is no room for all of them, in halves.

    Args:
        entries: at least one.
        commit: commits some of them, each exactly once, and answers how many were new. Where it finds no room, it has
            committed none of them.

    Returns:
        How many entries were new, and those that do not fit even alone.
    """
    try:
        return commit(entries), []
    except NoRoomError:
        if len(entries) == 1:
            return 0, [*entries]
    middle = len(entries) // 2
    halves = [commit_fitting(half, commit) for half in (entries[:middle], entries[middle:])]
    return sum(accepted for accepted, _ in halves), [one for _, without_room in halves for one in without_room]
