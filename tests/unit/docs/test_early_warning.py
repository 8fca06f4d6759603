"""The page on early warning names every pattern there is, with the settings and states that exist."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from healthscore.core.decisions.decision import due_date, sentence
from healthscore.core.decisions.response import response
from healthscore.core.decisions.risk import reasons_of
from healthscore.core.detectors.finding import Level
from healthscore.core.detectors.registry import DETECTORS
from healthscore.core.detectors.settings import Sensitivity
from tests.support.demo_lives import judged
from tools.demo.stories import STORIES

PAGE = (Path(__file__).parents[3] / "docs" / "early-warning.md").read_text("utf-8")


@pytest.mark.parametrize("detector", [detector.name for detector in DETECTORS])
def test_page__every_detector__is_described(detector):
    assert detector.replace("_", " ") in PAGE


@pytest.mark.parametrize("name", [*(level.word for level in Level), *(sensitivity for sensitivity in Sensitivity)])
def test_page__every_state_and_sensitivity__is_named(name):
    assert name in PAGE


def test_examples__of_the_demo__are_what_the_night_decides():
    now = datetime(2026, 11, 30, 11, 30, tzinfo=UTC)
    rows = re.search(r"### What a decision says\n.*?\n\|---.*?\n(.*?)\n\n", PAGE, re.DOTALL)[1].splitlines()
    shown = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    stories = {story.name: story for story in STORIES}
    assert len(shown) == 5
    for row in shown:
        found = judged(stories[row[0]], now)
        gravest = reasons_of(found)[0]
        action, days = response(gravest)
        due = due_date(now.toordinal(), days)
        assert row[1:] == [found.state.word, sentence(gravest), action, f"{due.day} {due:%b}"]
