"""What was sent and what was erased when, in the order of a life: it decides which events must be there in its end."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from healthscore.core.model import Event


@dataclass
class _Span:
    """From one moment of a life to another; until it is over, to its end."""

    began: int
    ended: float = float("inf")
    acknowledged: bool = False


class Ledger:
    """Notes what the senders of events and erasures know."""

    def __init__(self) -> None:
        self._moments = count()
        self._tries: dict[str, list[_Span]] = defaultdict(list)
        self._erasures: dict[str, list[_Span]] = defaultdict(list)

    @contextmanager
    def sending(self, batch: Iterable[Event]) -> Iterator[None]:
        """One try to deliver a batch; acknowledged unless it ends in an exception."""
        span = _Span(next(self._moments))
        for event_id in {event.event_id for event in batch}:
            self._tries[event_id].append(span)
        try:
            yield
            span.acknowledged = True
        finally:
            span.ended = next(self._moments)

    @contextmanager
    def erasing(self, name: str) -> Iterator[None]:
        """An erasure from its first request to the one that says that it is done."""
        span = _Span(next(self._moments))
        self._erasures[name].append(span)
        yield
        span.ended, span.acknowledged = next(self._moments), True

    def must_be_there(self, event: Event, erased: str) -> bool | None:
        """Whether an event must be there, or must not (False), after what was erased under a name; None: it may be.

        What was acknowledged is there, unless an erasure began later; what was last tried before an erasure began is
        gone. Only what was sent while the erasure ran may be there or not.
        """
        tries = self._tries[event.event_id]
        if not self._erasures[erased]:
            return any(one.acknowledged for one in tries)
        last = max(self._erasures[erased], key=lambda one: one.began)
        if any(one.acknowledged and one.began > max(each.ended for each in self._erasures[erased]) for one in tries):
            return True
        return False if all(one.ended < last.began for one in tries) else None
