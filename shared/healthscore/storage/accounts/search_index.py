"""The words that accounts are found by (table Activity): written in one transaction with the account they lead to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from healthscore.core import book
from healthscore.storage import schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def entries_of(item: Mapping[str, Any]) -> set[str]:
    """The search entries of an account's item; none for an item that is not there."""
    if "who" not in item:
        return set()
    return book.entries(item["account_id"]["S"], json.loads(item["who"]["S"]).get("name"))


def puts(account_id: str, entries: Iterable[str]) -> list[dict[str, Any]]:
    """The writes of a transaction that add search entries."""
    return [
        {"Put": {"TableName": schema.activity_table(), "Item": _key(entry, account_id)}} for entry in sorted(entries)
    ]


def deletes(account_id: str, entries: Iterable[str]) -> list[dict[str, Any]]:
    """The writes of a transaction that remove search entries."""
    return [
        {"Delete": {"TableName": schema.activity_table(), "Key": _key(entry, account_id)}} for entry in sorted(entries)
    ]


def _key(entry: str, account_id: str) -> dict[str, Any]:
    return {"pk": {"S": schema.word_pk(entry)}, "sk": {"S": schema.word_key(entry, account_id)}}
