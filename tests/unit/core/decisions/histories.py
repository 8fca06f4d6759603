"""Random histories of accounts: stretches of use, each with a rhythm of its own, and what makes rules begin and end."""

from __future__ import annotations

from random import Random

from healthscore.core.signals.history import DayUse

FIRST = 738_000
MICROS = 1_000_000


def history(seed, days=330):
    """The days of a random account, in no order."""
    random = Random(seed)
    uses, day = [], FIRST + random.randrange(7)
    end = day + days
    uses.append(use(random, day, 1, value=True, review=True, features=1))
    day += 1
    while day < end:
        length = random.randrange(7, 120)
        often = random.choice([0, 0, 2, 5, 8, 20, 40, 60, 80, 100])
        people, value, review = random.choice([1, 2, 5]), random.random() < 0.7, random.random() < 0.6
        weekdays, features = random.random() < 0.6, random.choice([1, 3, 6])
        uses += [
            use(random, other, people, value=value, review=review, features=features)
            for other in range(day, min(day + length, end))
            if random.randrange(100) < often and not (weekdays and (other - 1) % 7 > 4)
        ]
        day += length
    random.shuffle(uses)
    return uses


def use(random, day, people, *, value, review, features):
    of_people = random.random() < 0.95
    return DayUse(
        day=day,
        people=frozenset(f"u{random.randrange(people)}" for _ in range(people)) if of_people else frozenset(),
        value=random.randrange(1, 6) * MICROS if value else 0,
        integrations={"review": random.randrange(1, 5) * MICROS if review else 0},
        features=frozenset(f"f{random.randrange(features)}" for _ in range(2)),
    )
