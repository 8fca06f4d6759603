"""The cost of ingesting events, compared with the textbook design."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from healthscore.core.time import DAY
from healthscore.services.ingestion.events import ingest
from healthscore.settings import Settings
from tests.bench import textbook
from tests.bench.engine import metered
from tests.bench.measuring import Section, Table, side_by_side, verdict
from tests.bench.usage import day_of_events
from tests.support.gateway import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from healthscore.core.model import Event

TARGETS = {1: 1.1, 10: 0.20, 20: 0.12, 100: 0.06}
"""Write units per event, by the size of batches."""
USERS = (1, 100)


def measure(
    *, day_events: int = 500, timed_events: int = 100, rounds: int = 3, batches: Sequence[int] = tuple(TARGETS)
) -> Section:
    """Store days of events of one account in batches of each size, with both designs."""
    textbook.create_table()
    rows, figures = [], {}
    for size in batches:
        for users in USERS:
            account_id = f"account-{size}-{users}"
            first, counted, *others = _days(account_id, day_events, users, 2 + rounds)
            _ours(first)  # creates the account and its event names, which is not counted
            units = {}
            for name, design in _DESIGNS.items():
                with metered() as meter:
                    accepted = sum(design(batch) for batch in _batches(counted, size))
                assert accepted == day_events
                units[name] = meter
            timed = [day[:timed_events] for day in others]
            works = {name: _day_by_day(timed, design, size) for name, design in _DESIGNS.items()}
            taken = side_by_side(works, rounds)
            ours, theirs = (units[name].writes / day_events for name in _DESIGNS)
            cpu_ours, cpu_theirs = (taken[name] / len(timed[0]) for name in _DESIGNS)
            reads = units["ours"].reads / day_events
            figures |= {f"writes {size} {users}": ours, f"cpu {size} {users}": cpu_ours, f"reads {size} {users}": reads}
            row = [size, users, f"{ours:.3f}", f"{TARGETS[size]:.2f}, {verdict(ours, TARGETS[size])}", f"{theirs:.2f}"]
            rows.append([*row, f"{theirs / ours:.0f}", f"{reads:.2f}", f"{cpu_ours:.2f}", f"{cpu_theirs:.2f}"])
    headings = ["events a batch", "users", "write units an event", "target", "textbook", "times as dear"]
    headings += ["read units an event", "CPU ms an event", "textbook's CPU ms"]
    return Section("Taking events in", [_ABOUT.format(events=day_events), Table(headings, rows)], figures)


_ABOUT = """One account, {events:,} events a day, users and sessions named by UUIDs. The textbook design
([`textbook.py`](../tests/bench/textbook.py)) puts an item per event and adds to a counter, in a transaction, and
reads nothing; ours reads the day's head and puts it back, and sometimes puts a sealed block. Units are DynamoDB Local's
own figures, except for transactions, which are calculated from item sizes. Ours needs a transaction only for a batch
that creates an account or brings a new event name, which happens a few times in an account's life; the figures leave
these batches out. CPU is that of the calling process: packing, summing up, and above all the AWS client. For single
events it is about twice the textbook's, which makes one call where we read and write; from batches of a hundred on it
is the same."""


def _ours(events: Sequence[Event]) -> int:
    return ingest(events, Settings(), NOW).accepted


_DESIGNS: dict[str, Callable[[Sequence[Event]], int]] = {"ours": _ours, "textbook": textbook.record}


def _days(account_id: str, count: int, users: int, days: int) -> list[list[Event]]:
    first = NOW.date() - days * DAY
    return [day_of_events(account_id, first + timedelta(days=number), count, users, "writes") for number in range(days)]


def _batches(events: Sequence[Event], size: int) -> list[Sequence[Event]]:
    return [events[start : start + size] for start in range(0, len(events), size)]


def _day_by_day(
    days: Sequence[Sequence[Event]], design: Callable[[Sequence[Event]], int], size: int
) -> Callable[[], None]:
    to_do = iter(days)

    def store() -> None:
        for batch in _batches(next(to_do), size):
            design(batch)

    return store
