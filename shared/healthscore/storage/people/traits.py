"""Who people are: name, e-mail address and title, as identify calls say (table Activity)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from healthscore.core.identity.people import ids_of
from healthscore.core.identity.traits import with_traits
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.people import ids
from healthscore.storage.retries import retried

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


@retried("too many writers at once for one person")
def describe(person: str, new: Mapping[str, Any], at: int | None) -> None:
    """Save a person's traits.

    Args:
        person: the person.
        new: name, e-mail address and title, as far as the call has them.
        at: the time of the call, in milliseconds, or `FILLS`; see `with_traits`.

    Raises:
        StorageUnavailableError: not saved, or not known to be.
    """
    key = codec.key(schema.person_pk(person), schema.TRAITS)
    item = reads.get(schema.activity_table(), key)
    read = codec.text_of(item, "t") if item else None
    traits = with_traits({} if read is None else traits_from_text(read), new, at)
    if traits is None:
        return
    as_read = conditions.ABSENT if read is None else conditions.unchanged("t", read)
    writes.apply(writes.put(schema.activity_table(), {**key, "t": codec.json_text(traits)}, as_read))


def names(people: Collection[str]) -> dict[str, str]:
    """The names of people, by their ids as logs have them; those of whom none is known are left out.

    A person's name may have been said of another id of theirs: records are read of those whose own id has none.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    found = _names_of(people)
    unnamed = sorted(set(people) - found.keys())
    if not unnamed:
        return found
    known = ids.read(unnamed)
    others = {
        person: [other for other in ids_of(known.person_of(person)) if other != person]
        for person in unnamed
        if not known.records[person].is_device
    }
    of_others = _names_of({other for its in others.values() for other in its})
    for person, its in others.items():
        name = next((of_others[other] for other in its if other in of_others), None)
        if name is not None:
            found[person] = name
    return found


def _names_of(people: Iterable[str]) -> dict[str, str]:
    wanted = [(schema.activity_table(), codec.key(schema.person_pk(one), schema.TRAITS)) for one in sorted(people)]
    found = {}
    for _, item in reads.batch_get(wanted):
        name, _ = traits_from_text(codec.text_of(item, "t")).get("name", (None, 0))
        if name is not None:
            found[schema.person_of(codec.text_of(item, "pk"))] = str(name)
    return found


def traits_from_text(text: str) -> dict[str, tuple[Any, int]]:
    """Traits as they are stored: JSON of `{name: [value, milliseconds]}`."""
    return {name: (value, at) for name, (value, at) in json.loads(text).items()}
