"""What a stranger may not do, who has a key that may be public: take somebody out of the count who has done something.

A mark, an address or a name may say that somebody does not count, and so may being the same as somebody of whom it is
said. A stranger may say so of a person who is new, as the page of somebody does who signs in for the first time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.identity.people import ids_of, memberships

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.core.identity.counting import NotCounted
    from healthscore.core.identity.people import People
    from healthscore.core.identity.record import IdRecord, Mark

IDS_OF_A_NEW_PERSON = 100
"""Somebody with more ids than this is not new, so that calls about a person of thousands do not read them all."""


def ids_to_know(people: People, *, is_public: bool) -> set[str]:
    """The ids that say whether people have done something, where this matters.

    Args:
        people: those whom calls are about.
        is_public: whether a stranger has sent the calls; what strangers have said of devices matters to all calls.
    """
    if not is_public and not any(one.public_marks or one.marked_devices for one in people.records.values()):
        return set()
    found = set[str]()
    for record in people.records.values():
        if not record.is_device and record.up is None and not _did_something(record):
            ids = ids_of(record)
            found.update(ids if len(ids) <= IDS_OF_A_NEW_PERSON else ())
    return found


class Established:
    """The people who had done something before the calls that are recorded now.

    Args:
        people: the people as they were before, with the records of `ids_to_know`.
        not_counted: the users who do not count.
    """

    def __init__(self, people: People, not_counted: NotCounted) -> None:
        self._people = people
        self._not_counted = not_counted
        self._known: dict[str, bool] = {}
        for record in people.records.values():
            self.has(record)

    def has(self, person: IdRecord) -> bool:
        """Whether a person is one of them, by the record that stands for it."""
        if person.id not in self._known:
            self._known[person.id] = _did_something(person) or self._has_by_others(person)
        return self._known[person.id]

    def _has_by_others(self, person: IdRecord) -> bool:
        """Whether other ids of a person did something; what a device does without a name counts where it belongs."""
        ids, belongs = ids_of(person), bool(memberships(person))
        known = [record for id_ in ids if (record := self._people.records.get(id_)) is not None]
        return len(ids) > IDS_OF_A_NEW_PERSON or any(
            _did_something(record) and (belongs or record.is_named or not record.is_device) for record in known
        )

    def may_be_joined(self, one: IdRecord, other: IdRecord) -> bool:
        """Whether a stranger may say that two people are one: not where this takes one of them out."""
        apart = [self._not_counted.is_of(person) for person in (one, other)]
        return apart[0] == apart[1] or not self.has(other if apart[0] else one)

    def note_joined(self, smaller: IdRecord, larger: IdRecord) -> None:
        """Note that what one person did is another's."""
        self._known[larger.id] = self.has(larger) or self.has(smaller)

    def believed(self, one: IdRecord, other: IdRecord) -> list[IdRecord]:
        """Which of two people that a stranger joins say who they are: the established one, where one is new."""
        return [person for person in (one, other) if self.has(person)] or [one, other]

    def is_internal(self, person: IdRecord, of_devices: Iterable[Mark], guesses: Iterable[Mark]) -> bool:
        """Whether the last mark of a person says that it is staff or a machine.

        Args:
            person: by the record that stands for it.
            of_devices: what calls have said of its devices.
            guesses: what strangers have said of its devices, which holds for new people alone; who was new then and has
                done something since stays what it is.
        """
        known, guesses = [*person.marks, *of_devices], [*person.public_marks, *guesses]
        if self.has(person) and guesses:
            return max(known)[1] if known else person.internal
        return max((*known, *guesses), default=(0, False))[1]


def _did_something(record: IdRecord) -> bool:
    return record.has_events or record.is_named
