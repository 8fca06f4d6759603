"""`GET /v1/accounts/{id}/health?compare_to=`, asked over HTTP: what it takes, and what it says of what it refuses."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from functions.score import handler as score_function
from healthscore.core.time import format_instant
from healthscore.http.api_keys import CachedKeys, Scope, key_hash
from healthscore.services.ingestion.events import ingest
from healthscore.settings import Settings
from healthscore.storage import workspace
from healthscore.storage.workspace import ApiKey
from tests.support.events import event
from tests.support.gateway import NOW, gateway_event

RETENTION = timedelta(days=400)
YESTERDAY = NOW - timedelta(days=1)


@pytest.fixture(autouse=True)
def acme(moto, described_answers, monkeypatch):
    monkeypatch.setattr(score_function, "find_key", CachedKeys(workspace.find_key))
    workspace.add_key(ApiKey(key_hash("read"), Scope.READ, "read", NOW, "read"))
    workspace.save_settings(Settings(retention_days=RETENTION.days), NOW)
    done = [event(f"e{number}", at=NOW - timedelta(days=number / 4)) for number in range(40)]
    ingest(done, workspace.settings().settings, NOW)


def ask(**query: str) -> tuple[int, dict]:
    response = score_function.handler(gateway_event("GET", "/v1/accounts/acme/health", key="read", query=query), None)
    return response["statusCode"], json.loads(response["body"])


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "",
        "2026-13-01",
        "2026-11-31",
        "2026-11-20T25:00:00Z",
        "2026-11-20T10:00:00",
        "20261120",
        "1e99",
        "0",
    ],
)
def test_compare_to__that_is_neither_an_instant_nor_a_day__is_refused_by_name(text):
    status, body = ask(compare_to=text)
    assert (status, body["code"]) == (400, "invalid_request")
    assert body["message"].startswith("compare_to ")


@pytest.mark.parametrize(
    "text",
    [
        format_instant(NOW),
        format_instant(NOW + timedelta(milliseconds=1)),
        (NOW + timedelta(days=1)).date().isoformat(),
        NOW.date().isoformat(),
        "9999-12-31",
        "9999-12-31T23:59:59+14:00",
    ],
)
def test_compare_to__not_before_the_instant_that_is_scored__is_refused(text):
    """Today has no night yet, and ends only after now."""
    status, body = ask(compare_to=text)
    assert (status, body["code"]) == (400, "invalid_request")
    assert "does not lie before" in body["message"]


def test_compare_to__not_before_as_of__is_refused():
    status, body = ask(as_of=format_instant(YESTERDAY), compare_to=format_instant(YESTERDAY + timedelta(hours=1)))
    assert (status, body["code"]) == (400, "invalid_request")
    assert "does not lie before" in body["message"]


@pytest.mark.parametrize(
    "text",
    [
        (NOW - RETENTION - timedelta(days=1)).date().isoformat(),
        format_instant(NOW - RETENTION - timedelta(days=1)),
        "0001-01-01",
        "0001-01-01T00:00:00-14:00",
    ],
)
def test_compare_to__beyond_retention__is_refused_with_how_much_is_kept(text):
    status, body = ask(compare_to=text)
    assert (status, body["code"]) == (400, "invalid_request")
    assert "more than 400 days back" in body["message"]


@pytest.mark.parametrize(
    "text",
    [
        format_instant(NOW - timedelta(milliseconds=1)),
        format_instant(YESTERDAY),
        YESTERDAY.date().isoformat(),
        (NOW - RETENTION).date().isoformat(),
        format_instant(NOW - RETENTION),
    ],
)
def test_compare_to__any_earlier_instant_or_day_within_retention__is_answered(text):
    status, body = ask(compare_to=text)
    assert status == 200
    assert body["compared_with"] is not None


def test_compare_to__of_another_time_zone__is_the_same_instant():
    assert ask(compare_to="2026-11-19T10:00:00+02:00") == ask(compare_to="2026-11-19T08:00:00Z")
