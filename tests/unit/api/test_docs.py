"""The page about the API names every error code and every field."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from healthscore.api import openapi
from healthscore.api.event_batch import FIELDS
from healthscore.api.resources import all_routes
from healthscore.api.schemas import Crm, Profile, WorkspaceSettings
from healthscore.core.detectors.registry import DETECTORS
from healthscore.settings import Settings
from tests.support.openapi import described

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "api.md").read_text()
ERROR_CODES = {kind.code for route in all_routes() for kind in openapi.error_kinds(route)}
REJECTION_CODES = set(described()["components"]["schemas"]["RejectedEvent"]["properties"]["code"]["enum"])


@pytest.mark.parametrize("code", sorted(ERROR_CODES | REJECTION_CODES))
def test_page__every_code__is_explained(code):
    assert re.search(rf"^\| (\d+ \| )?`{code}` \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize(
    "field", [*FIELDS, *Profile.__annotations__, *Crm.__annotations__, *WorkspaceSettings.__annotations__]
)
def test_page__every_field__is_explained(field):
    assert re.search(rf"^\|[^|]*`{field}[`.]", PAGE, re.MULTILINE)


def test_page__settings_shown__are_the_defaults():
    (shown,) = [
        json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) if '"version"' in block
    ]
    detectors = {detector.name: {"enabled": detector.by_default} for detector in DETECTORS}
    assert shown == {"version": 0, "settings": {**Settings().to_json(), "signals": detectors}, "warnings": []}
