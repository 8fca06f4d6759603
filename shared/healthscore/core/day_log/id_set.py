"""The ids of a log's sealed part: an immutable set that grows at little cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class IdSet:
    """Ids in layers of frozen sets, each at least twice as large as the next.

    A grown set shares the large layers and merges only small ones. So sealing a block of a day of 100,000 events mostly
    copies a few dozen ids and seldom many, instead of all 100,000 each time.
    """

    __slots__ = ("_layers",)

    def __init__(self, layers: tuple[frozenset[int], ...] = ()) -> None:
        self._layers = layers

    def __contains__(self, id_: int) -> bool:
        for layer in self._layers:  # noqa: SIM110  (twice as fast as any(), for every event that comes in)
            if id_ in layer:
                return True
        return False

    def __len__(self) -> int:
        return sum(map(len, self._layers))

    def plus(self, ids: Iterable[int]) -> IdSet:
        """This set and `ids`, none of which may be in it."""
        layers, last = list(self._layers), frozenset(ids)
        while layers and len(layers[-1]) < 2 * len(last):
            last |= layers.pop()
        return IdSet((*layers, last))
