"""Event names for which an account's item has no room, so that functions make the calls which move them elsewhere."""

from __future__ import annotations

from healthscore.storage import codec, schema, writes

LONG = [f"{number:04}" + "x" * 196 for number in range(500)]
"""More than an item has room for."""


def fill(account_id: str) -> None:
    """Fill an account's item with names, as an earlier version did."""
    names = dict.fromkeys(LONG, 1_700_000_000_000)
    update = writes.update(
        schema.accounts_table(), codec.account_key(account_id), sets={"names": codec.json_text(names)}
    )
    writes.apply(update)
