"""Deletes an account's day logs and its use, and before each item the people whom only its logs know (table Activity).

So do those who were noted as the account's people after the people's own eraser had passed by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.storage import schema
from healthscore.storage.day_logs import log_items
from healthscore.storage.erasure import marked, people
from healthscore.storage.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthscore.storage.erasure.eraser import AccountErasure

COVERS = frozenset({Kind.DAY_HEAD, Kind.BLOCK, Kind.MORE_NAMES, Kind.USE_DAYS, Kind.USE_WEEKS})


def erase(erasure: AccountErasure) -> Iterator[int]:
    """Delete the logs, some items at a time.

    A writer that had read a day before the account was marked may put a block and the head after that day was listed
    and before it is deleted; the deletion then takes the head alone. So the partition is listed again until it is
    empty: without a head, no writer can commit any more.
    """
    account_id, table = erasure.account_id, schema.activity_table()
    gone = set[str]()
    found = True
    while found:
        found = False
        for batch in marked.batches(table, schema.activity_pk(account_id), ("pk", "sk", "l")):
            found = True
            for person in sorted(set().union(*map(log_items.people_in, batch)) - gone):
                for _ in people.leave(person, erasure.ids, erasure.now):
                    yield 0
                gone.add(person)
            yield marked.delete(account_id, table, batch)
