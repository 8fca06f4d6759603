"""The whole API under a custom domain that maps it to a base path."""

from __future__ import annotations

import json

import pytest

from tests.integration.security.conftest import PARAMETER
from tests.support.routes import ROUTES
from tools import ROOT
from tools.local import template
from tools.local.gateway import Gateway
from tools.local.lambdas import Lambdas
from tools.local.web import Request

pytestmark = pytest.mark.usefixtures("moto")


@pytest.fixture
def gateways():
    """The API as it is, and under a base path."""
    stack = template.read(ROOT / "template.yaml", stack="test")
    invoke = Lambdas(stack.functions, ROOT).invoke
    return [Gateway(stack.routes, None, invoke, base) for base in ("", "/scores", "/eu/scores")]


@pytest.mark.parametrize("slash", ["", "/"])
def test_every_route__under_a_base_path__answers_as_without(gateways, slash):
    for route in [*ROUTES, "GET /v1/nothing", "PUT /v1/events", "HEAD /v1/docs", "GET /nothing", "POST /healthz"]:
        method, _, path = route.replace("{file}", "page.js").partition(" ")
        target = PARAMETER.sub("acme", path) + slash
        plain, *mapped = [
            gateway.answer(Request(method, base + target, (("host", "api.example.com"),)))
            for gateway, base in zip(gateways, ("", "/scores", "/eu/scores"), strict=True)
        ]
        for answer, base in zip(mapped, ("/scores", "/eu/scores"), strict=True):
            assert (answer.status, _said(answer, base)) == (plain.status, _said(plain)), route


def test_what_is_outside_of_the_base_path__is_not_found(gateways):
    for target in ("/v1/events", "/scoresv1/events", "/other/healthz"):
        assert gateways[1].answer(Request("GET", target)).status == 404


def _said(answer, base=""):
    """The answer's body without the base path, which the configurations of browsers' clients name."""
    body = answer.body.replace(f"{base}/v1".encode(), b"/v1").replace(f"example.com{base}".encode(), b"example.com")
    if body.startswith(b"<"):
        return None  # the page names its files by their whole paths
    if body.startswith(b"{"):
        return {name: value for name, value in json.loads(body).items() if name != "request_id"}
    return body
