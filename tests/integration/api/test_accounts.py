"""The accounts function, asked with the gateway's events, on moto's tables."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from functions.api import handler as api_function
from healthscore.core.detectors.registry import DETECTORS
from healthscore.core.model import Band, Component, Snapshot
from healthscore.http.api_keys import CachedKeys, key_hash
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts, history
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.workspace import ApiKey
from tests.support.gateway import NOW, gateway_event

EVENTS = Path(__file__).parents[3] / "events"
KEYS = {"local-write": "write", "local-read": "read", "local-work": "work", "local-admin": "admin"}


class Answer(NamedTuple):
    status: int
    body: dict


@pytest.fixture(autouse=True)
def keys(moto, described_answers, monkeypatch):
    monkeypatch.setattr(api_function, "find_key", CachedKeys(workspace.find_key))
    for key, scope in KEYS.items():
        workspace.add_key(ApiKey(key_hash(key), scope, key, NOW, key[-4:]))


def answer(event: dict) -> Answer:
    response = api_function.handler(event, None)
    assert response["headers"]["Content-Type"] == "application/json"
    assert response["headers"]["Cache-Control"] == "no-store"
    return Answer(response["statusCode"], json.loads(response["body"]))


def ask(method: str, path: str, body: object = None, *, key: str | None = "local-admin", **options) -> Answer:
    return answer(gateway_event(method, path, key=key, body=body, **options))


@pytest.mark.parametrize("name", ["healthz", "put-profile", "put-crm", "put-settings"])
def test_handler__captured_event__is_answered_200(name):
    assert answer(json.loads((EVENTS / f"api-{name}.json").read_text())).status == 200


def test_healthz__without_a_key__says_it_is_there():
    assert ask("GET", "/healthz/", key=None) == (200, {"status": "ok"})


def test_put_account__unknown_account__creates_it():
    created = ask("PUT", "/v1/accounts/acme", {"name": "Acme", "owner": "Ann", "arr": 12000, "plan": None})
    assert created == (
        200,
        {
            "account_id": "acme",
            "path": "/v1/accounts/acme",
            "profile": {"name": "Acme", "owner": "Ann", "arr": 12000},
            "from_traits": [],
            "crm": None,
            "since": "2026-11-21T10:00:00Z",
            "latest": None,
        },
    )
    assert ask("GET", "/v1/accounts/acme", key="local-read") == created


def test_put_account__known_account__replaces_its_profile_and_keeps_its_birthday():
    ask("PUT", "/v1/accounts/acme", {"name": "Acme", "owner": "Ann", "attributes": {"a": 1}})
    later = ask("PUT", "/v1/accounts/acme", {"plan": "pro", "attributes": {"b": None}}, now=NOW + timedelta(days=1))
    assert later.body["profile"] == {"plan": "pro", "attributes": {}}
    assert later.body["since"] == "2026-11-21T10:00:00Z"


def test_patch_account__known_account__changes_only_what_is_sent():
    ask("PUT", "/v1/accounts/acme", {"name": "Acme", "owner": "Ann", "attributes": {"a": 1, "b": 2}})
    patched = ask("PATCH", "/v1/accounts/acme", {"owner": None, "arr": 0.5, "attributes": {"b": None, "c": True}})
    assert patched.body["profile"] == {"name": "Acme", "arr": 0.5, "attributes": {"a": 1, "c": True}}


WORK = {
    "owner": "Kim",
    "owner_email": "kim@example.com",
    "champions": ["ann"],
    "expected_cadence_days": 30,
    "usage_mode": "periodic",
    "usage_channel": "both",
}


def test_patch_account__with_a_work_key__changes_who_looks_after_it_and_how_it_is_used():
    ask("PUT", "/v1/accounts/acme", {"name": "Acme"})
    assert ask("PATCH", "/v1/accounts/acme", WORK, key="local-work").body["profile"] == {"name": "Acme", **WORK}


def test_patch_account__any_other_field_with_a_work_key__is_403_and_changes_nothing():
    ask("PUT", "/v1/accounts/acme", {"name": "Acme"})
    others = {
        "name": "Acme Ltd",
        "arr": 1,
        "plan": None,
        "attributes": {"seats": 1},
        "signals": {},
    }
    for field, value in others.items():
        refused = ask("PATCH", "/v1/accounts/acme", {"owner": "Kim", field: value}, key="local-work")
        assert (refused.status, refused.body["code"]) == (403, "wrong_scope")
        assert field in refused.body["message"]
    assert ask("GET", "/v1/accounts/acme", key="local-work").body["profile"] == {"name": "Acme"}
    assert ask("PUT", "/v1/accounts/acme", {"owner": "Kim"}, key="local-work").status == 403


def test_patch_account__unknown_account__is_404_and_creates_nothing():
    refused = ask("PATCH", "/v1/accounts/acme", {"name": "Acme"})
    assert (refused.status, refused.body["code"]) == (404, "account_not_found")
    assert accounts.get("acme") is None


@pytest.mark.parametrize(
    "account_id", ["aws/chalice", "what?", "50% off", "é", "日本", "..", "~tilde", "a&b=c", "a#b", 'quo"te', "x" * 200]
)
def test_account__id_of_other_characters__is_reached_by_the_path_it_answers(account_id):
    segment = "~" + base64.urlsafe_b64encode(account_id.encode()).decode().rstrip("=")
    if account_id == "x" * 200:
        segment = account_id
    created = ask("PUT", f"/v1/accounts/{segment}", {"name": "Odd"})
    assert created.body["account_id"] == account_id
    assert ask("GET", created.body["path"]) == created
    assert ask("GET", created.body["path"] + "/") == created


def test_get_account__unknown__is_404_account_not_found():
    refused = ask("GET", "/v1/accounts/nobody", key="local-read")
    assert (refused.status, refused.body["code"], refused.body["success"]) == (404, "account_not_found", False)


def test_get_account__id_with_encoded_slash__is_404_not_found():
    assert ask("GET", "/v1/accounts/aws%2Fchalice").body["code"] == "not_found"


def test_get_account__after_a_night__shows_its_score():
    ask("PUT", "/v1/accounts/acme", {"name": "Acme"})
    day = NOW.date() - timedelta(days=1)
    components = dict.fromkeys(Component, 68)
    snapshot = Snapshot(day, NOW - timedelta(hours=8), 68, Band.AT_RISK, components, {})
    accounts.save_score(accounts.get("acme"), snapshot)
    assert ask("GET", "/v1/accounts/acme").body["latest"] == {"score": 68, "band": "at_risk", "date": "2026-11-20"}


@pytest.mark.parametrize("wrap", [bytes, gzip.compress], ids=["base64", "gzip"])
def test_put_account__body_in_base64__is_read(wrap):
    body = wrap(json.dumps({"name": "Größe"}).encode())
    assert ask("PUT", "/v1/accounts/acme", body).body["profile"] == {"name": "Größe"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (None, "invalid_json"),
        ("{", "invalid_json"),
        ('{"name": NaN}', "invalid_json"),
        ([], "invalid_request"),
        ({"nonsense": 1}, "invalid_request"),
        ("[" * 100_000, "invalid_json"),
    ],
    ids=["empty", "cut off", "NaN", "list", "unknown field", "deep"],
)
def test_write__bad_body__is_400_and_changes_nothing(body, code):
    ask("PUT", "/v1/accounts/acme", {"name": "Acme"})
    before = ask("GET", "/v1/accounts/acme"), ask("GET", "/v1/settings")
    for route in ("PUT /v1/accounts/acme", "PATCH /v1/accounts/acme", "PUT /v1/accounts/acme/crm", "PUT /v1/settings"):
        refused = ask(*route.split(), body)
        assert (route, refused.status, refused.body["code"]) == (route, 400, code)
    assert (ask("GET", "/v1/accounts/acme"), ask("GET", "/v1/settings")) == before


def test_write__body_too_large__is_413():
    bomb = gzip.compress(b" " * (6 * 1024 * 1024))
    refused = ask("PUT", "/v1/accounts/acme", bomb)
    assert (refused.status, refused.body["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
def test_account__unknown_query_parameter__is_400(method):
    refused = ask(method, "/v1/accounts/acme", {"name": "Acme"}, query={"verbose": "1"})
    assert (refused.status, refused.body["code"]) == (400, "invalid_request")
    assert "verbose" in refused.body["message"]


def test_put_crm__any_account__keeps_what_was_sent_and_what_was_not():
    created = ask(
        "PUT", "/v1/accounts/acme/crm", {"open_tickets": 2, "high_priority_open": True, "last_email_at": None}
    )
    assert created.status == 200
    assert created.body["crm"] == {
        "received_at": "2026-11-21T10:00:00Z",
        "open_tickets": 2,
        "high_priority_open": 1,
        "last_email_at": None,
    }
    assert ask("GET", "/v1/accounts/acme").body == created.body


def test_put_crm__sent_again__replaces_it_and_keeps_the_past():
    ask("PUT", "/v1/accounts/acme/crm", {"open_tickets": 2})
    later = ask("PUT", "/v1/accounts/acme/crm", {"churned": True}, now=NOW + timedelta(days=1))
    assert later.body["crm"] == {"received_at": "2026-11-22T10:00:00Z", "churned": True}
    assert history.crm_as_of("acme", NOW + timedelta(hours=1)).open_tickets == 2


def test_put_crm__then_profile__keeps_both():
    ask("PUT", "/v1/accounts/acme/crm", {"open_tickets": 2})
    both = ask("PUT", "/v1/accounts/acme", {"name": "Acme"})
    assert (both.body["crm"]["open_tickets"], both.body["profile"]) == (2, {"name": "Acme"})


def test_get_settings__nothing_chosen__are_the_defaults_at_version_0():
    answered = ask("GET", "/v1/settings")
    assert (answered.status, answered.body["version"]) == (200, 0)
    assert answered.body["settings"]["retention_days"] == 460


def test_put_settings__a_change__counts_the_version_up_and_is_answered():
    first = ask(
        "PUT", "/v1/settings", {"retention_days": 20_000, "timezone": "Europe/Paris", "milestones": ["signed_up"]}
    )
    assert (first.status, first.body["version"]) == (200, 1)
    assert first.body["settings"]["retention_days"] == 20_000
    assert first.body["settings"]["alerts"]["silent"] == {"enabled": True, "days": 7}
    assert ask("GET", "/v1/settings") == first
    second = ask("PUT", "/v1/settings", {**first.body["settings"], "retention_days": 30})
    assert (second.body["version"], second.body["settings"]["timezone"]) == (2, "Europe/Paris")


def test_put_settings__more_signals_than_can_be_watched__are_taken_with_a_warning():
    integrations = {name: [f"{name}_synced"] for name in ("jira", "slack", "teams", "github", "sap")}
    taken = ask("PUT", "/v1/settings", {"integrations": integrations, "signals": {"halved": {"enabled": True}}})
    assert (taken.status, taken.body["settings"]["integrations"]) == (200, integrations)
    (warning,) = taken.body["warnings"]
    assert warning.startswith("Accounts have 9 signals, of which 5 are integrations")
    assert ask("GET", "/v1/settings") == taken


def test_get_settings__detectors__are_all_shown_as_chosen_or_by_default_and_can_be_sent_back():
    ask("PUT", "/v1/settings", {"signals": {"halved": {"enabled": True}, "drop": {"enabled": False}}})
    shown = ask("GET", "/v1/settings").body
    off = {name for name, rule in shown["settings"]["signals"].items() if not rule["enabled"]}
    assert (shown["settings"]["signals"].keys(), off) == ({detector.name for detector in DETECTORS}, {"drop"})
    again = ask("PUT", "/v1/settings", shown["settings"]).body
    assert again["settings"] == shown["settings"]


def test_settings__stored_by_an_earlier_version__keep_their_retention_and_say_what_it_lacks():
    ask("PUT", "/v1/settings", {"retention_days": 400})
    kept = ask("GET", "/v1/settings").body
    assert kept["settings"]["retention_days"] == 400
    assert [warning[:29] for warning in kept["warnings"]] == ["Events are kept for 400 days,"]


def test_put_settings__other_timezone_once_events_exist__is_409():
    workspace.fix_timezone()
    refused = ask("PUT", "/v1/settings", {"timezone": "Europe/Paris", "retention_days": 30})
    assert (refused.status, refused.body["code"]) == (409, "timezone_fixed")
    assert ask("GET", "/v1/settings").body["settings"]["retention_days"] == 460
    assert ask("PUT", "/v1/settings", {"timezone": "UTC", "retention_days": 30}).status == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/accounts/acme", {"local-read", "local-work", "local-admin"}),
        ("PUT", "/v1/accounts/acme", {"local-admin"}),
        ("PATCH", "/v1/accounts/acme", {"local-admin"}),
        ("PUT", "/v1/accounts/acme/crm", {"local-admin"}),
        ("GET", "/v1/settings", {"local-admin"}),
        ("PUT", "/v1/settings", {"local-admin"}),
    ],
)
def test_route__each_key__may_do_what_its_scope_allows(method, path, allowed):
    bodies = {"/v1/accounts/acme": {"name": "Acme"}, "/v1/accounts/acme/crm": {"open_tickets": 0}, "/v1/settings": {}}
    ask("PUT", "/v1/accounts/acme", {"name": "Acme"})
    statuses = {key: ask(method, path, bodies[path], key=key).status for key in (*KEYS, "unknown", None)}
    expected = dict.fromkeys(KEYS, 403) | dict.fromkeys(allowed, 200) | {"unknown": 401, None: 401}
    assert statuses == expected


def test_route__basic_with_the_key_as_user_name__is_accepted():
    headers = {"Authorization": "Basic " + base64.b64encode(b"local-admin:").decode()}
    assert ask("GET", "/v1/settings", key=None, headers=headers).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/favicon.ico", 404, "not_found"),
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/events", 405, "method_not_allowed"),
        ("DELETE", "/v1/settings", 405, "method_not_allowed"),
        ("POST", "/v1/accounts/acme/health", 405, "method_not_allowed"),
    ],
)
def test_handler__whatever_else__has_the_shape_of_every_error(method, path, status, code):
    refused = ask(method, path)
    assert (refused.status, refused.body["code"], refused.body["success"]) == (status, code, False)
    assert set(refused.body) == {"success", "code", "message", "request_id"}


def test_handler__storage_out_of_reach__is_503_with_retry_after(monkeypatch):
    def unreachable(*_arguments, **_options):
        raise StorageUnavailableError

    monkeypatch.setattr(workspace, "settings", unreachable)
    response = api_function.handler(gateway_event("GET", "/v1/settings", key="local-admin"), None)
    assert (response["statusCode"], json.loads(response["body"])["code"]) == (503, "storage_unavailable")
    assert int(response["headers"]["Retry-After"]) > 0


def test_put_account__twice_at_the_same_instant__is_the_same():
    body = {"name": "Acme", "champions": ["u1"], "created_at": "2026-01-01"}
    assert ask("PUT", "/v1/accounts/acme", body) == ask("PUT", "/v1/accounts/acme", body)
    assert accounts.get("acme").since == datetime(2026, 11, 21, 10, tzinfo=UTC)
