"""The page on early warning names every pattern there is, with the settings and states that exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from healthscore.core.detectors.finding import Level
from healthscore.core.detectors.registry import DETECTORS
from healthscore.core.detectors.settings import Sensitivity

PAGE = (Path(__file__).parents[3] / "docs" / "early-warning.md").read_text("utf-8")


@pytest.mark.parametrize("detector", [detector.name for detector in DETECTORS])
def test_page__every_detector__is_described(detector):
    assert detector.replace("_", " ") in PAGE


@pytest.mark.parametrize("name", [*(level.word for level in Level), *(sensitivity for sensitivity in Sensitivity)])
def test_page__every_state_and_sensitivity__is_named(name):
    assert name in PAGE
