"""Everything that the tables hold, as text: what is packed, unpacked; to look for what must not be there."""

from __future__ import annotations

import json
import os
from typing import Any

from healthscore.core import daylog, pack
from healthscore.storage import keys
from healthscore.storage.client import dynamodb, pages

TABLES = ("ACCOUNTS_TABLE", "ACTIVITY_TABLE", "HISTORY_TABLE", "SETTINGS_TABLE")
_SEGMENT_HEADER = 9
"""Bytes before a segment's entries: its format, and which segment is before it."""


def everything() -> list[str]:
    """One text an item, with the raw bytes of its log and the entries in it."""
    found: list[str] = []
    for table in TABLES:
        items = pages(dynamodb().scan, TableName=os.environ[table], ConsistentRead=True)
        found += [f"{table} {json.dumps(item, ensure_ascii=False, default=_binary)} {_entries(item)}" for item in items]
    return found


def mentions(*texts: str) -> list[str]:
    """The items in which any of the texts stands."""
    return [item for item in everything() if any(text in item for text in texts)]


def _binary(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _entries(item: dict[str, Any]) -> list[pack.Entry]:
    """The entries in the log of an item, whether or not any head leads to it."""
    sk = item.get("sk", {}).get("S", "")
    if "l" not in item or "B" not in item["l"]:
        return []
    day = keys.parse_day_key("D#" + "#".join(sk.split("#")[1:3]))[0]
    if sk.startswith(keys.DAYS_PREFIX):
        return list(daylog.decode_head(day, item["l"]["B"]).tail)
    return pack.unpack(day, item["l"]["B"][_SEGMENT_HEADER:])
