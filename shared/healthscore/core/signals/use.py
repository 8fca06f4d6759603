"""What is stored of an account's use: its days, its people's days, and the sums of its finished weeks (signal rule 4).

A day is folded from the whole log of the day, a finished week from those of its days: what a fold brings replaces what
was there of them. So it does not matter in which order days are folded, how often, or with how many others, and
yesterday, a late event, changed settings and the first fold of an account with a long history are all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.signals import day_bits
from healthscore.core.signals.active_days import ActiveDays
from healthscore.core.signals.calendar import DAYS, monday, week_of
from healthscore.core.signals.history import History, week_sums
from healthscore.core.signals.lazy_days import LazyDays
from healthscore.core.signals.model import UsageChannel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from healthscore.core.signals.history import DayUse

HORIZON_WEEKS = 115
"""800 days, and the rest of a week: what the rules look back at, and a year more to look at any past night."""
SUMMED_WEEKS = 114
"""Those of them that are finished."""
MOST_PEOPLE, MOST_FEATURES = 500, 100
"""The most recently active ones are kept. One who is left out and comes again begins anew."""
YOUNG_WEEKS = 15
"""Until then the features of a week that is not finished are kept as well: onboarding is judged on days 28, 56 and 84,
and all other rules look at features in finished weeks."""


class Progress(NamedTuple):
    """How far the days are folded from whole logs. Instants are in seconds since the Unix epoch."""

    whole: int | None = None
    """The instant as of which all days were folded that had to be: when that began. None before the first time."""
    going_on: int | None = None
    """The day from which on days have to be folded yet; None where none has to be."""
    begun: int | None = None
    """When that began."""


NOT_BEGUN = Progress()


@dataclass(frozen=True, slots=True)
class Use:
    """The use of an account, as far as it is folded. Sets of days are those of `day_bits`."""

    any_days: int = 0
    """The days with any event."""
    people_days: int = 0
    """The days with an event of a person."""
    by_hand_days: int = 0
    """The days with an event of a person that is no integration's."""
    people: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """The days of each person."""
    recent_features: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """The days of each feature in weeks without sums, while the account is young."""
    contacts: int = 0
    """The days of meetings and e-mails, as the CRM has named them."""
    versions: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    """What tells the logs that were folded from others, by day: of those days that every night looks at."""
    definitions: int = 0
    """What tells the definitions by which it was folded from others."""
    progress: Progress = NOT_BEGUN
    weeks: Mapping[int, Mapping[str, int]] = field(default_factory=lambda: MappingProxyType({}))
    """The sums of each finished week with an event, by signal key."""
    features: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """The days of each feature in these weeks."""
    tickets: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    """The open tickets at the ends of those weeks at which there were more, or fewer, than at the one before."""

    def fold(self, days: Mapping[int, DayUse | None], weeks: Collection[int] = ()) -> Use:
        """Put days, and finished weeks, in the place of what was folded of them.

        Args:
            days: by number what the whole log of each says; None where it has no event.
            weeks: those of which all days are given, to be summed.
        """
        taken = ~day_bits.bits(days)
        uses = [use for use in days.values() if use is not None]
        folded = replace(
            self,
            any_days=self.any_days & taken | day_bits.bits(use.day for use in uses),
            people_days=self.people_days & taken | _active(uses, UsageChannel.PEOPLE),
            by_hand_days=self.by_hand_days & taken | _active(uses, UsageChannel.BOTH),
            people=_exchanged(self.people, taken, ((use.people, use.day) for use in uses)),
            recent_features=_exchanged(self.recent_features, taken, ((use.features, use.day) for use in uses)),
        )
        return _tidied(_summed(folded, weeks, uses) if weeks else folded)

    def unsummed(self, until: int) -> list[int]:
        """The weeks up to one that have an event and no sums."""
        known = day_bits.weeks_in(self.any_days)
        return [week for week in known if week <= until and week not in self.weeks]

    def without(self, people: AbstractSet[str]) -> Use:
        """The same, without some people's names and days."""
        return replace(self, people={person: days for person, days in self.people.items() if person not in people})

    def contacted(self, days: Iterable[int]) -> Use:
        """With further days of meetings and e-mails."""
        contacts = self.contacts | day_bits.bits(days)
        if contacts == self.contacts:
            return self
        return replace(self, contacts=day_bits.since(contacts, week_of(day_bits.last(contacts)) - HORIZON_WEEKS + 1))

    def with_tickets(self, week: int, tickets: int) -> Use:
        """With the tickets that are open at the end of a week; what is known of later ones stays."""
        before = [tickets for known, tickets in sorted(self.tickets.items()) if known <= week]
        if before and before[-1] == tickets:
            return self
        changed = dict(sorted({**self.tickets, week: tickets}.items()))
        overtaken = [known for known in changed if known <= week - SUMMED_WEEKS][:-1]
        return replace(self, tickets={known: open_ for known, open_ in changed.items() if known not in overtaken})

    def tickets_until(self, week: int) -> dict[int, int]:
        """The open tickets at the end of each week up to one, from the first on of which they are known."""
        found: dict[int, int] = {}
        for number in range(min(self.tickets, default=week + 1), week + 1):
            found[number] = self.tickets.get(number, found.get(number - 1, 0))
        return found

    @property
    def contact_days(self) -> tuple[int, ...]:
        """The days of meetings and e-mails, oldest first."""
        return tuple(day_bits.days_in(self.contacts))

    @property
    def is_whole(self) -> bool:
        """Whether all days are folded: what is not whole is not to be judged by."""
        return self.progress.whole is not None and self.progress.going_on is None

    def history(self) -> History:
        """What the rules read of it."""
        weekly: dict[str, dict[int, int]] = {}
        for week, sums in self.weeks.items():
            for key, value in sums.items():
                weekly.setdefault(key, {})[week] = value
        features = dict(self.features)
        for feature, days in self.recent_features.items():
            features[feature] = features.get(feature, 0) | days
        channels = {
            UsageChannel.API: self.any_days,
            UsageChannel.PEOPLE: self.people_days,
            UsageChannel.BOTH: self.by_hand_days,
        }
        active = {days: ActiveDays(day_bits.days_in(days)) for days in set(channels.values())}  # mostly the same ones
        return History(
            active={channel: active[days] for channel, days in channels.items()},
            weekly=weekly,
            people={person: LazyDays(days) for person, days in self.people.items()},
            features={feature: LazyDays(days) for feature, days in features.items()},
        )


