"""The book of accounts: the fields of its rows, and how rows are ordered, filtered and searched.

In each order a row has a text key that ends with the account's id. All keys of an order differ, so the key of a page's
last row says where the next page begins, even if rows are added, removed or moved in between.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from healthscore.core.model import Band, CrmFacts

SEPARATOR = "\x1f"
"""Separates the account's id in a key; lower than any character of names and ids."""
MAX_WORDS = 40
"""Indexed words of a name; a name of 200 characters rarely has more."""
WORD_CHARACTERS = 24
"""Indexed characters of a word; `found_by` then compares whole words."""
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


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account's row in the book."""

    account_id: str
    name: str | None = None
    owner: str | None = None
    segment: str | None = None
    plan: str | None = None
    arr: float | None = None
    renewal_date: str | None = None
    score: int | None = None
    """From the newest night; None before an account's first night. The same holds for band, trend and last_seen_at."""
    band: Band | None = None
    trend: str | None = None
    last_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """The requested rows; None matches any value."""

    band: Band | None = None
    owner: str | None = None
    trend: str | None = None
    segment: str | None = None
    q: str | None = None

    def match(self, row: AccountRow) -> bool:
        """Whether a row matches; this needs neither its score nor its plan, ARR and dates."""
        return (
            self.band in (None, row.band)
            and self.owner in (None, row.owner)
            and self.trend in (None, row.trend)
            and self.segment in (None, row.segment)
            and (self.q is None or found_by(self.q, row.account_id, row.name))
        )


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


def lookups(q: str) -> set[str]:
    """The prefixes to look up in the search index: an account that `q` finds has an entry that begins with one of them.

    The longest word of `q` finds names, and the whole text finds ids; where the text begins with that word, the word
    alone finds both.
    """
    whole = casefolded(q)[:WORD_CHARACTERS]
    word = max(words(q), key=len, default="")[:WORD_CHARACTERS]
    return {text for text in (word, "" if word and whole.startswith(word) else whole) if text}


def found_by(q: str, account_id: str, name: str | None) -> bool:
    """Whether the id begins with `q`, or each word of `q` begins a word of the name, ignoring case and accents."""
    if casefolded(account_id).startswith(casefolded(q)):
        return True
    asked, own = words(q), words(name)
    return bool(asked) and all(any(word.startswith(prefix) for word in own) for prefix in asked)


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


def key_of(row: AccountRow, sort: Sort) -> str:
    """The key of a row in an order."""
    match sort:
        case Sort.SCORE:
            return score_key(row.account_id, row.score)
        case Sort.LAST_SEEN:
            return seen_key(row.account_id, row.last_seen_at)
        case Sort.NAME:
            return name_key(row.account_id, row.name)
        case Sort.ARR:
            return arr_key(row.account_id, row.arr)
