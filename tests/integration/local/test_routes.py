"""Requests take the route that API Gateway would choose, and none that it does not promise."""

import pytest

from tools.local.routes import Route, match

ROUTES = [
    Route("ANY", "$default", "rest"),
    Route("ANY", "/v1/{proxy+}", "accounts"),
    Route("POST", "/v1/{proxy+}", "ingest"),
    Route("POST", "/v1/events", "events"),
    Route("GET", "/v1/accounts/{account_id}/{proxy+}", "view"),
    Route("GET", "/v1/accounts/{account_id}", "account"),
    Route("GET", "/v1/accounts/{account_id}/health", "health"),
    Route("GET", "/healthz", "liveness"),
]


@pytest.mark.parametrize(
    ("method", "path", "function", "parameters"),
    [
        ("POST", "/v1/events", "events", {}),
        ("POST", "/v1/events/", "ingest", {"proxy": "events/"}),
        ("PUT", "/v1/events", "accounts", {"proxy": "events"}),
        ("GET", "/v1/accounts/a", "account", {"account_id": "a"}),
        ("GET", "/v1/accounts/a/", "accounts", {"proxy": "accounts/a/"}),
        ("GET", "/v1/accounts/a/health", "health", {"account_id": "a"}),
        ("GET", "/v1/accounts/a/health/", "view", {"account_id": "a", "proxy": "health/"}),
        ("GET", "/v1/accounts/a/b/c", "view", {"account_id": "a", "proxy": "b/c"}),
        ("GET", "/v1/accounts//health", "accounts", {"proxy": "accounts//health"}),
        ("PUT", "/v1/accounts/a/crm", "accounts", {"proxy": "accounts/a/crm"}),
        ("GET", "/healthz", "liveness", {}),
        ("GET", "/healthz/", "rest", {}),
        ("POST", "/healthz", "rest", {}),
        ("GET", "/v1/", "rest", {}),
        ("GET", "/v1", "rest", {}),
        ("GET", "/", "rest", {}),
    ],
)
def test_match__path_and_method__most_specific_route(method, path, function, parameters):
    found = match(ROUTES, method, path)
    assert found is not None
    assert (found.route.function, found.parameters) == (function, parameters)


@pytest.mark.parametrize("order", [1, -1])
def test_match__literal_later_in_the_path__beats_variable_whatever_the_order(order):
    routes = [Route("GET", "/{a}/b", "second"), Route("GET", "/a/{b}", "first"), Route("GET", "/{a+}", "last")][::order]
    assert [match(routes, "GET", path).route.function for path in ("/a/b", "/x/b", "/x/y")] == [
        "first",
        "second",
        "last",
    ]


def test_match__no_route__none():
    assert match([Route("GET", "/a", "f")], "GET", "/b") is None


def test_key__written_as_the_gateway_does():
    assert [route.key for route in ROUTES[:2]] == ["$default", "ANY /v1/{proxy+}"]
