"""The description is that of the code as it is, and is right in itself."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from pathlib import Path

import jsonschema_rs
import pytest

from healthscore.api.events import FIELDS
from healthscore.http.router import ROUTES
from tools.openapi import __main__ as command
from tools.openapi import document, schemas, words
from tools.openapi.answers import Error
from tools.openapi.operations import Operation
from tools.openapi.schemas import UndescribedError

ROOT = Path(__file__).parents[3]
CODE = "".join(path.read_text() for room in ("shared", "functions") for path in sorted((ROOT / room).rglob("*.py")))
COMMITTED = json.loads(command.DOCUMENT.read_text(encoding="utf-8"))
OPERATIONS = [
    pytest.param(path, method, operation, id=f"{method.upper()} {path}")
    for path, methods in COMMITTED["paths"].items()
    for method, operation in methods.items()
]


def resolved(schema):
    """A schema of the document that can stand alone."""
    return {**schema, "components": COMMITTED["components"]}


@pytest.mark.parametrize("written", [command.DOCUMENT, command.PAGE], ids=["openapi.json", "docs.html"])
def test_committed__made_anew__is_the_same(written):
    anew = dict(zip((command.DOCUMENT, command.PAGE), command.generated(), strict=True))
    assert anew[written] == written.read_text(encoding="utf-8"), "the code has moved on: run `python -m tools.openapi`"


def test_document__every_route__is_there_with_its_scope_and_its_keys():
    described = {
        f"{method.upper()} {path}": (operation["x-scope"], operation["security"])
        for path, methods in COMMITTED["paths"].items()
        for method, operation in methods.items()
    }
    keys = [{"bearer": []}, {"basic": []}]
    assert described == {route: (None, []) if scope is None else (scope.value, keys) for route, scope in ROUTES.items()}


def test_document__route_without_words__is_refused_by_name(monkeypatch):
    monkeypatch.setattr(document, "ROUTES", {**ROUTES, "GET /v1/novelty": None})
    with pytest.raises(UndescribedError, match="GET /v1/novelty is in ROUTES and has no description yet"):
        document.document({})


def test_document__words_for_a_route_that_is_gone__are_refused_by_name(monkeypatch):
    monkeypatch.setattr(
        document, "ROUTES", {route: scope for route, scope in ROUTES.items() if "settings" not in route}
    )
    with pytest.raises(UndescribedError, match="GET /v1/settings, PUT /v1/settings: described"):
        document.document({})


def test_document__route_without_recorded_answer__is_refused_by_name():
    with pytest.raises(UndescribedError, match="POST /v1/events has no recorded answer yet"):
        document.document({})


def test_requests__field_without_words__is_refused_by_name(monkeypatch):
    monkeypatch.delitem(words.FIELDS, "Profile.plan")
    with pytest.raises(UndescribedError, match=r"Profile\.plan"):
        schemas.requests()


def test_requests__rule_without_json_schema__is_refused_by_name(monkeypatch):
    monkeypatch.setattr(schemas, "_RULES", {})
    with pytest.raises(UndescribedError, match="has no JSON Schema yet"):
        schemas.requests()


def test_event__its_fields__are_those_that_are_read():
    assert tuple(COMMITTED["components"]["schemas"]["Event"]["properties"]) == FIELDS


def test_errors__codes_of_the_code__are_all_described_with_their_status():
    raised = set(re.findall(r'ApiError\(\s*HTTPStatus\.(\w+),\s*"(\w+)"', CODE)) | {("BAD_REQUEST", "all_rejected")}
    # By number: Python 3.13 has other names for some.
    assert {(HTTPStatus[status], code) for status, code in raised} == {
        (fault.status, code) for code, fault in words.ERRORS.items()
    }


def test_rejections__codes_of_the_code__are_all_described():
    raised = set(re.findall(r'RefusedError\(\s*"(\w+)"', CODE)) | set(re.findall(r'return "(\w+)", f?"must', CODE))
    assert raised == words.REJECTIONS.keys()


def test_document__every_reference__leads_somewhere():
    names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(COMMITTED)))
    assert names <= COMMITTED["components"]["schemas"].keys()


@pytest.mark.parametrize("name", COMMITTED["components"]["schemas"])
def test_schema__each__is_one(name):
    jsonschema_rs.Draft202012Validator(resolved({"$ref": f"#/components/schemas/{name}"}))


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_operation__its_examples__fit_their_schemas(path, method, operation):
    contents = [*operation.get("requestBody", {"content": {}})["content"].values()]
    contents += operation["responses"]["200"]["content"].values()
    for content in contents:
        if "example" in content:
            jsonschema_rs.Draft202012Validator(resolved(content["schema"]), validate_formats=True).validate(
                content["example"]
            )
    for parameter in operation.get("parameters", ()):
        if "example" in parameter:
            jsonschema_rs.Draft202012Validator(parameter["schema"]).validate(parameter["example"])


def test_operations__their_ids__are_each_its_own():
    ids = [operation.id for operation in document.OPERATIONS.values()]
    assert len(set(ids)) == len(ids)


def test_answers__unknown_field__does_not_fit():
    schema = resolved({"$ref": "#/components/schemas/Account"})
    account = COMMITTED["paths"]["/v1/accounts/{account_id}"]["get"]["responses"]["200"]["content"]["application/json"]
    assert not jsonschema_rs.is_valid(schema, {**account["example"], "novelty": 1})


def test_path_parameter__without_example__is_refused_by_name(monkeypatch):
    route = "GET /v1/accounts/{account_id}"
    lacking = Operation("x", "Accounts", "x", "x", Error)
    monkeypatch.setattr(document, "OPERATIONS", {**document.OPERATIONS, route: lacking})
    with pytest.raises(UndescribedError, match="its path parameter account_id is not described, or has no example"):
        document.document(json.loads(command.RECORDED.read_text(encoding="utf-8")))
