"""What lives as long as a process: its AWS clients, the keys and settings it remembers, the sealed logs it has read.

In Lambda that ends with the execution environment. Tests and the local stack run several environments in one process:
they drop all of it here, in one place, so that no client still points to an endpoint of before.
"""

from __future__ import annotations

import contextlib
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Memory(Protocol):
    """Something that remembers what it has read."""

    def forget(self) -> None:
        """Know as little as at the start."""


_memories: WeakSet[Memory] = WeakSet()
_made: list[Any] = []


def once(make: Callable[[], T]) -> Callable[[], T]:
    """Decorate a function without arguments that makes a client: it is called on first use, and once a process."""
    kept = cache(make)
    _made.append(kept)
    return kept


def remember(memory: Memory) -> None:
    """Have a memory dropped with all the others."""
    _memories.add(memory)


def forget() -> None:
    """Begin anew: close the clients that were made, and drop all that is remembered."""
    for kept in _made:
        if kept.cache_info().currsize:
            with contextlib.suppress(Exception):
                kept().close()
        kept.cache_clear()
    for memory in list(_memories):
        memory.forget()
