"""What versions before the dataset kept for their book: keys of indexes in accounts' items, and words to search for.

Nobody reads them any more. The night deletes them, once an account: its item has `who` for as long as it has any of
them, and says by it which words lead to the account.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from healthscore.storage import codec, conditions, schema, writes
from healthscore.storage.errors import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthscore.storage.writes import Write

ATTRIBUTES = (schema.EARLIER_BOOK, "shard", "owner", "state", "by_score", "by_seen", "by_name", "by_arr")
"""Attributes of items that only the earlier book read."""
_WORDS, _CHARACTERS = 40, 24
"""How many words of a name were kept, and how many characters of each."""
_WORD = re.compile(r"[^\W_]+")


def delete(account_id: str, shown: str) -> None:
    """Delete what is kept of an account; it may be left for another time where somebody else writes it just then.

    Args:
        account_id: the account.
        shown: its attribute `who` as read: what the book showed of the profile, from whose name the words were made.

    Raises:
        StorageUnavailableError: it may be left.
    """
    update = writes.update(
        schema.accounts_table(),
        codec.account_key(account_id),
        conditions.ACCOUNT_EXISTS,
        conditions.TAKES_WRITES,
        conditions.unchanged(schema.EARLIER_BOOK, shown),
        removes=ATTRIBUTES,
    )
    with suppress(ConditionFailedError):
        writes.apply(update, *deletes({"account_id": codec.text(account_id), schema.EARLIER_BOOK: codec.text(shown)}))


def deletes(item: Mapping[str, Any]) -> list[Write]:
    """The writes of a transaction that delete the words which lead to an account, by its item; none where it has none.

    Args:
        item: the item as read.
    """
    if schema.EARLIER_BOOK not in item:
        return []
    account_id, name = codec.text_of(item, "account_id"), codec.json_of(item, schema.EARLIER_BOOK).get("name")
    words = dict.fromkeys(_WORD.findall(_folded(name or "")))
    entries = {word[:_CHARACTERS] for word in (_folded(account_id), *list(words)[:_WORDS]) if word}
    keys = [codec.key(schema.search_pk(entry), schema.search_key(entry, account_id)) for entry in sorted(entries)]
    return [writes.delete(schema.activity_table(), key) for key in keys]


def _folded(text: str) -> str:
    """Text without case and accents, as the words were written."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character)).casefold()
