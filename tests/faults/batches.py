"""What a life under faults delivers: batches of events before each of two nights, from a seed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.model import MICROS, Event
from healthscore.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

FIRST_NIGHT = datetime(2026, 11, 13, 2, tzinfo=UTC)
SECOND_NIGHT = datetime(2026, 11, 21, 2, tzinfo=UTC)
"""Eight days on: accounts that were not seen since the first night are alerted as silent."""
ACCOUNTS = [f"account-{number}" for number in range(8)]
CONTESTED = ACCOUNTS[7]
"""Erased again and again while its events come in, until before the first night; later events create it again."""
ERASED_AT_NIGHT = ACCOUNTS[5]
"""Erased in the second night, which has an alert about it."""
USERS_ERASED = ((ACCOUNTS[2], "person-3"), (ACCOUNTS[1], "person-4"))
"""The first is erased while events come in, the second in the first night."""
SETTINGS = Settings(milestones=("login", "exported"))

FEWEST_CONTESTED = 24
NAMES = ("login", "exported", "page_viewed")
MANY_NAMES = (*NAMES, *(f"n{number}" for number in range(12)))
"""Most batches bring one that the account does not know yet, and so touch the account's own item."""

Phase = list[list[Event]]


class Phases(NamedTuple):
    """What is delivered when, mostly in small batches of one account, with repetitions within and between them."""

    early: Phase
    """Before the first night."""
    contested: Phase
    """Before the first night, of the one account that is erased meanwhile."""
    between: Phase
    """During the first night. These events are of later days, so that it does not matter to that night."""
    late: Phase
    """Before the second night."""


def phases_of(seed: int, deliveries: int) -> Phases:
    """The batches of a life: in all `deliveries`, but some contested ones at least."""
    random, ids = Random(seed), count()
    days = [FIRST_NIGHT.date() - timedelta(days=back) for back in (3, 2, 1)]
    between = [FIRST_NIGHT.date() + timedelta(days=on) for on in (1, 2)]
    late = [SECOND_NIGHT.date() - timedelta(days=back) for back in (12, 2, 1)]
    some = max(deliveries // 10, FEWEST_CONTESTED)
    most = max(deliveries - deliveries // 10 - some, 2)
    all_begin = [_event(random, days[0], account_id, next(ids)) for account_id in ACCOUNTS[:7]]
    return Phases(
        early=[all_begin, *(_batch(random, days, ACCOUNTS[:7], ids) for _ in range(most // 2))],
        contested=[_batch(random, days, [CONTESTED], ids, MANY_NAMES) for _ in range(some)],
        between=[_batch(random, between, [ACCOUNTS[0], ACCOUNTS[2]], ids) for _ in range(deliveries // 10)],
        late=[_batch(random, late, [*ACCOUNTS[:3], CONTESTED], ids) for _ in range(most - most // 2)],
    )


def _batch(
    random: Random, days: Sequence[date], some: Sequence[str], ids: Iterator[int], names: Sequence[str] = NAMES
) -> list[Event]:
    of_one = random.choice(some)
    batch = [
        _event(random, random.choice(days), random.choice(some) if random.random() < 0.05 else of_one, next(ids), names)
        for _ in range(random.choice([1, 1, 1, 2, 5, 20]))
    ]
    return batch + random.sample(batch, k=len(batch) // 4)


def _event(random: Random, day: date, account_id: str, number: int, names: Sequence[str] = NAMES) -> Event:
    person = random.choice([None, *(f"person-{i}" for i in range(12))])
    return Event(
        event_id=f"e{number}",
        account_id=account_id,
        name=random.choice(names),
        at=datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(milliseconds=random.randrange(86_400_000)),
        user_id=person,
        anonymous_id=random.choice([None, "visitor"]),
        session_id=random.choice([None, None, "s1", "s2"]),
        value=random.choice([MICROS, 7]),
    )


def distinct(phases: Sequence[Phase]) -> dict[str, Event]:
    return {one.event_id: one for phase in phases for batch in phase for one in batch}
