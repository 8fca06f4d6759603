"""Spans of days without a gap: on which nights something can be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Span = tuple[int, int]
"""The first and the last day."""


def united(spans: Iterable[Span]) -> list[Span]:
    """Spans in any order as spans in order that neither overlap nor touch."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return found


def spans_of(days: Iterable[int]) -> list[Span]:
    """Single days as spans."""
    return united((day, day) for day in days)
