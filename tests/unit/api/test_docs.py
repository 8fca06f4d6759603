"""The API's page says everything that the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from healthscore.api.events import FIELDS
from healthscore.api.schemas import Crm, Profile, WorkspaceSettings
from healthscore.http.router import ROUTES
from healthscore.settings import Settings

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "api.md").read_text()
CODE = "".join(path.read_text() for room in ("shared", "functions") for path in sorted((ROOT / room).rglob("*.py")))
ERROR_CODES = set(re.findall(r'ApiError\(\s*HTTPStatus\.\w+,\s*"(\w+)"', CODE))
REJECTION_CODES = set(re.findall(r'RefusedError\(\s*"(\w+)"', CODE)) | set(re.findall(r'return "(\w+)", f?"must', CODE))


def test_codes__looked_for_in_the_code__are_found():
    assert {"invalid_json", "not_found", "timezone_fixed", "invalid_request"} <= ERROR_CODES
    assert {"invalid_event", "invalid_id", "too_long", "timestamp_too_old"} <= REJECTION_CODES


@pytest.mark.parametrize("route", ROUTES)
def test_page__every_route__is_there_with_its_scope(route):
    scope = ROUTES[route]
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| [`{route}`]")]
    assert line.split("|")[2].strip() == ("none" if scope is None else scope.value)


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
    assert shown == {"version": 0, "settings": Settings().to_json()}
