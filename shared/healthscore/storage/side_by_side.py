"""Work that waits for storage, done side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from healthscore.storage.client import CONCURRENCY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

One = TypeVar("One")
Result = TypeVar("Result")


def side_by_side(work: Callable[[One], Result], items: Iterable[One]) -> list[Result]:
    """Do the same work for each item, as many at once as the client has connections; answers the results in order.

    All of them are done or have failed when this ends. It raises what the first of the failed ones has raised.
    """
    items = list(items)
    if len(items) < 2:  # noqa: PLR2004  (no thread for one)
        return [work(one) for one in items]
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        return list(pool.map(work, items))
