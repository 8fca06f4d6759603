"""What the night knows of an account's use: the fold of its days into day bits, weekly sums and people's days.

The fold adds up and unites, so that any order of the days, and any split of them, gives the same history.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from healthscore.core.signals.active_days import ActiveDays
from healthscore.core.signals.calendar import first_whole_week, monday, sunday, week_of
from healthscore.core.signals.lazy_days import active_between
from healthscore.core.signals.model import ACTIVE_DAYS, BREADTH, INTEGRATION, USERS, VALUE, UsageChannel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from healthscore.core.signals.model import Definitions


@dataclass(frozen=True, slots=True)
class DayUse:
    """What an account did on one day on which it had an event."""

    day: int
    people: frozenset[str] = frozenset()
    """Who had an event on it."""
    by_hand: bool = True
    """Whether an event of a person is among them that is no integration's; without people it says nothing."""
    value: int = 0
    """In millionths."""
    integrations: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Volume by name, in millionths."""
    features: frozenset[str] = frozenset()

    def is_active(self, channel: UsageChannel) -> bool:
        """Whether it is an active day of an account that uses the product by a channel (signal rule 6)."""
        if channel is UsageChannel.API:
            return True
        return bool(self.people) and (self.by_hand or channel is UsageChannel.PEOPLE)


def day_use(day: int, values: Mapping[tuple[str | None, str], int], definitions: Definitions) -> DayUse:
    """What a day's events mean for the signals (signal rules 5 and 6).

    Args:
        day: the day's number.
        values: the sum of values by person and event name, in millionths; an event without a value counts one.
        definitions: which names make up which signal.
    """
    by_name: dict[str, int] = defaultdict(int)
    for (_, name), value in values.items():
        by_name[name] += value
    of_integrations = definitions.of_integrations
    return DayUse(
        day=day,
        people=frozenset(person for person, _ in values if person is not None),
        by_hand=any(person is not None and name not in of_integrations for person, name in values),
        value=sum(value for name, value in by_name.items() if name in definitions.value_events),
        integrations={
            name: sum(value for event, value in by_name.items() if event in events)
            for name, events in definitions.integrations.items()
        },
        features=definitions.features_of(by_name.keys()),
    )


def week_sums(uses: Iterable[DayUse]) -> dict[str, int]:
    """The sum of each signal over the days of a week, by signal key; those that are 0 are left out."""
    sums: dict[str, int] = defaultdict(int)
    people, features = set[str](), set[str]()
    for use in uses:
        sums[VALUE] += use.value
        for name, volume in use.integrations.items():
            sums[INTEGRATION + name] += volume
        people |= use.people
        features |= use.features
    sums[USERS], sums[BREADTH] = len(people), len(features)
    return {key: value for key, value in sums.items() if value}


@dataclass(frozen=True, slots=True)
class History:
    """Everything of an account's use that the rules read. Weeks and days are by number."""

    active: Mapping[UsageChannel, ActiveDays]
    """The active days by channel: those with any event for an API, else those with an event of a person, where both are
    in use one outside of integrations."""
    weekly: Mapping[str, Mapping[int, int]]
    """The sum of each week by signal key; a week that is missing is 0. Of active days, `days` has them."""
    people: Mapping[str, Sequence[int]]
    """The active days of each person, oldest first."""
    features: Mapping[str, Sequence[int]]
    """The days on which each feature was used, oldest first."""

    @property
    def any_days(self) -> ActiveDays:
        """The days with any event."""
        return self.active[UsageChannel.API]

    @property
    def first(self) -> int | None:
        """The day of the first event; None where there is none."""
        return self.any_days.days[0] if self.any_days.days else None

    @property
    def first_week(self) -> int | None:
        """The first complete week of its life; None where there is no event."""
        return None if self.first is None else first_whole_week(self.first)

    def days(self, channel: UsageChannel) -> ActiveDays:
        """The days that count as active for an account that uses the product by a channel."""
        return self.active[channel]

    def week(self, key: str, week: int, channel: UsageChannel = UsageChannel.PEOPLE) -> int:
        """A signal's sum of a week."""
        if key == ACTIVE_DAYS:
            return self.days(channel).count(monday(week), sunday(week))
        return self.weekly.get(key, {}).get(week, 0)

    def people_of(self, week: int) -> frozenset[str]:
        """Who was active in a week."""
        return frozenset(active_between(self.people, monday(week), sunday(week)))


def fold(days: Iterable[DayUse]) -> History:
    """Fold days into a history; the days may come in any order, each once."""
    by_week: dict[int, list[DayUse]] = defaultdict(list)
    active: dict[UsageChannel, list[int]] = {channel: [] for channel in UsageChannel}
    weekly: dict[str, dict[int, int]] = defaultdict(dict)
    people: dict[str, list[int]] = defaultdict(list)
    features: dict[str, list[int]] = defaultdict(list)
    for use in days:
        by_week[week_of(use.day)].append(use)
        for channel, its_days in active.items():
            if use.is_active(channel):
                its_days.append(use.day)
        for person in use.people:
            people[person].append(use.day)
        for feature in use.features:
            features[feature].append(use.day)
    for week, uses in by_week.items():
        for key, value in week_sums(uses).items():
            weekly[key][week] = value
    return History(
        active={channel: ActiveDays(its_days) for channel, its_days in active.items()},
        weekly=dict(weekly),
        people={person: tuple(sorted(of)) for person, of in people.items()},
        features={feature: tuple(sorted(of)) for feature, of in features.items()},
    )