NO_USE = Use()


def _summed(use: Use, weeks: Collection[int], uses: Iterable[DayUse]) -> Use:
    by_week: dict[int, list[DayUse]] = {week: [] for week in weeks}
    for one in uses:
        if (week := week_of(one.day)) in by_week:
            by_week[week].append(one)
    taken = ~day_bits.bits(monday(week) + day for week in weeks for day in range(DAYS))
    of_weeks = ((one.features, one.day) for uses in by_week.values() for one in uses)
    kept = {week: sums for week, sums in use.weeks.items() if week not in by_week}
    sums = {week: week_sums(uses) for week, uses in by_week.items() if uses}
    return replace(use, weeks=kept | sums, features=_exchanged(use.features, taken, of_weeks))


def _tidied(use: Use) -> Use:
    """Without what is too long ago, too much, or kept elsewhere."""
    newest = week_of(day_bits.last(use.any_days)) if use.any_days else 0
    oldest, last_summed = newest - HORIZON_WEEKS + 1, max(use.weeks, default=0)
    any_days = day_bits.since(use.any_days, oldest)
    weeks = {week: use.weeks[week] for week in sorted(use.weeks) if week > last_summed - SUMMED_WEEKS}
    recent: Mapping[str, int] = {}
    if any_days and newest not in weeks and newest - week_of(day_bits.first(any_days)) < YOUNG_WEEKS:
        recent = {feature: day_bits.only(of, newest) for feature, of in use.recent_features.items()}
    return replace(
        use,
        any_days=any_days,
        people_days=day_bits.since(use.people_days, oldest),
        by_hand_days=day_bits.since(use.by_hand_days, oldest),
        people=_most_recent(use.people, oldest, MOST_PEOPLE),
        recent_features=_most_recent(recent, oldest, MOST_FEATURES),
        weeks=weeks,
        features=_most_recent(use.features, last_summed - SUMMED_WEEKS + 1, MOST_FEATURES),
    )


def _active(uses: Iterable[DayUse], channel: UsageChannel) -> int:
    return day_bits.bits(use.day for use in uses if use.is_active(channel))


def _exchanged(known: Mapping[str, int], taken: int, uses: Iterable[tuple[Iterable[str], int]]) -> dict[str, int]:
    """Days by name without those that are taken, and with others."""
    found = {name: days & taken for name, days in known.items()}
    for names, day in uses:
        bit = day_bits.bit(day)
        for name in names:
            found[name] = found.get(name, 0) | bit
    return found


def _most_recent(known: Mapping[str, int], oldest: int, most: int) -> dict[str, int]:
    """Days by name, from a week on, of so many names: those whose last day is latest; of equals, the smaller ones."""
    found = {name: days for name in sorted(known) if (days := day_bits.since(known[name], oldest))}
    if len(found) <= most:
        return found
    kept = sorted(found, key=lambda name: -day_bits.last(found[name]))[:most]
    return {name: found[name] for name in sorted(kept)}
