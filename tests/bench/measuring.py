"""Measures on a machine that other programs use too: CPU time instead of the clock, medians, and alternating runs."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def cpu_ms(work: Callable[[], object]) -> float:
    """CPU milliseconds that all threads of this process spend on some work."""
    gc.collect()
    start = time.process_time_ns()
    work()
    return (time.process_time_ns() - start) / 1e6


def side_by_side(works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median CPU milliseconds of each work; they run in turn, `rounds` times."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            taken[name].append(cpu_ms(work))
    return {name: median(values) for name, values in taken.items()}


@dataclass(frozen=True)
class Table:
    """A table as Markdown."""

    headings: Sequence[str]
    rows: Sequence[Sequence[object]]

    def __str__(self) -> str:
        lines = [self.headings, ["---", *("---:" for _ in self.headings[1:])], *self.rows]
        return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


@dataclass
class Section:
    """One section of the report: paragraphs, tables, and figures for other sections."""

    title: str
    blocks: list[object]
    figures: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        return "\n\n".join([f"## {self.title}", *map(str, self.blocks)])


def verdict(value: float, target: float, *, at_least: bool = False) -> str:
    """Whether a figure meets its target."""
    met = value >= target if at_least else value <= target
    return "met" if met else "**missed**"
