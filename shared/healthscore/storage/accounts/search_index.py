"""The words that accounts are found by (table Activity): written in one transaction with the account they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.core import book
from healthscore.storage import codec, schema, writes
from healthscore.storage.accounts.index import SUMMARY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthscore.storage.codec import Item
    from healthscore.storage.writes import Write


def entries_of(item: Mapping[str, Any]) -> set[str]:
    """The search entries of an account's item; none for an item that is not there."""
    if SUMMARY not in item:
        return set()
    return book.entries(codec.text_of(item, "account_id"), codec.json_of(item, SUMMARY).get("name"))


def puts(account_id: str, entries: Iterable[str]) -> list[Write]:
    """The writes of a transaction that add search entries."""
    return [writes.put(schema.activity_table(), _key(entry, account_id)) for entry in sorted(entries)]


def deletes(account_id: str, entries: Iterable[str]) -> list[Write]:
    """The writes of a transaction that remove search entries."""
    return [writes.delete(schema.activity_table(), _key(entry, account_id)) for entry in sorted(entries)]


def _key(entry: str, account_id: str) -> Item:
    return codec.key(schema.search_pk(entry), schema.search_key(entry, account_id))
