"""Every route against every key, and against what only looks like one."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from healthscore.http.api_keys import Scope
from tests.integration.security.conftest import PARAMETER, everything, public
from tests.support.routes import ROUTES

NEEDS_NO_KEY = {
    "GET /healthz",
    "GET /v1/openapi.json",
    "GET /v1/docs",
    "GET /v1/docs/{file}",
    "GET /v1/projects/{write_key}/settings",
    "GET /sourceConfig",
}
"""Their answers hold nothing that the documentation does not. A route is added here on purpose or not at all."""
SIGNED = {"POST /v1/crm/{provider}/webhook"}
"""These ask for a signature instead of a key, which only a sender that has the secret can make."""


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


STRANGERS = {
    "none": {},
    "empty": {"authorization": ""},
    "scheme alone": {"authorization": "Bearer"},
    "unknown": {"authorization": "Bearer the-other-key"},
    "revoked": {"authorization": "Bearer the-revoked-key"},
    "another case": {"authorization": "Bearer THE-ADMIN-KEY"},
    "cut off": {"authorization": "Bearer the-admin-ke"},
    "with more behind": {"authorization": "Bearer the-admin-key x"},
    "as password": {"authorization": basic(":the-admin-key")},
    "no base64": {"authorization": "Basic the-admin-key"},
    "another scheme": {"authorization": "Digest the-admin-key"},
    "beyond ASCII": {"authorization": "Bearer schlüssel-☃"},
    "control characters": {"authorization": "Bearer the-admin-key\x00"},
    "as long as headers may be": {"authorization": "Bearer " + "k" * 10_000},
    "long in base64": {"authorization": basic("k" * 7_000)},
    "in another header": {"x_api_key": "the-admin-key", "cookie": "key=the-admin-key"},
}

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
CROOKED = (
    "/v1/accounts/acme/../../settings",
    "/v1/events/../settings",
    "/v1//settings",
    "/V1/SETTINGS",
    "/v1/settings%00",
    "/v1/settings;x",
    "/v1/accounts/~/health",
    "/v1/accounts/%2e%2e/health",
)


def test_routes__that_need_no_key__are_named_here():
    assert {route for route in ROUTES if public(route)} <= NEEDS_NO_KEY | SIGNED


def test_strangers__on_any_route__get_401_and_leave_no_trace(api):
    before = everything()
    for stranger, headers in STRANGERS.items():
        for route in ROUTES:
            answer = api.call(route, slash="/" if stranger == "unknown" else "", **headers)
            if route in SIGNED:
                assert answer.status in {401, 404}, (stranger, route)
            elif public(route):
                assert answer.status == 200, (stranger, route)
            else:
                assert (answer.status, json.loads(answer.body)["code"]) == (401, "invalid_key"), (stranger, route)
    assert everything() == before


@pytest.mark.parametrize("body", [gzip.compress(b"[" * 4_000_000), b'{"writeKey": "the-other-key"}', b"["])
@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer the-other-key"}, {"authorization": basic("x:")}])
def test_strangers__with_any_body__are_refused_before_it_is_read(api, monkeypatch, body, headers):
    monkeypatch.setattr("healthscore.http.request.read_json", _unread)
    monkeypatch.setattr("healthscore.api.event_batch.read_json", _unread)
    for route in (route for route in ROUTES if not public(route) and not route.startswith("GET")):
        method, _, path = route.partition(" ")
        answer = api.ask(method, PARAMETER.sub("acme", path), body, **headers)
        assert (answer.status, json.loads(answer.body)["code"]) == (401, "invalid_key"), route


def _unread(_body: bytes) -> None:
    raise AssertionError("the body of a stranger is read")


@pytest.mark.parametrize("scope", [Scope.WRITE, Scope.SERVER, Scope.READ, Scope.WORK])
def test_key__on_a_route_of_another_scope__gets_403_and_leaves_no_trace(api, scope):
    key = f"the-{scope}-key"
    before = everything()
    refused = [route for route, needed in ROUTES.items() if needed is not None and not scope.allows(needed)]
    assert len(refused) > 1
    for route in refused:
        for authorization in (f"Bearer {key}", basic(f"{key}:")):
            answer = api.call(route, authorization=authorization)
            assert (answer.status, json.loads(answer.body)["code"]) == (403, "wrong_scope"), route
    assert everything() == before


@pytest.mark.parametrize("scope", Scope)
def test_key__on_a_route_of_its_scope__is_let_in(api, scope):
    for route, needed in ROUTES.items():
        if needed is not None and scope.allows(needed):
            assert api.call(route, authorization=f"Bearer the-{scope}-key").status not in {401, 403, 500}, route


def test_write_key__with_any_method_on_any_path__stores_nothing_and_reads_nothing(api):
    """A method that a path does not take is no way around the scope of those that it takes."""
    before = everything()
    paths = {route.partition(" ")[2] for route, needed in ROUTES.items() if needed not in {None, Scope.WRITE}}
    for method in METHODS:
        for path in paths:
            target = PARAMETER.sub("acme", path)
            answer = api.ask(method, target, authorization="Bearer the-write-key")
            assert answer.status in {403, 404, 405}, (method, path)
    assert everything() == before


def test_crooked_paths__with_a_lesser_key__lead_nowhere(api):
    for target in CROOKED:
        for key in ("the-write-key", "the-read-key"):
            answer = api.ask("GET", target, authorization=f"Bearer {key}")
            assert answer.status in {400, 401, 403, 404}, (target, key)
