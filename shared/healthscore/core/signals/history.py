"""What the night knows of an account's use: the fold of its days into day bits, weekly sums and people's days.

The fold adds up and unites, so that any order of the days, and any split of them, gives the same history.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from healthscore.core.signals.active_days import ActiveDays
from healthscore.core.signals.calendar import first_whole_week, week_of
from healthscore.core.signals.model import ACTIVE_DAYS, BREADTH, INTEGRATION, USERS, VALUE, UsageChannel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthscore.core.signals.model import Definitions


@dataclass(frozen=True, slots=True)
class DayUse:
    """What an account did on one day on which it had an event."""

    day: int
    of_people: bool = True
    """Whether an event of a person is among them, outside of integrations where both are in use."""
    people: frozenset[str] = frozenset()
    value: int = 0
    """In millionths."""
    integrations: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Volume by name, in millionths."""
    features: frozenset[str] = frozenset()


def day_use(
    day: int, people: Iterable[str], values: Mapping[str, int], definitions: Definitions, channel: UsageChannel
) -> DayUse:
    """What a day's events mean for the signals (signal rules 5 and 6).

    Args:
        day: the day's number.
        people: who had an event on it.
        values: the sum of values by event name, in millionths; an event without a value counts one.
        definitions: which names make up which signal.
        channel: the account's; of one with both, events of integrations are no activity of people.
    """
    people = frozenset(people)
    by_hand = channel is not UsageChannel.BOTH or bool(values.keys() - definitions.of_integrations)
    return DayUse(
        day=day,
        of_people=bool(people) and by_hand,
        people=people,
        value=sum(value for name, value in values.items() if name in definitions.value_events),
        integrations={
            name: sum(value for event, value in values.items() if event in events)
            for name, events in definitions.integrations.items()
        },
        features=definitions.features_of(values.keys()),
    )


@dataclass(frozen=True, slots=True)
class History:
    """Everything of an account's use that the rules read. Weeks and days are by number."""

    any_days: ActiveDays
    """The days with any event."""
    people_days: ActiveDays
    """The days with an event of a person."""
    weekly: Mapping[str, Mapping[int, int]]
    """The sum of each week by signal key; a week that is missing is 0. Of active days, `days` has them."""
    people: Mapping[str, tuple[int, ...]]
    """The active days of each person, oldest first."""
    people_by_week: Mapping[int, frozenset[str]]
    """Who was active in each week."""
    features: Mapping[str, tuple[int, ...]]
    """The days on which each feature was used, oldest first."""

    @property
    def first(self) -> int | None:
        """The day of the first event; None where there is none."""
        return self.any_days.days[0] if self.any_days.days else None

    @property
    def first_week(self) -> int | None:
        """The first complete week of its life; None where there is no event."""
        return None if self.first is None else first_whole_week(self.first)

    def days(self, *, of_people: bool) -> ActiveDays:
        """The days that count as active: those of people, or those with any event."""
        return self.people_days if of_people else self.any_days

    def week(self, key: str, week: int, *, of_people: bool = True) -> int:
        """A signal's sum of a week."""
        if key == ACTIVE_DAYS:
            first = week * 7 + 1
            return self.days(of_people=of_people).count(first, first + 6)
        return self.weekly.get(key, {}).get(week, 0)


def fold(days: Iterable[DayUse]) -> History:
    """Fold days into a history; the days may come in any order, each once."""
    any_days: list[int] = []
    people_days: list[int] = []
    sums: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    sets: dict[str, dict[int, set[str]]] = {USERS: defaultdict(set), BREADTH: defaultdict(set)}
    people: dict[str, list[int]] = defaultdict(list)
    features: dict[str, list[int]] = defaultdict(list)
    for use in days:
        week = week_of(use.day)
        any_days.append(use.day)
        if use.of_people:
            people_days.append(use.day)
        sums[VALUE][week] += use.value
        for name, volume in use.integrations.items():
            sums[INTEGRATION + name][week] += volume
        sets[USERS][week] |= use.people
        sets[BREADTH][week] |= use.features
        for person in use.people:
            people[person].append(use.day)
        for feature in use.features:
            features[feature].append(use.day)
    different = {key: {week: len(members) for week, members in weeks.items()} for key, weeks in sets.items()}
    return History(
        any_days=ActiveDays(any_days),
        people_days=ActiveDays(people_days),
        weekly={**{key: dict(weeks) for key, weeks in sums.items()}, **different},
        people={person: tuple(sorted(of)) for person, of in people.items()},
        people_by_week={week: frozenset(members) for week, members in sets[USERS].items()},
        features={feature: tuple(sorted(of)) for feature, of in features.items()},
    )
