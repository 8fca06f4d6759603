"""Days as a sequence that is made of its bits when somebody looks into it: of most names, nobody looks at all days."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import overload

from healthscore.core.signals import day_bits


class LazyDays(Sequence[int]):
    """The days of a set that is not empty, oldest first. It is equal to a tuple of the same days."""

    __slots__ = ("_bits", "_days")

    def __init__(self, bits: int) -> None:
        """Take a set of `day_bits`."""
        self._bits = bits
        self._days: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return self._bits.bit_count()

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[int, ...]: ...
    def __getitem__(self, at: int | slice) -> int | tuple[int, ...]:
        if self._days is None:
            if at == 0:
                return day_bits.first(self._bits)
            if at == -1:
                return day_bits.last(self._bits)
            self._days = tuple(day_bits.days_in(self._bits))
        return self._days[at]

    @property
    def bits(self) -> int:
        """The set of `day_bits`."""
        return self._bits

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, LazyDays | tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))


def active_between(known: Mapping[str, Sequence[int]], first: int, last: int) -> list[str]:
    """The names of which one day lies in a span, of those with some days in order."""
    span = day_bits.between(first, last)
    return [
        name
        for name, days in known.items()
        if (days.bits & span if isinstance(days, LazyDays) else bisect_left(days, first) < bisect_right(days, last))
    ]
