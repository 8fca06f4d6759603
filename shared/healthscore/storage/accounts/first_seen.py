"""When an account's event names were first seen, as its item keeps them (table Accounts): JSON, as text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from healthscore.core.day_log.first_seen import merge_first_seen
from healthscore.core.time import format_instant
from healthscore.storage import codec, conditions
from healthscore.storage.accounts import changes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from healthscore.core.day_log.codec import Entry
    from healthscore.storage.writes import Write


def changed_first_seen(first_seen: str | None, entries: Sequence[Entry], milestones: Collection[str]) -> str | None:
    """First-seen times with these entries in them; None where nothing changes.

    Args:
        first_seen: the times as they are stored; None where the account has none, or is not there.
        entries: what is in the account's log, or goes into it. Those that do not count are left out.
        milestones: event names for which there is more room.
    """
    known = json.loads(first_seen) if first_seen is not None else {}
    found = merge_first_seen(known, seen(entries), milestones)
    if found is None:
        return None if first_seen is not None else "{}"
    return codec.dumps(found)


def seen(entries: Iterable[Entry]) -> list[tuple[str, int]]:
    """The names and times of those entries that count."""
    return [(entry.name, entry.at) for entry in entries if entry.counts]


def first_seen_writes(account_id: str, first_seen: str | None, times: str, now: datetime) -> list[Write]:
    """The writes of a transaction that replace first-seen times.

    Args:
        account_id: the account; it is created where there were no times.
        first_seen: the times that were read: the transaction holds only while these are unchanged.
        times: the new times.
        now: the birthday of an account that is created.
    """
    birth = {} if first_seen is not None else account_birth(format_instant(now))
    update = changes.update(
        account_id,
        conditions.unchanged("names", first_seen),
        conditions.TAKES_WRITES,
        sets={"names": codec.text(times)},
        defaults=birth,
        shown=_earliest(times) != _earliest(first_seen),  # since when the account is known
    )
    return [update]


def _earliest(times: str | None) -> int | None:
    return min(json.loads(times).values(), default=None) if times is not None else None


def account_birth(now: str) -> dict[str, codec.Attribute]:
    """The attributes that every account has from its first write on; `now` is its birthday, as text."""
    return {"since": codec.text(now)}
