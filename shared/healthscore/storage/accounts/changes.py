"""The one way to update an account's item (table Accounts): what the book shows is marked as changed.

An update that writes what the book shows also writes when that was, so no writer can forget it. Readers lay what has
changed since the newest night over it (`storage.accounts.changed`). The night's own update of the score is the
exception: the night's dataset has it. Nobody takes a mark away: a reader asks for what has changed since its night.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from healthscore.storage import codec, schema, writes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthscore.storage.codec import Attribute
    from healthscore.storage.conditions import Condition
    from healthscore.storage.writes import Write

SHOWN = frozenset({"since", "profile", "traits", "crm", schema.ACKNOWLEDGEMENT, schema.ERASING, schema.INTO})
"""The attributes of which the book's columns are made, but for those that a night writes (`latest` and `recent`)."""


def update(
    account_id: str,
    *holds: Condition,
    sets: Mapping[str, Attribute] | None = None,
    defaults: Mapping[str, Attribute] | None = None,
    removes: Iterable[str] = (),
    adds: Mapping[str, Attribute] | None = None,
    takes: Mapping[str, Attribute] | None = None,
    shown: bool = False,
) -> Write:
    """An update of an account's item, as `writes.update`.

    Args:
        account_id: the account.
        holds: the conditions.
        sets: attributes to set.
        defaults: attributes to set where the item does not have them.
        removes: attributes to remove.
        adds: elements to add to attributes that are sets.
        takes: elements to take out of attributes that are sets.
        shown: whether the book shows what changes, although it is none of `SHOWN`.
    """
    sets, defaults, removes = dict(sets or {}), defaults or {}, tuple(removes)
    if shown or not SHOWN.isdisjoint((*sets, *defaults, *removes)):
        sets |= {
            schema.CHANGED_IN: codec.text(schema.changed_partition(account_id)),
            schema.CHANGED: codec.number(time.time_ns()),
        }
    table, key = schema.accounts_table(), codec.account_key(account_id)
    return writes.update(table, key, *holds, sets=sets, defaults=defaults, removes=removes, adds=adds, takes=takes)
