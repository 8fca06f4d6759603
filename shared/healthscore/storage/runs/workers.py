"""Workers of nights that are under way (table Settings), for erasures to wait for.

A night's worker reads accounts, and copies their newest snapshots into the history without a condition: it may do so
behind an erasure that has begun since. So it notes itself here before it reads the first account, and takes the note
away once it writes nothing more. An erasure marks the account, and looks here then: while there is no note, nobody has
read the account without the mark, and what is left of it is all there will ever be. The note of a worker that was
killed ends by itself.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from healthscore.core.time import millis
from healthscore.storage import codec, reads, schema, writes
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.errors import StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

LONGEST = timedelta(minutes=15)
"""No invocation of a function takes longer."""
MARGIN = timedelta(seconds=30)
"""How far the clocks of two machines may differ."""
_UNTIL = "until"


@contextmanager
def under_way(name: str, now: datetime) -> Iterator[None]:
    """Note a worker for as long as it works.

    Args:
        name: the worker, by a name unlike any other; the same one again after it was killed.
        now: when its invocation began, aware.

    Raises:
        StorageUnavailableError: it is not noted, and must not work.
    """
    key, until = codec.key(schema.WORKERS_PK, name), now + LONGEST
    expires = codec.number(int((until + LONGEST).timestamp()))
    writes.apply(writes.put(schema.settings_table(), {**key, _UNTIL: codec.number(millis(until)), "ttl": expires}))
    try:
        yield
    finally:
        with suppress(StorageUnavailableError):  # it ends by itself
            writes.apply(writes.delete(schema.settings_table(), key))


def any_under_way(now: datetime) -> bool:
    """Whether any worker may be at work.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    items = pages(dynamodb().query, **reads.partition(schema.settings_table(), schema.WORKERS_PK))
    return any(codec.number_of(item, _UNTIL) >= millis(now - MARGIN) for item in items)
