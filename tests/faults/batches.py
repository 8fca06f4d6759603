"""What a life under faults delivers: batches of events before each of two nights, from a seed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import TYPE_CHECKING

from healthscore.core.model import MICROS, Event
from healthscore.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

FIRST_NIGHT = datetime(2026, 11, 13, 2, tzinfo=UTC)
SECOND_NIGHT = datetime(2026, 11, 21, 2, tzinfo=UTC)
"""Eight days on: whoever was not seen since the first night is told of as silent."""
ACCOUNTS = [f"account-{number}" for number in range(8)]
SETTINGS = Settings(milestones=("login", "exported"))

Phase = list[list[Event]]


def phases_of(seed: int, deliveries: int) -> list[Phase]:
    """The batches before each night: mostly small ones of one account, with repetitions within and between them."""
    random, ids = Random(seed), count()
    early = [FIRST_NIGHT.date() - timedelta(days=back) for back in (3, 2, 1)]
    late = [SECOND_NIGHT.date() - timedelta(days=back) for back in (12, 2, 1)]
    return [
        [_batch(random, days, some, ids) for _ in range(deliveries // 2)]
        for days, some in ((early, ACCOUNTS), (late, ACCOUNTS[:3]))
    ]


def _batch(random: Random, days: Sequence[date], some: Sequence[str], ids: Iterator[int]) -> list[Event]:
    of_one = random.choice(some)
    batch = [
        _event(random, random.choice(days), random.choice(some) if random.random() < 0.05 else of_one, next(ids))
        for _ in range(random.choice([1, 1, 1, 2, 5, 20]))
    ]
    return batch + random.sample(batch, k=len(batch) // 4)


def _event(random: Random, day: date, account_id: str, number: int) -> Event:
    person = random.choice([None, *(f"person-{i}" for i in range(12))])
    return Event(
        event_id=f"e{number}",
        account_id=account_id,
        name=random.choice(["login", "exported", "page_viewed"]),
        at=datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(milliseconds=random.randrange(86_400_000)),
        user_id=person,
        anonymous_id=random.choice([None, "visitor"]),
        session_id=random.choice([None, None, "s1", "s2"]),
        value=random.choice([MICROS, 7]),
    )


def distinct(phases: Sequence[Phase]) -> dict[str, Event]:
    return {one.event_id: one for phase in phases for batch in phase for one in batch}
