"""Works out what calls change in the records of ids: joins people, and says where they belong.

What comes out depends on the calls alone and not on their order. So beside the changes that a timeline has, the calls
that change nothing today count as well: another call, for an earlier time, may make them matter. These are kept
elsewhere (`storage.people.calls`), and given to the methods here where they can matter.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Literal

from healthscore.core.identity.people import People, ids_of, memberships
from healthscore.core.identity.stored_size import stored_size
from healthscore.core.identity.strangers import Established
from healthscore.core.identity.timeline import timeline_of, value_at

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import date

    from healthscore.core.identity.counting import NotCounted
    from healthscore.core.identity.record import IdRecord, Mark
    from healthscore.core.identity.relations import Relations
    from healthscore.core.identity.timeline import Point, Timeline

    KeptCalls = Mapping[str, Iterable[Point]]

Suspicion = Literal["shared", "many_users", "many_ids"]
"""Why an id looks wrong."""
USERS_A_DAY = 20
"""A device on which more users than this are identified within a day is a shared one."""
MOST_IDS, MOST_POINTS = 4000, 5000
"""Ids of one person, and changes of one timeline, at most. Further ids are not joined; of the changes, the newest are
kept."""
IDS_BYTES, TIMELINE_BYTES, DESCRIBED_BYTES = 42_000, 90_000, 40_000
"""Bytes of them, and of what people are called: so that long ones fit into an item as well, which names each id up to
four times and has two timelines."""
MANY_USERS, MANY_IDS = 5, 50
"""A device with more users than this within a day, and a person with as many ids, look wrong."""
MOST_MARKS = 100
"""Calls of one device that say whether somebody is staff or a machine; of more, the newest are kept."""
MAX_VALUES = 10
"""E-mail addresses, and names, that are kept of one id."""


def device_named(user: str) -> str:
    """The device of the same name as a user id: the id that an alias gives up is often a visitor's."""
    return f"a{user[1:]}"


