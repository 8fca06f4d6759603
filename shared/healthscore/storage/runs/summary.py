"""The workspace in short, as the newest night left it (table Settings): one item, replaced by each night's end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.accounts import existence

if TYPE_CHECKING:
    from datetime import date

    from healthscore.storage.codec import Item

KEY = codec.key(schema.SUMMARY_PK, schema.CURRENT)
SUMMARY = "summary"
"""The attribute that holds it."""


def save(day: date, summary: dict[str, Any]) -> None:
    """Keep a night's summary, unless a later night's is there.

    Raises:
        ConditionFailedError: an account that moved is gone, or being erased; or another summary was saved just now.
        StorageUnavailableError: not kept.
    """
    there = item()
    this_day = codec.text(day.isoformat())
    if there is not None and codec.text_of(there, "summary_day") > day.isoformat():
        return
    put = writes.put(
        schema.settings_table(),
        {**KEY, SUMMARY: codec.json_text(summary), "summary_day": this_day},
        conditions.any_of(conditions.ABSENT, conditions.at_most("summary_day", this_day)),
    )
    named = {mover["account_id"] for moved in summary["movers"].values() for mover in moved}
    writes.transact(put, *existence.checks(sorted(named)))


def read() -> dict[str, Any] | None:
    """The newest night's summary; None before the first night.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    there = item()
    return None if there is None else dict(codec.json_of(there, SUMMARY))


def item() -> Item | None:
    """The summary's item; None before the first night.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return reads.get(schema.settings_table(), KEY)
