"""Whole stories of nights, and the alerts of each of them."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from healthscore.core.alerts.grouping import group
from healthscore.core.time import parse_instant
from tests.unit.core.alerts.nights import replay, snapshot

STORIES = sorted((Path(__file__).parents[3] / "golden" / "alerts").glob("*.json"))


def alerts(story):
    """The alerts of the nights of a story, by day, in the form of the file."""
    first = date.fromisoformat(story["first_day"])
    last_events = story.get("last_events", [None] * len(story["scores"]))
    nights = [
        snapshot(score, first + timedelta(days=offset), last and parse_instant(last))
        for offset, (score, last) in enumerate(zip(story["scores"], last_events, strict=True))
        if score is not None
    ]
    return {
        day.isoformat(): [written(change) for change in group(changes)]
        for day, changes in replay(nights).items()
        if changes
    }


def written(change):
    """A change in the form of the file."""
    also = [other.kind.value for other in change.merged]
    return {
        "kind": change.kind.value,
        **({"also": also} if also else {}),
        "from": round(float(change.before), 1),
        "since": change.since.isoformat(),
    }


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_story__replayed_night_by_night__is_as_the_file_says(path):
    story = json.loads(path.read_text(encoding="utf-8"))
    assert alerts(story) == story["alerts"], story["story"]


def test_stories__exist():
    assert STORIES
