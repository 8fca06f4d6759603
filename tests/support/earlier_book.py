"""Six accounts as the version before the book on the dataset stores them after a night, and its book of them."""

from __future__ import annotations

import base64
import json
from typing import Any

from healthscore.storage import schema
from healthscore.storage.client import dynamodb
from tools import ROOT

_STORED = json.loads((ROOT / "tests/golden/tables/book-2026-11-30.json").read_text(encoding="utf-8"))
BOOK: list[dict[str, Any]] = _STORED["book"]["accounts"]
"""The lines of its book, lowest score first."""
IDS: list[str] = [stored["account_id"]["S"] for stored in _STORED["items"]]


def put_accounts() -> None:
    """Put the accounts' items; where JSON has base64, they have bytes."""
    for stored in _STORED["items"]:
        item = {name: {"B": base64.b64decode(of["B"])} if "B" in of else of for name, of in stored.items()}
        dynamodb().put_item(TableName=schema.accounts_table(), Item=item)
