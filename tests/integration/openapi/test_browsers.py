"""A browser may call the API from a page that the deployment allows, with what the clients of browsers send."""

from __future__ import annotations

import urllib.request

import pytest

from tests.support.routes import ROUTES
from tools import ROOT
from tools.local import template

TIMEOUT_SECONDS = 60
WRITING = ["/v1/events", "/v1/batch", "/v1/t"]
ORIGIN = "https://app.example.com"


@pytest.mark.parametrize("path", WRITING)
def test_preflight__of_a_browser_client__allows_what_it_will_send(stack, path):
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-retry-count",
    }
    request = urllib.request.Request(stack.url + path, headers=asked, method="OPTIONS")
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] in {"*", ORIGIN}
        allowed = {name.strip() for name in response.headers["Access-Control-Allow-Headers"].split(",")}
        assert allowed >= {"authorization", "content-type", "x-retry-count"}
        assert "POST" in response.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("path", WRITING)
def test_call__of_a_browser_client__may_be_read_by_its_page(stack, path):
    headers = {"Origin": ORIGIN, "Authorization": "Bearer local-write", "Content-Type": "text/plain"}
    body = b'{"events": []}' if path == "/v1/events" else b'{"batch": [], "userId": "u", "event": "e"}'
    request = urllib.request.Request(stack.url + path, body, headers, method="POST")
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
        assert response.headers["Access-Control-Allow-Origin"] in {"*", ORIGIN}


def test_template__origins_by_parameter__none_unless_named_and_every_method_of_the_api():
    named = template.read(
        ROOT / "template.yaml", stack="x", parameters={"AllowedOrigins": f"{ORIGIN},https://b.example"}
    )
    assert named.cors.origins == (ORIGIN, "https://b.example")
    assert {route.partition(" ")[0] for route in ROUTES} <= set(named.cors.methods)
    assert not named.cors.credentials
    assert template.read(ROOT / "template.yaml", stack="x").cors is None
