"""The records of ids (table Activity, one item an id): who people are, and where they belong.

These items decide where events count. So a write that depends on them is made on condition that they are unchanged
since they were read: each has a version.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from healthscore.core.identity.people import People
from healthscore.core.identity.record import IdRecord
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.errors import ConditionFailedError, NoRoomError
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from healthscore.storage.codec import Item
    from healthscore.storage.writes import Write

TOO_MANY_CHANGES = "the people of the events change too often"
RECORD_BYTES = 390_000
"""Of a record, as far as calls may fill it. An item takes 400 KB: so what events and settlements note always fits."""


class StoredPeople(People):
    """People as they were read; their records may be changed, and put."""

    def __init__(self) -> None:
        super().__init__({})
        self.records: dict[str, IdRecord] = {}
        self.noted: set[tuple[str, str]] = set()
        """The ids and accounts that were asked for and are noted: events of the id name the account."""
        self._versions: dict[str, str | None] = {}
        self._texts: dict[str, str] = {}

    def add(self, id_: str, item: Item | None) -> IdRecord:
        """Add the record in an item, or an empty one."""
        record = IdRecord.from_json(id_, codec.json_of(item, "d")) if item else IdRecord(id_)
        self.records[id_] = record
        self._versions[id_] = codec.text_of(item, "v") if item else None
        self._texts[id_] = codec.text_of(item, "d") if item else "{}"
        return record

    def checks(self, ids: Iterable[str]) -> list[Write]:
        """Conditions, as parts of a transaction, that the records of ids are unchanged."""
        return [
            writes.check(
                schema.activity_table(),
                id_key(id_),
                conditions.version_is(self._versions[id_]),
                of_bytes=len(self._texts[id_].encode()),
            )
            for id_ in sorted(ids)
        ]

    def overtaken(self) -> set[str]:
        """The ids whose records somebody else has changed since they were read.

        Raises:
            StorageUnavailableError: the table cannot be read now.
        """
        found = _items([id_key(id_) for id_ in sorted(self.records)], ("pk", "v"))
        versions = {schema.person_of(codec.text_of(item, "pk")): codec.text_of(item, "v") for item in found}
        return {id_ for id_ in self.records if versions.get(id_) != self._versions[id_]}

    def changed(self) -> list[str]:
        """The ids whose records have changed since they were read, those first that stand for people."""
        changed = [id_ for id_, record in self.records.items() if codec.dumps(record.to_json()) != self._texts[id_]]
        return sorted(changed, key=lambda id_: (self.records[id_].is_device, self.records[id_].up is not None, id_))

    def check_room(self, ids: Iterable[str]) -> None:
        """Check that records as they are now fit into items; one that an earlier version filled may be left as full.

        Raises:
            NoRoomError: one of them has grown too large.
        """
        for id_ in ids:
            size = len(codec.dumps(self.records[id_].to_json()).encode())
            if size > max(RECORD_BYTES, len(self._texts[id_].encode())):
                raise NoRoomError

    def is_new(self, id_: str) -> bool:
        """Whether there was no record of an id."""
        return self._versions[id_] is None

    def put(self, id_: str) -> Write:
        """The put of a record as it is now, on condition that the one there is the one that was read."""
        version, read = secrets.token_urlsafe(8), self._versions[id_]
        text = codec.dumps(self.records[id_].to_json())
        self._versions[id_], self._texts[id_] = version, text
        item = {**id_key(id_), "v": codec.text(version), "d": codec.text(text)}
        return writes.put(schema.activity_table(), item, conditions.version_is(read))


def read(ids: Iterable[str], naming: Iterable[tuple[str, str]] = ()) -> StoredPeople:
    """The records of ids, and of all to which they lead, read consistently; an id without one has an empty one.

    Args:
        ids: the ids.
        naming: ids and accounts of which `noted` is to say whether they are noted.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    people = StoredPeople()
    read_more(people, ids, naming)
    return people


def read_more(people: StoredPeople, ids: Iterable[str], naming: Iterable[tuple[str, str]] = ()) -> None:
    """Add the records of further ids to people, and of all to which they lead. Takes and raises as `read` does."""
    wanted, pairs = set(ids) - people.records.keys(), [named_key(*pair) for pair in naming]
    while wanted or pairs:
        items = {}
        for item in _items([*map(id_key, sorted(wanted)), *pairs]):
            id_, sk = schema.person_of(codec.text_of(item, "pk")), codec.text_of(item, "sk")
            if sk == schema.ID:
                items[id_] = item
            else:
                people.noted.add((id_, sk.removeprefix(schema.NAMED_ACCOUNTS)))
        read_now, pairs = [people.add(id_, items.get(id_)) for id_ in wanted], []
        leads_to = {record.up for record in read_now if record.up is not None}
        leads_to |= {owner for record in read_now for _, owner in record.owners}
        wanted = leads_to - people.records.keys()


def read_naming(pairs: Collection[tuple[str, str]]) -> StoredPeople:
    """The records of ids, after it is noted which accounts events of theirs name.

    Args:
        pairs: each id with an account.

    Raises:
        StorageUnavailableError: not noted, or not known to be.
    """
    for _ in attempts(TOO_MANY_CHANGES):
        people = read((id_ for id_, _ in pairs), sorted(pairs))
        try:
            note_naming(people, pairs)
            break
        except ConditionFailedError:
            continue
    return people


def note_naming(people: StoredPeople, pairs: Iterable[tuple[str, str]]) -> None:
    """Note that events of ids name accounts, before they do.

    Raises:
        ConditionFailedError: the record of one of the ids has changed since it was read.
        StorageUnavailableError: not noted, or not known to be.
    """
    pairs = set(pairs)
    missing = sorted(pairs - people.noted)
    members = [codec.key(schema.activity_pk(account_id), schema.member_key(id_)) for id_, account_id in missing]
    writes.put_all(schema.activity_table(), [*members, *(named_key(*pair) for pair in missing)])
    new = sorted({id_ for id_, _ in pairs if not people.records[id_].is_named})
    for id_ in new:
        people.records[id_].is_named = True
    writes.apply_each([people.put(id_) for id_ in new])


def id_key(id_: str) -> Item:
    """The key of an id's record."""
    return codec.key(schema.person_pk(id_), schema.ID)


def named_key(id_: str, account_id: str) -> Item:
    """The key of the note that events of an id name an account."""
    return codec.key(schema.person_pk(id_), schema.named_account_key(account_id))


def _items(keys: Iterable[Item], attributes: Iterable[str] = ()) -> list[Item]:
    shape = {"ConsistentRead": True, **reads.projection(attributes)}
    wanted = [(schema.activity_table(), key) for key in keys]
    return [item for _, item in reads.batch_get(wanted, {schema.activity_table(): shape})]
