"""The book of accounts: what a line of it shows, how lines are ordered, filtered and found.

Every order has one text key a line that ends with the account's id. No two lines have the same key, so the key of the
last line of a page says where the next page begins, whatever is added, removed or moved in between.
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
"""Stands before the account's id in a key; lower than any character that a name or an id may hold."""
MAX_WORDS = 40
"""Words of a name that an account is found by; a name of 200 characters rarely has more."""
WORD_CHARACTERS = 24
"""A word is looked up by its beginning; what is found is then compared as a whole."""
MAX_ARR = 10**15
"""The largest annual recurring revenue that is taken; keys have room for it."""
_NAME_BYTES = 200
_NEVER, _UNKNOWN, _UNSCORED = "0", "-", "~"
_WORD = re.compile(r"[^\W_]+")


class Contract(NamedTuple):
    """What an account pays and until when, as the book and the summary show it."""

    arr: float | None
    renewal_date: str | None

    @classmethod
    def of(cls, profile: Mapping[str, Any], crm: CrmFacts | None) -> Contract:
        """What the profile says; where it says nothing, what the CRM does."""
        renewal = None if crm is None or crm.renewal_date is None else crm.renewal_date.isoformat()
        arr = None if crm is None else crm.arr
        return cls(profile.get("arr", arr), profile.get("renewal_date", renewal))


class Sort(StrEnum):
    """What the book can be ordered by."""

    SCORE = "score"
    LAST_SEEN = "last_seen"
    NAME = "name"
    ARR = "arr"


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account's line in the book."""

    account_id: str
    name: str | None = None
    owner: str | None = None
    segment: str | None = None
    plan: str | None = None
    arr: float | None = None
    renewal_date: str | None = None
    score: int | None = None
    """Of the newest night; None for an account that no night has scored yet. So are band, trend and last_seen_at."""
    band: Band | None = None
    trend: str | None = None
    last_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """Which lines are asked for; None asks for any."""

    band: Band | None = None
    owner: str | None = None
    trend: str | None = None
    segment: str | None = None
    q: str | None = None

    def match(self, row: AccountRow) -> bool:
        """Whether a line is asked for; its score, plan, ARR and dates are not looked at."""
        return (
            self.band in (None, row.band)
            and self.owner in (None, row.owner)
            and self.trend in (None, row.trend)
            and self.segment in (None, row.segment)
            and (self.q is None or found_by(self.q, row.account_id, row.name))
        )


def folded(text: str) -> str:
    """Text without case and accents: what is compared and sorted by."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character)).casefold()


def words(name: str | None) -> list[str]:
    """The words of a name by which its account is found: each once, folded, `MAX_WORDS` at most."""
    return list(dict.fromkeys(_WORD.findall(folded(name or ""))))[:MAX_WORDS]


def entries(account_id: str, name: str | None) -> set[str]:
    """What the search index holds of an account: the beginnings of its id and of its name's words."""
    return {word[:WORD_CHARACTERS] for word in (folded(account_id), *words(name)) if word}


def lookups(q: str) -> set[str]:
    """What to look up in the search index: every account that `q` finds has an entry that begins with one of these.

    The longest word stands for the name, the whole text for the id; where both begin alike, one lookup does for both.
    """
    whole = folded(q)[:WORD_CHARACTERS]
    word = max(words(q), key=len, default="")[:WORD_CHARACTERS]
    return {text for text in (word, "" if word and whole.startswith(word) else whole) if text}


def found_by(q: str, account_id: str, name: str | None) -> bool:
    """Whether the id begins with `q`, or each word of `q` begins a word of the name; without case and accents."""
    if folded(account_id).startswith(folded(q)):
        return True
    asked, own = words(q), words(name)
    return bool(asked) and all(any(word.startswith(prefix) for word in own) for prefix in asked)


def score_key(account_id: str, score: int | None) -> str:
    """Orders by score; accounts that no night has scored come behind the best."""
    return f"{_UNSCORED if score is None else f'{score:03d}'}{SEPARATOR}{account_id}"


def seen_key(account_id: str, last_seen_at: datetime | None) -> str:
    """Orders by the last event; accounts that were never seen come before the longest silence."""
    at = _NEVER if last_seen_at is None else last_seen_at.astimezone(UTC).isoformat(timespec="milliseconds")
    return f"{at}{SEPARATOR}{account_id}"


def name_key(account_id: str, name: str | None) -> str:
    """Orders by name, without case and accents; an account without a name goes by its id."""
    shown = folded(name or account_id).encode()[:_NAME_BYTES].decode(errors="ignore")
    return f"{shown}{SEPARATOR}{account_id}"


def arr_key(account_id: str, arr: float | None) -> str:
    """Orders by annual recurring revenue, to the cent; accounts of which it is not known come before 0."""
    return f"{_UNKNOWN if arr is None else f'{arr:022.2f}'}{SEPARATOR}{account_id}"


def key_of(row: AccountRow, sort: Sort) -> str:
    """The key of a line in an order."""
    match sort:
        case Sort.SCORE:
            return score_key(row.account_id, row.score)
        case Sort.LAST_SEEN:
            return seen_key(row.account_id, row.last_seen_at)
        case Sort.NAME:
            return name_key(row.account_id, row.name)
        case Sort.ARR:
            return arr_key(row.account_id, row.arr)
