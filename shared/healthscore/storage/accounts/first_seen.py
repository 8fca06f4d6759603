"""When an account's event names were first seen, as its item keeps them (table Accounts): JSON, as text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from healthscore.core import book
from healthscore.core.day_log.first_seen import merge_first_seen
from healthscore.core.time import format_instant
from healthscore.storage import schema
from healthscore.storage.accounts import index, search_index

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from healthscore.core.day_log.codec import Entry


def changed_first_seen(first_seen: str | None, entries: Sequence[Entry], milestones: Collection[str]) -> str | None:
    """First-seen times with these entries in them; None where nothing changes.

    Args:
        first_seen: the times as they are stored; None where the account has none, or is not there.
        entries: what is in the account's log, or goes into it.
        milestones: event names whose first time is always remembered.
    """
    known = json.loads(first_seen) if first_seen is not None else {}
    found = merge_first_seen(known, ((entry.name, entry.at) for entry in entries), milestones)
    if found is None:
        return None if first_seen is not None else "{}"
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def first_seen_writes(account_id: str, first_seen: str | None, times: str, now: datetime) -> list[dict[str, Any]]:
    """The writes of a transaction that put first-seen times in the place of those that were read.

    Args:
        account_id: the account; it is created where there were no times.
        first_seen: the times that were read: the transaction holds only while they stand.
        times: what takes their place.
        now: the birthday of an account that is created.
    """
    update = {"Update": _update(account_id, first_seen, times, now)}
    return (
        [update] if first_seen is not None else [update, *search_index.puts(account_id, book.entries(account_id, None))]
    )


def _update(account_id: str, first_seen: str | None, times: str, now: datetime) -> dict[str, Any]:
    names, assignments = {"#names": "names"}, ["#names = :names"]
    values = {":names": {"S": times}}
    if first_seen is None:
        condition = "attribute_not_exists(#names)"
        for name, value in {"since": {"S": format_instant(now)}, **index.new_account_attributes(account_id)}.items():
            names[f"#{name}"], values[f":{name}"] = name, value
            assignments.append(f"#{name} = if_not_exists(#{name}, :{name})")
    else:
        condition = "#names = :read"
        values[":read"] = {"S": first_seen}
    return {
        "TableName": schema.accounts_table(),
        "Key": {"account_id": {"S": account_id}},
        "UpdateExpression": "SET " + ", ".join(assignments),
        "ConditionExpression": f"{condition} AND {schema.NOT_ERASING}",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
