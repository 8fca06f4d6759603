"""Made-up books of accounts, written as the product writes them, and the plain way to list them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from healthscore.core.book import AccountRow, Sort, entries, score_key, seen_key
from healthscore.core.model import Band, Component, Snapshot
from healthscore.core.scoring.standard import band
from healthscore.storage import schema
from healthscore.storage.accounts import accounts, index, search_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
NIGHT = datetime(2026, 11, 21, 2, tzinfo=UTC)
NIGHTS_BEFORE = 3
"""As few as a trend needs."""


@dataclass(frozen=True)
class Drawn:
    """An account of a book: what a person says of it, and what the last night found, if one has."""

    account_id: str
    profile: dict[str, Any]
    score: int | None = None
    before: int | None = None
    """The score of each of the nights before; None for an account that is new."""
    last_seen_at: datetime | None = None


def write(drawn: Drawn) -> None:
    """Write an account through the product's own doors."""
    accounts.save_profile(drawn.account_id, lambda _: drawn.profile, NOW)
    if drawn.score is None:
        return
    scores = [drawn.score] if drawn.before is None else [drawn.before] * NIGHTS_BEFORE + [drawn.score]
    seen = None if drawn.last_seen_at is None else drawn.last_seen_at.isoformat().replace("+00:00", "Z")
    for age, score in zip(range(len(scores) - 1, -1, -1), scores, strict=True):
        at = NIGHT - timedelta(days=age)
        components = dict.fromkeys(Component, score)
        kept = Snapshot(at.date(), at, score, band(score), components, {Component.RECENCY: {"last_seen_at": seen}})
        accounts.save_score(accounts.get(drawn.account_id), kept)


def written(drawn: Drawn) -> list[tuple[str, dict[str, Any]]]:
    """Table and item of everything that `write` leaves of an account without earlier nights, for books of many."""
    account_id, name = drawn.account_id, drawn.profile.get("name")
    attributes = {**index.new_account_attributes(account_id), **index.index_entry(account_id, drawn.profile, None)}
    if drawn.score is not None:
        attributes |= {
            "state": {"S": f"{band(drawn.score).value} unknown"},
            "by_score": {"S": score_key(account_id, drawn.score)},
            "by_seen": {"S": seen_key(account_id, drawn.last_seen_at)},
        }
    account = {
        "account_id": {"S": account_id},
        **{key: value for key, value in attributes.items() if value is not None},
    }
    found = [(schema.accounts_table(), account)]
    found += [
        (schema.activity_table(), put.parameters["Item"])
        for put in search_index.puts(account_id, entries(account_id, name))
    ]
    return found


def line(drawn: Drawn) -> AccountRow:
    """The line that the book must show of an account."""
    profile = drawn.profile
    return AccountRow(
        account_id=drawn.account_id,
        name=profile.get("name"),
        owner=profile.get("owner"),
        segment=profile.get("attributes", {}).get("segment", profile.get("plan")),
        plan=profile.get("plan"),
        arr=profile.get("arr"),
        renewal_date=profile.get("renewal_date"),
        score=drawn.score,
        band=None if drawn.score is None else Band(band(drawn.score)),
        trend=_trend(drawn),
        last_seen_at=drawn.last_seen_at if drawn.score is not None else None,
    )


def _trend(drawn: Drawn) -> str | None:
    if drawn.score is None:
        return None
    if drawn.before is None:
        return "unknown"
    if abs(drawn.score - drawn.before) < 10:
        return "steady"
    return "improving" if drawn.score > drawn.before else "declining"


def naive(
    book: Iterable[Drawn], fits: Callable[[AccountRow], bool], sort: Sort, *, descending: bool
) -> list[AccountRow]:
    """The whole list, as if all of it lay in memory."""
    lines = [one for one in map(line, book) if fits(one)]
    return sorted(lines, key=lambda one: _value(one, sort), reverse=descending)


def _value(row: AccountRow, sort: Sort) -> tuple[Any, ...]:
    value: Any = {
        Sort.SCORE: (row.score is None, row.score or 0),
        Sort.LAST_SEEN: (row.last_seen_at is not None, row.last_seen_at or NOW),
        Sort.NAME: plain(row.name or row.account_id),
        Sort.ARR: (row.arr is not None, row.arr or 0),
    }[sort]
    return value, row.account_id


def plain(text: str) -> str:
    """Text in lower case, with the accents of the test data taken off."""
    return text.lower().translate(str.maketrans("äéöü", "aeou"))
