"""Who people are: name, e-mail address and title, as identify calls say (table Activity)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from healthscore.core.identity.traits import with_traits
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.retries import retried

if TYPE_CHECKING:
    from collections.abc import Mapping


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


def traits_from_text(text: str) -> dict[str, tuple[Any, int]]:
    """Traits as they are stored: JSON of `{name: [value, milliseconds]}`."""
    return {name: (value, at) for name, (value, at) in json.loads(text).items()}