class Draft:
    """The records of ids as calls change them. Call `identify`, then `group`, each with the kept calls it asks for."""

    def __init__(
        self,
        people: People,
        relations: Relations,
        day_of: Callable[[int], date],
        not_counted: NotCounted,
        again: Collection[str] = (),
    ) -> None:
        """Begin.

        Args:
            people: the records of all ids that the calls name, and of all that these lead to. They are changed.
            relations: what the calls say.
            day_of: the calendar day of an instant in milliseconds.
            not_counted: the users who do not count.
            again: ids that are worked out once more from all kept calls: `refreshed` of the draft before, since a call
                that it could not see may have been kept meanwhile.
        """
        self._people = people
        self._relations = relations
        self._day_of = day_of
        self._again = again
        self._not_counted = not_counted
        self._established = Established(people, not_counted)
        self._apart = {id_: not_counted.is_of(record) for id_, record in people.records.items()}
        self.suspects: dict[str, tuple[Suspicion, int]] = {}
        """Ids that look wrong: why, and the count that makes it so."""
        self.refreshed: list[str] = []
        """The ids of which calls were known before, and whose timelines have changed."""
        self._affected: dict[str, None] = {}
        self.relabelled: set[str] = set()
        """Those of `affected` whose events may be another's, or count or not, as well."""
        self._stale: dict[str, IdRecord] = {}
        self._marked: dict[str, IdRecord] = {}
        self._new_groups = {
            id_: [point for point in points if not self._says(id_, point)] for id_, points in relations.grouped.items()
        }

    @property
    def affected(self) -> list[str]:
        """The ids whose events may count elsewhere now, or as another's."""
        return list(self._affected)

    def devices_to_read(self) -> list[str]:
        """The devices whose kept identifications `identify` needs."""
        known = self._people.records
        return [device for device in self._new_owners() if known[device].owners]

    def identify(self, kept: KeptCalls) -> None:
        """Join the user ids of aliases, and say whose the devices are."""
        shared = self._note_shared(kept)
        for previous, user in sorted(self._relations.aliases):
            if device_named(previous) not in shared and self._may_unite(previous, user):
                self._unite(previous, user)
        for device, points in self._new_owners().items():
            if device not in shared:
                self._give(self._people.records[device], [*points, *kept.get(device, ())])

    def ids_to_read(self) -> list[str]:
        """The ids whose kept group calls `group` needs."""
        for id_, points in self._new_groups.items():
            if points:
                record = self._people.records[id_]
                for person in [record, *self._owners(record)] if record.is_device else [self._people.person_of(id_)]:
                    self._stale[person.id] = person
        for id_ in self._again:
            record = self._people.records[id_]
            if not record.is_device or record.groups:
                person = record if record.is_device else self._people.person_of(id_)
                self._stale[person.id] = person
        wanted = dict.fromkeys(device for person in self._people_to_mark() for device in person.marked_devices)
        for person in self._stale.values():
            if person.is_device:
                wanted |= dict.fromkeys([person.id] if person.groups else ())
            else:
                wanted |= dict.fromkeys((*person.grouping, *person.grouped_devices))
        return list(wanted)

    def group(self, kept: KeptCalls) -> None:
        """Say where people belong, and who does not count."""
        self._mark()
        self._describe()
        for id_ in self._new_groups:
            record = self._people.records[id_]
            for person in self._owners(record) if record.is_device else [self._people.person_of(id_)]:
                _add(person.grouped_devices if record.is_device else person.grouping, id_)
        for record in self._stale.values():
            if record.is_device:
                self._group_device(record, kept)
        for person in self._stale.values():
            if not person.is_device:
                self._group_person(person, kept)

    def _give(self, device: IdRecord, points: Iterable[Point]) -> None:
        """Say whose a device is, and have its people heed what its own calls said."""
        owners = timeline_of([*device.owners, *(point for point in points if self._has_room(device, point[1]))])
        owners = _newest(owners)
        if owners == device.owners:
            return
        if device.owners:
            self.refreshed.append(device.id)
        before = self._owners(device)
        device.owners = owners
        self._affected[device.id] = None
        self.relabelled.add(device.id)
        for person in self._owners(device):
            if device.id not in person.devices:
                person.devices.append(device.id)
                self._suspect(person)
        for person in (*before, *self._owners(device)):
            if device.groups or device.id in self._new_groups:
                self._stale[person.id] = person
                _add(person.grouped_devices, device.id)
            if device.marks or device.public_marks:
                self._marked[person.id] = person
                _add(person.marked_devices, device.id)

    def _people_to_mark(self) -> list[IdRecord]:
        """The records that stand for the people whom marks are about."""
        for id_, marks in self._relations.marked.items():
            record = self._people.records[id_]
            if self._is_believed(record) and not marks <= {*self._marks_like_these(record)}:
                for person in [record, *self._owners(record)] if record.is_device else [self._people.person_of(id_)]:
                    self._marked[person.id] = person
        return [*self._marked.values()]

    def _mark(self) -> None:
        for id_, marks in self._relations.marked.items():
            record = self._people.records[id_]
            if not self._is_believed(record):
                continue
            if record.is_device:
                known = tuple(sorted({*self._marks_like_these(record), *marks}))[-MOST_MARKS:]
                if self._relations.is_public:
                    record.public_marks = known
                else:
                    record.marks = known
                for person in self._owners(record):
                    _add(person.marked_devices, id_)
            else:
                person = self._people.person_of(id_)
                person.marks = (max((*person.marks, *marks)),)
        for person in self._people_to_mark():
            devices = [self._people.records[device] for device in person.marked_devices]
            of_devices = [mark for device in devices for mark in self._about(person, device, device.marks)]
            guesses = [mark for device in devices for mark in self._about(person, device, device.public_marks)]
            person.internal = self._established.is_internal(person, of_devices, guesses)

    def _marks_like_these(self, record: IdRecord) -> tuple[Mark, ...]:
        return record.public_marks if self._relations.is_public and record.is_device else record.marks

    def _about(self, person: IdRecord, device: IdRecord, marks: Iterable[Mark]) -> list[Mark]:
        return [mark for mark in marks if self._people.person_at(device.id, mark[0]) is person]

    def _is_believed(self, record: IdRecord) -> bool:
        """Whether what the calls say of an id: a stranger says nothing of people who did something."""
        person = record if record.is_device else self._people.person_of(record.id)
        return not (self._relations.is_public and self._established.has(person))

    def _describe(self) -> None:
        for id_, traits in self._relations.described.items():
            record = self._people.records[id_]
            if not self._is_believed(record):
                continue
            holder = record if record.is_device else self._people.person_of(id_)
            known = holder.described.get(id_, {})
            added = {name: sorted({*known.get(name, ()), *values})[:MAX_VALUES] for name, values in traits.items()}
            if {**known, **added} != known and stored_size(holder.described) + stored_size(
                {id_: added}
            ) <= DESCRIBED_BYTES:
                holder.described = {**holder.described, id_: {**known, **added}}
        for id_, record in self._people.records.items():
            if record.up is None and self._not_counted.is_of(record) != self._apart.get(id_, False):
                self._affected |= dict.fromkeys(ids_of(record))
                self.relabelled |= {*ids_of(record)}

    def _group_device(self, record: IdRecord, kept: KeptCalls) -> None:
        groups = _newest(timeline_of([*record.groups, *self._points(record.id, kept)]))
        if record.groups and groups != record.groups:
            self.refreshed.append(record.id)
        if groups != record.groups:
            record.groups = groups
            if not record.owners:
                self._affected[record.id] = None

    def _group_person(self, person: IdRecord, kept: KeptCalls) -> None:
        before = memberships(person)
        own = [*person.groups, *(point for user in person.grouping for point in self._points(user, kept))]
        person.groups = _newest(timeline_of(own))
        person.memberships = None
        if person.grouped_devices:
            of_devices = [
                point
                for device in person.grouped_devices
                for point in (*self._people.records[device].groups, *self._points(device, kept))
                if self._people.person_at(device, point[0]) is person
            ]
            person.memberships = _newest(timeline_of([*own, *of_devices]))
        if memberships(person) != before:
            if before:
                self.refreshed.append(person.id)
            self._affected |= dict.fromkeys(ids_of(person))

    def _points(self, id_: str, kept: KeptCalls) -> Iterable[Point]:
        return [*self._relations.grouped.get(id_, ()), *kept.get(id_, ())]

    def _says(self, id_: str, point: Point) -> bool:
        """Whether the records say already what a group call says."""
        record = self._people.records[id_]
        if record.is_device:  # whose calls may be about several people
            return value_at(record.groups, point[0]) == point[1] and not record.owners
        person = self._people.person_of(id_)
        return value_at(person.groups, point[0]) == point[1] and not person.grouped_devices and id_ in person.grouping

    def _new_owners(self) -> dict[str, list[Point]]:
        found = {}
        for device, points in self._relations.identified.items():
            record = self._people.records[device]
            new = [point for point in points if value_at(record.owners, point[0]) != point[1]]
            if (new or device in self._again) and not record.shared:
                found[device] = new
        return found

    def _owners(self, device: IdRecord) -> list[IdRecord]:
        """The records that stand for the people of a device, each once."""
        people = (self._people.person_of(owner) for owner in sorted({owner for _, owner in device.owners}))
        return list({person.id: person for person in people}.values())

    def _note_shared(self, kept: KeptCalls) -> set[str]:
        """Mark the devices that are shared now; answers all of them that the calls name."""
        for device, points in self._new_owners().items():
            record = self._people.records[device]
            users: dict[date, set[str]] = defaultdict(set)
            for at, user in (*record.owners, *points, *kept.get(device, ())):
                users[self._day_of(at)].add(user)
            most = max(map(len, users.values()), default=0)
            if most > USERS_A_DAY:
                record.shared = True
            if most > MANY_USERS:
                self.suspects[device] = ("shared" if record.shared else "many_users", most)
        return {device for device in self._relations.identified if self._people.records[device].shared}

    def _has_room(self, device: IdRecord, user: str) -> bool:
        person = self._people.person_of(user)
        return device.id in person.devices or _fit_together([*ids_of(person), device.id])

    def _suspect(self, person: IdRecord) -> None:
        count = len(ids_of(person))
        if count >= MANY_IDS:
            self.suspects[person.id] = ("many_ids", count)

    def _may_unite(self, *users: str) -> bool:
        return not self._relations.is_public or self._established.may_be_joined(*map(self._people.person_of, users))

    def _unite(self, one: str, other: str) -> None:
        smaller, larger = self._people.person_of(one), self._people.person_of(other)
        if smaller is larger or not _fit_together([*ids_of(smaller), *ids_of(larger)]):
            return
        if (len(smaller.users), smaller.id) > (len(larger.users), larger.id):
            smaller, larger = larger, smaller
        self._affected |= dict.fromkeys(ids_of(smaller))
        self.relabelled |= {*ids_of(smaller)}
        if memberships(smaller):
            self._stale[larger.id] = larger
        self._stale.pop(smaller.id, None)
        larger.users += [id_ for id_ in (smaller.id, *smaller.users) if id_ not in {larger.id, *larger.users}]
        larger.devices += [device for device in smaller.devices if device not in larger.devices]
        self._suspect(larger)
        larger.grouping += smaller.grouping
        larger.grouped_devices += [device for device in smaller.grouped_devices if device not in larger.grouped_devices]
        before = memberships(larger)
        larger.groups = _newest(timeline_of([*larger.groups, *smaller.groups]))
        if larger.groups != before:
            self._affected |= dict.fromkeys(ids_of(larger))
        believed = self._established.believed(larger, smaller) if self._relations.is_public else [larger, smaller]
        self._established.note_joined(smaller, larger)
        larger.marks = tuple(sorted(mark for person in believed for mark in person.marks)[-1:])
        larger.marked_devices += [device for device in smaller.marked_devices if device not in larger.marked_devices]
        if stored_size(larger.described) + stored_size(smaller.described) <= DESCRIBED_BYTES:
            larger.described = {id_: traits for person in believed for id_, traits in person.described.items()}
        self._marked.pop(smaller.id, None)
        if larger.marks or larger.marked_devices:
            self._marked[larger.id] = larger
        smaller.marks, smaller.marked_devices, smaller.internal, smaller.described = (), [], False, {}
        smaller.up, smaller.users, smaller.devices, smaller.groups = larger.id, [], [], ()
        smaller.grouping, smaller.grouped_devices, smaller.memberships = [], [], None


def _add(ids: list[str], id_: str) -> None:
    if id_ not in ids:
        ids.append(id_)


def _fit_together(ids: Collection[str]) -> bool:
    """Whether ids may be those of one person."""
    return len(ids) <= MOST_IDS and stored_size(ids) <= IDS_BYTES


def _newest(timeline: Timeline) -> Timeline:
    """The newest changes of a timeline, as many as are kept."""
    timeline = timeline[-MOST_POINTS:]
    while stored_size(timeline) > TIMELINE_BYTES:
        timeline = timeline[len(timeline) // 8 + 1 :]
    return timeline
