"""What an account pays, and the keys and words of the indexes of accounts.

In each order an account has a text key that ends with its id, so that all keys of an order differ.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from healthscore.core.model import CrmFacts

SEPARATOR = "\x1f"
"""Separates the account's id in a key; lower than any character of names and ids."""
MAX_WORDS = 40
"""Indexed words of a name; a name of 200 characters rarely has more."""
WORD_CHARACTERS = 24
"""Indexed characters of a word."""
MAX_ARR = 10**15
"""The largest annual recurring revenue that the API takes; keys have room for it."""
_NAME_BYTES = 200
_NEVER, _UNKNOWN, _UNSCORED = "0", "-", "~"
_WORD = re.compile(r"[^\W_]+")


class Contract(NamedTuple):
    """What an account pays a year, and when its contract renews, as book and summary show it."""

    arr: float | None
    renewal_date: str | None

    @classmethod
    def of(cls, profile: Mapping[str, Any], crm: CrmFacts | None) -> Contract:
        """The profile's values; where the profile has none, the CRM's."""
        renewal = None if crm is None or crm.renewal_date is None else crm.renewal_date.isoformat()
        arr = None if crm is None else crm.arr
        return cls(profile.get("arr", arr), profile.get("renewal_date", renewal))


class Sort(StrEnum):
    """The orders of the book."""

    SCORE = "score"
    LAST_SEEN = "last_seen"
    NAME = "name"
    ARR = "arr"


def casefolded(text: str) -> str:
    """The text without case and accents, for comparing and sorting."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character)).casefold()


def words(name: str | None) -> list[str]:
    """The distinct words of a name, without case and accents, `MAX_WORDS` at most."""
    return list(dict.fromkeys(_WORD.findall(casefolded(name or ""))))[:MAX_WORDS]


def entries(account_id: str, name: str | None) -> set[str]:
    """The entries of an account in the search index: the beginnings of its id and of its name's words."""
    return {word[:WORD_CHARACTERS] for word in (casefolded(account_id), *words(name)) if word}


def score_key(account_id: str, score: int | None) -> str:
    """Orders by score; accounts without a score come after the best."""
    return f"{_UNSCORED if score is None else f'{score:03d}'}{SEPARATOR}{account_id}"


def seen_key(account_id: str, last_seen_at: datetime | None) -> str:
    """Orders by the last event; accounts without an event come before the longest silence."""
    at = _NEVER if last_seen_at is None else last_seen_at.astimezone(UTC).isoformat(timespec="milliseconds")
    return f"{at}{SEPARATOR}{account_id}"


def name_key(account_id: str, name: str | None) -> str:
    """Orders by name, ignoring case and accents; an account without a name by its id."""
    shown = casefolded(name or account_id).encode()[:_NAME_BYTES].decode(errors="ignore")
    return f"{shown}{SEPARATOR}{account_id}"


def arr_key(account_id: str, arr: float | None) -> str:
    """Orders by annual recurring revenue, to the cent; accounts with unknown revenue come before 0."""
    return f"{_UNKNOWN if arr is None else f'{arr:022.2f}'}{SEPARATOR}{account_id}"
