"""Records of ids as calls leave them that come in one after the other, without any storage."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.identity.counting import EVERYBODY_COUNTS
from healthscore.core.identity.draft import Draft, device_named
from healthscore.core.identity.people import People
from healthscore.core.identity.places import place_at
from healthscore.core.identity.record import IdRecord
from healthscore.core.identity.relations import Relations

if TYPE_CHECKING:
    from healthscore.core.identity.timeline import Point

END = 1000
DAY_LENGTH = 100


class Identify(NamedTuple):
    """A device is a user's from an instant on."""

    device: str
    at: int
    user: str


class Group(NamedTuple):
    """An id belongs to an account from an instant on."""

    id: str
    at: int
    account_id: str


class Alias(NamedTuple):
    """A user id is given up for another."""

    previous: str
    at: int
    user: str


class Mark(NamedTuple):
    """The person of an id is staff or a machine, or is not."""

    id: str
    at: int
    internal: bool


class Describe(NamedTuple):
    """The person of an id has a name or an address."""

    id: str
    trait: str
    text: str


Call = Identify | Group | Alias | Mark | Describe


class _Records(dict[str, IdRecord]):
    def __missing__(self, id_: str) -> IdRecord:
        self[id_] = IdRecord(id_)
        return self[id_]


class Drafted:
    """People of whom calls tell."""

    def __init__(self, *batches: list[Call]) -> None:
        self.people = People(_Records())
        self._identified: dict[str, set[Point]] = defaultdict(set)
        self._grouped: dict[str, set[Point]] = defaultdict(set)
        for batch in batches:
            self.tell(*batch)

    def tell(self, *calls: Call) -> list[str]:
        """Change the records as calls of one request say; answers the ids that what they did may count otherwise of."""
        relations = _relations(calls)
        for kept, new in ((self._identified, relations.identified), (self._grouped, relations.grouped)):
            for id_, points in new.items():
                kept[id_] |= points
        affected: dict[str, None] = {}
        again: list[str] = []
        while True:
            before = self.stored()
            draft = Draft(self.people, relations, _day_of, EVERYBODY_COUNTS, again)
            draft.identify({device: self._identified[device] for device in draft.devices_to_read()})
            draft.group({id_: self._grouped[id_] for id_ in draft.ids_to_read()})
            affected |= dict.fromkeys(draft.affected)
            again = draft.refreshed
            if not again or self.stored() == before:
                return list(affected)

    def stored(self) -> dict[str, object]:
        """The records that say anything, as they are stored."""
        return {id_: stored for id_, record in self.people.records.items() if (stored := record.to_json())}

    def who(self, id_: str, at: int) -> str:
        """The id that stands for whoever an id is at an instant."""
        return self.people.person_at(id_, at).id

    def place(self, id_: str, at: int) -> tuple[str | None, str | None]:
        """Account and label of what an id does at an instant."""
        _, account_id, label = place_at(self.people.places(id_, -END, END, EVERYBODY_COUNTS), at)
        return account_id, label

    def account(self, id_: str, at: int) -> str | None:
        """The account that what an id does at an instant counts for."""
        return self.place(id_, at)[0]


def _relations(calls: tuple[Call, ...]) -> Relations:
    relations = Relations()
    for call in calls:
        match call:
            case Identify(device, at, user):
                relations.identified[device].add((at, user))
            case Group(id_, at, account_id):
                relations.grouped[id_].add((at, account_id))
            case Alias(previous, at, user):
                relations.identified[device_named(previous)].add((at, user))
                if previous != user:
                    relations.aliases.add((previous, user))
            case Mark(id_, at, internal):
                relations.marked[id_].add((at, internal))
            case Describe(id_, trait, text):
                relations.described[id_][trait].add(text)
    return relations


def _day_of(at: int) -> date:
    return date.fromordinal(1000 + at // DAY_LENGTH)
