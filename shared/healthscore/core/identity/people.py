"""Who somebody is, and where they belong, by what is known of their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.day_log.codec import COPY, NOT_COUNTED
from healthscore.core.identity import places, timeline
from healthscore.core.identity.places import Place, labelled
from healthscore.core.time import day_window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from healthscore.core.day_log.codec import Entry
    from healthscore.core.identity.counting import NotCounted
    from healthscore.core.identity.places import Places
    from healthscore.core.identity.record import IdRecord
    from healthscore.core.identity.timeline import Timeline


class People:
    """The people behind some ids.

    Args:
        records: the records of these ids, and of all to which they lead.
    """

    def __init__(self, records: Mapping[str, IdRecord]) -> None:
        self.records = records

    def person_of(self, user: str) -> IdRecord:
        """The record of the user id that stands for a user's person."""
        record = self.records[user]
        while record.up is not None:
            record = self.records[record.up]
        return record

    def person_at(self, id_: str, at: int) -> IdRecord:
        """The record that stands for the person of an id at an instant in milliseconds: a device's own, if nobody's."""
        record = self.records[id_]
        if not record.is_device:
            return self.person_of(id_)
        owner = timeline.value_at(record.owners, at)
        return record if owner is None else self.person_of(owner)

    def places(self, id_: str, first: int, end: int, not_counted: NotCounted) -> Places:
        """Where the events of an id count from `first` up to `end`, in milliseconds, and whose they are."""
        return places.fitting(places.merged(self._stretches(id_, first, end, not_counted)))

    def places_on(self, id_: str, day: date, not_counted: NotCounted) -> Places:
        """Where the events of an id count that fall on a calendar day, in whatever zone."""
        return self.places(id_, *day_window(day), not_counted)

    def mislabelled(self, entries: Iterable[Entry], day: date, not_counted: NotCounted) -> set[str]:
        """The ids of these people whose entries that name an account have other labels than they should.

        Args:
            entries: of an account's log of a day; those of others than these people are left out.
            day: the day.
            not_counted: the users who do not count.
        """
        places = {id_: self.places_on(id_, day, not_counted) for id_ in self.records}
        return {
            one.person
            for one in entries
            if one.person in places and not one.flags & COPY and labelled(one, places[one.person]) != one
        }

    def behind_on(self, id_: str, day: date) -> set[str]:
        """The ids whose records decide on `places_on`."""
        return self.behind(id_, *day_window(day))

    def behind(self, id_: str, first: int, end: int) -> set[str]:
        """The ids whose records decide on `places`: the id itself, and those that stand for its people.

        The records between never change again: once an id is another's, it stays so.
        """
        record = self.records[id_]
        owners = {owner for _, _, owner in timeline.within(record.owners, first, end)} if record.is_device else {id_}
        return {id_, *(self.person_of(owner).id for owner in owners)}

    def _stretches(self, id_: str, first: int, end: int, not_counted: NotCounted) -> Iterator[Place]:
        record = self.records[id_]
        stretches = [(first, end, self.person_at(id_, first))]
        if record.is_device and record.owners:
            owners = timeline.within(record.owners, first, end)
            stretches = [(start, until, self.person_of(owner)) for start, until, owner in owners]
        for start, until, person in stretches:
            label = None if person.id == id_ else person.id
            if not_counted.is_of(person) or not_counted.is_listed(id_):
                label = f"{NOT_COUNTED}{person.id}"
            accounts = timeline.within(memberships(person), start, until)
            if not accounts:
                yield Place(start, None, label)
            for since, _, account_id in accounts:
                yield Place(since, account_id, label)


def memberships(person: IdRecord) -> Timeline:
    """The accounts of a person, by the record that stands for it."""
    return person.groups if person.memberships is None else person.memberships


def ids_of(person: IdRecord) -> list[str]:
    """All ids of a person, by the record that stands for it; a device may be another person's at other times."""
    return list(dict.fromkeys([person.id, *person.users, *person.devices]))
