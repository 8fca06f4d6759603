"""The API as a stranger meets it: every route, through the gateway, to the real handlers."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from healthscore.http.api_keys import Scope, key_hash
from healthscore.storage import workspace
from healthscore.storage.client import dynamodb
from healthscore.storage.schema import accounts_table, activity_table, history_table, settings_table
from tests.support.routes import ROUTES
from tools import ROOT, keys
from tools.local import template
from tools.local.gateway import Gateway
from tools.local.lambdas import Lambdas
from tools.local.web import Request

if TYPE_CHECKING:
    from tools.local.web import Response

NOW = datetime.now(UTC)
PARAMETER = re.compile(r"\{\w+\}")
"""A part of a route that is filled in."""
TABLES = (accounts_table, activity_table, history_table, settings_table)


class Api:
    """The gateway with the functions behind it."""

    def __init__(self) -> None:
        self.stack = template.read(ROOT / "template.yaml", stack="test")
        self.lambdas = Lambdas(self.stack.functions, ROOT)
        self._gateway = Gateway(self.stack.routes, None, self.lambdas.invoke)

    def ask(self, method: str, target: str, body: object = b"", **headers: str) -> Response:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        return self._gateway.answer(Request(method, target, (("content-type", "application/json"), *named), sent))

    def call(self, route: str, *, slash: str = "", **headers: str) -> Response:
        """Call a route of `ROUTES` about the account acme, with an empty object where a body may be."""
        method, _, path = route.replace("{file}", "page.js").partition(" ")
        body = b"" if method in {"GET", "DELETE"} else b"{}"
        return self.ask(method, PARAMETER.sub("acme", path) + slash, body, **headers)


@pytest.fixture
def api(moto: None, monkeypatch: pytest.MonkeyPatch) -> Api:
    sns = boto3.client("sns")
    monkeypatch.setenv("ALERTS_TOPIC_ARN", sns.create_topic(Name="alerts")["TopicArn"])
    sns.close()
    for scope in Scope:
        keys.add(f"the-{scope}-key", scope, "test", NOW)
    keys.add("the-revoked-key", Scope.ADMIN, "test", NOW)
    workspace.revoke_key(key_hash("the-revoked-key"))
    return Api()


def everything() -> dict[str, list[Any]]:
    """All that is stored."""
    return {name(): dynamodb().scan(TableName=name())["Items"] for name in TABLES}


def public(route: str) -> bool:
    return ROUTES[route] is None
