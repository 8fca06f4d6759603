"""AWS clients and caches that live as long as the process, in one place where all of them can be dropped.

In Lambda, they end with the execution environment. Tests and the local stack run several environments in one process,
and drop them in between, so that no client has the endpoint of an earlier environment.
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
    """A cache that can be emptied."""

    def forget(self) -> None:
        """Empty the cache."""


_memories: WeakSet[Memory] = WeakSet()
_made: list[Any] = []


def once(make: Callable[[], T]) -> Callable[[], T]:
    """Decorate a function without arguments that makes a client: it is called at the first use, once a process."""
    kept = cache(make)
    _made.append(kept)
    return kept


def remember(memory: Memory) -> None:
    """Register a cache, for `forget` to empty it."""
    _memories.add(memory)


def forget() -> None:
    """Close the clients, and empty the caches."""
    for kept in _made:
        if kept.cache_info().currsize:
            with contextlib.suppress(Exception):
                kept().close()
        kept.cache_clear()
    for memory in list(_memories):
        memory.forget()
