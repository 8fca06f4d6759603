"""Events of a custom domain with a mapping have its path in front of the API's own."""

from __future__ import annotations

import pytest

from healthscore.http.request import Request
from tests.support.gateway import gateway_event


def mapped(path: str, route: str, domain: str = "api.example.com", method: str = "GET", **parameters: str) -> Request:
    event = gateway_event(method, "/")
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["routeKey"] = event["requestContext"]["routeKey"] = route
    event["requestContext"]["domainName"] = domain
    if parameters:
        event["pathParameters"] = parameters
    return Request.from_event(event)


@pytest.mark.parametrize("base", ["", "/scores", "/a/b.c/d", "/v1", "/healthz", "/sourceConfig"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_request__under_a_base_path__has_the_apis_own_path(base, slash):
    for path, route, parameters in [
        ("/healthz", "GET /healthz", {}),
        ("/v1/events", "POST /v1/events", {}),
        ("/v1/track", "POST /v1/{proxy+}", {"proxy": "track"}),
        ("/v1/accounts/acme", "GET /v1/accounts/{account_id}", {"account_id": "acme"}),
        ("/v1/accounts/v1/health", "GET /v1/accounts/{account_id}/health", {"account_id": "v1"}),
        ("/v1/accounts/a/b", "GET /v1/accounts/{account_id}/{proxy+}", {"account_id": "a", "proxy": "b"}),
    ]:
        request = mapped(f"{base}{path}{slash}", route, **parameters)
        assert (request.path, request.base_path) == (path, base)


@pytest.mark.parametrize("base", ["", "/scores", "/a/b"])
def test_request__whose_variables_are_written_otherwise__has_the_apis_own_path(base):
    """As the gateway may write them encoded in one place and decoded in the other."""
    request = mapped(f"{base}/v1/accounts/a b", "GET /v1/accounts/{account_id}", account_id="a%20b")
    assert (request.path, request.base_path) == ("/v1/accounts/a b", base)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/scores/v1/events", "/v1/events"),
        ("/scores/healthz", "/healthz"),
        ("/scores/sourceConfig/", "/sourceConfig"),
        ("/v1/nothing", "/v1/nothing"),
        ("/scores/nothing", "/scores/nothing"),
        ("/scores/v12/events", "/scores/v12/events"),
        ("/", ""),
    ],
)
def test_request__of_the_last_resort__is_searched_for_the_apis_own_path(path, expected):
    assert mapped(path, "$default", method="HEAD").path == expected


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_request__of_the_last_resort__reaches_no_route_of_the_api_by_another_path(method):
    """A firewall that guards `/v1/settings` does not know `/other/v1/settings`, which the gateway has no route for."""
    assert mapped("/other/v1/settings", "$default", method=method).path == "/other/v1/settings"


def test_request__on_the_apis_own_address__has_no_base_path():
    request = mapped("/scores/v1/events", "$default", domain="a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com")
    assert (request.path, request.base_path) == ("/scores/v1/events", "")
