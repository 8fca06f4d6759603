"""Sessions: a user's runs of events within one day (scoring rule 7)."""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter

GAP_MS = 30 * 60 * 1000
"""Two events of a user without a session id belong together unless more than this many milliseconds lie between."""

Run = tuple[int, int, int]
_NO_RUNS: tuple[Run, ...] = ()
_start = itemgetter(0)


class Sessions:
    """Collects one day's events into sessions; the result does not depend on the order they come in.

    A run is `(first, last, events)` with first and last in milliseconds. Events that name a session share one run per
    person and session. Events without one form, per person, the runs that are left when the day is cut wherever more
    than `GAP_MS` pass: these are kept as disjoint runs in order, and a new event extends a run, starts one, or joins
    the two it bridges.
    """

    __slots__ = ("_duration", "_events", "_gapped", "_named", "_sessions")

    def __init__(self) -> None:
        self._sessions = self._events = self._duration = 0
        self._named: dict[tuple[str | None, int], Run] = {}
        self._gapped: dict[str, tuple[Run, ...]] = {}

    def copy(self) -> Sessions:
        """An independent copy (runs themselves are immutable and shared)."""
        twin = Sessions()
        twin._sessions, twin._events, twin._duration = self._sessions, self._events, self._duration
        twin._named = self._named.copy()
        twin._gapped = self._gapped.copy()
        return twin

    def add(self, person: str | None, session: int, at: int) -> None:
        """Count one event of a person at `at` milliseconds; `session` is 0 where the event named none.

        An event with neither person nor session belongs to no session and is left out.
        """
        replaced: tuple[Run, ...]
        if session:
            before = self._named.get((person, session))
            replaced = () if before is None else (before,)
            merged = _with(before, at)
            self._named[person, session] = merged
        elif person is not None:
            runs = self._gapped.get(person, _NO_RUNS)
            low, high, merged = _joined(runs, at)
            replaced = runs[low:high]
            self._gapped[person] = (*runs[:low], merged, *runs[high:])
        else:
            return
        self._sessions += 1 - len(replaced)
        self._events += 1
        self._duration += merged[1] - merged[0] - sum(last - first for first, last, _ in replaced)

    def totals(self) -> tuple[int, int, int]:
        """How many sessions there are, their events, and the sum of their durations in milliseconds."""
        return self._sessions, self._events, self._duration


def _with(run: Run | None, at: int) -> Run:
    """A run with one more event in it."""
    if run is None:
        return at, at, 1
    first, last, events = run
    return min(first, at), max(last, at), events + 1


def _joined(runs: tuple[Run, ...], at: int) -> tuple[int, int, Run]:
    """The run that one more event makes, and the slice of `runs` whose place it takes.

    `runs` are disjoint, in order, and more than `GAP_MS` apart.
    """
    after = bisect_right(runs, at, key=_start)
    low, high, merged = after, after, (at, at, 1)
    if after and at - runs[after - 1][1] <= GAP_MS:
        low = after - 1
        first, last, events = runs[low]
        merged = (first, max(last, at), events + 1)
    if after < len(runs) and runs[after][0] - at <= GAP_MS:
        high = after + 1
        _, last, events = runs[after]
        merged = (merged[0], last, merged[2] + events)
    return low, high, merged
