"""Nights for tests of the alert rules: snapshots with a given score, and the replay of a whole story of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from healthscore.core.alerts.bands import NIGHTS_KEPT
from healthscore.core.alerts.rules import evaluate
from healthscore.core.alerts.settings import AlertSettings
from healthscore.core.health import assess
from healthscore.core.health import snapshot as snapshot_of
from healthscore.core.model import Component, Facts, Snapshot
from healthscore.core.scoring.standard import band
from healthscore.core.time import format_instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from healthscore.core.alerts.change import Change

FIRST = date(2026, 10, 1)
DEFAULT = AlertSettings()


def instant(day: date) -> datetime:
    """When the run of a day takes its snapshots."""
    return datetime(day.year, day.month, day.day, 2, tzinfo=UTC)


def snapshot(
    score: int,
    day: date = FIRST,
    last_seen_at: datetime | None = None,
    components: Mapping[Component, int] | None = None,
) -> Snapshot:
    """A snapshot whose components all have the score, so that their weighted sum has it as well."""
    components = components or {name: score for name in Component if name is not Component.CRM}
    seen = last_seen_at or instant(day) - timedelta(hours=1)
    return Snapshot(
        day=day,
        as_of=instant(day),
        score=score,
        band=band(score),
        components=components,
        facts={Component.RECENCY: {"last_seen_at": format_instant(seen)}},
    )


def lived(day: date = FIRST, *, seen: timedelta | None = timedelta(hours=1), **figures: Any) -> Snapshot:
    """The snapshot of an account that thrives (score 80), as far as no other figures of its month are given.

    Args:
        day: the night's day.
        seen: how long before the night's run the last event was; None if there never was one.
        **figures: fields of `Facts` that differ.
    """
    facts = {
        "events": 60,
        "sessions": 6,
        "session_events": 60,
        "session_ms": 6 * 300_000,
        "days_active": 30,
        "milestones": (),
        "configured_milestones": ("account_created",),
        "crm": None,
    }
    return snapshot_of(
        assess(
            "acme",
            Facts(
                as_of=instant(day),
                as_of_day=day,
                last_seen_at=None if seen is None else instant(day) - seen,
                **(facts | figures),
            ),
            (),
            None,
        )
    )


DRIFTING = {"events": 28, "sessions": 4, "session_events": 28, "session_ms": 4 * 200_000, "days_active": 10}
"""Figures of a month with less use: with a last event four days ago the score is 48."""
GONE = {"events": 0, "sessions": 0, "session_events": 0, "session_ms": 0, "days_active": 0}
"""Figures of a month without events: with a last event long ago the score is 0."""


def story(scores: Sequence[int | None], first: date = FIRST) -> list[Snapshot]:
    """Snapshots of consecutive days, one per score; None is a night without a run."""
    return [snapshot(score, first + timedelta(days=offset)) for offset, score in enumerate(scores) if score is not None]


def replay(snapshots: Sequence[Snapshot], settings: AlertSettings = DEFAULT) -> dict[date, list[Change]]:
    """What the rules find each night, given what the nightly run keeps: 30 nights and the last snapshot."""
    found = {}
    for position, current in enumerate(snapshots):
        earlier = snapshots[:position]
        recent = [before.daily for before in earlier][-NIGHTS_KEPT:]
        found[current.day] = evaluate(recent, earlier[-1] if earlier else None, current, settings)
    return found


def kinds(scores: Sequence[int | None], settings: AlertSettings = DEFAULT) -> list[list[str]]:
    """The kinds found on each night that was run."""
    return [[change.kind.value for change in found] for found in replay(story(scores), settings).values()]
