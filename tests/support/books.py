"""Made-up accounts, written as the product writes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from healthscore.core.model import Component, Snapshot
from healthscore.core.scoring.standard import band
from healthscore.storage.accounts import accounts

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
