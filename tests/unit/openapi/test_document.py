"""The description is that of the code as it is, and is right in itself."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import jsonschema_rs
import pytest
import yaml
from openapi_spec_validator import validate

from healthscore.api import docs, event_batch, fields, openapi, openapi_types
from healthscore.api.openapi_types import UndescribedError
from healthscore.api.openapi_yaml import to_yaml
from healthscore.http import errors
from healthscore.http.request import Request
from healthscore.http.route import route
from tests.support.gateway import gateway_event
from tests.support.openapi import described
from tests.support.routes import ROUTES

ROOT = Path(__file__).parents[3]
DOCUMENT = described()
REMAKE = "the code has moved on: PYTHONPATH=shared .venv/bin/python -m healthscore.api.openapi --yaml docs/openapi.yaml"
OPERATIONS = [
    pytest.param(operation, id=f"{method.upper()} {path}")
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


PLAIN = Request.from_event(gateway_event("GET", "/v1/openapi.json"))
"""A request of a client that accepts no gzip."""


def resolved(schema):
    """A schema of the document that can stand alone."""
    return {**schema, "components": DOCUMENT["components"]}


def test_yaml__generated_again__is_the_committed_one():
    assert to_yaml(openapi.document()) == (ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8"), REMAKE


def test_yaml__read__is_the_document():
    assert yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8")) == DOCUMENT


def test_document__by_the_specification__is_valid():
    validate(DOCUMENT)


def test_command__run__writes_what_the_route_answers(tmp_path):
    out = tmp_path / "openapi.json"
    command = [sys.executable, "-m", "healthscore.api.openapi", str(out)]
    subprocess.run(command, check=True, cwd=ROOT / "shared")
    assert out.read_text(encoding="utf-8") == openapi.to_json(openapi.document())


def test_get_open_api__document_of_the_build__is_answered_as_it_is(tmp_path, monkeypatch):
    built = tmp_path / "openapi.json"
    built.write_text('{"built": true}')
    monkeypatch.setattr(docs, "_BUILT", built)
    docs._document.cache_clear()
    assert docs.get_open_api(PLAIN).body == b'{"built": true}'
    docs._document.cache_clear()


def test_get_open_api__without_a_build__is_made_of_the_code(tmp_path, monkeypatch):
    monkeypatch.setattr(docs, "_BUILT", tmp_path / "openapi.json")
    docs._document.cache_clear()
    assert json.loads(docs.get_open_api(PLAIN).body) == DOCUMENT
    docs._document.cache_clear()


def test_document__every_route__is_there_with_its_scope_and_whether_it_needs_a_key():
    found = {
        f"{method.upper()} {path}": (operation["x-scope"], operation.get("security", DOCUMENT["security"]) != [])
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    }
    assert {key: (scope and scope.value, scope is not None) for key, scope in ROUTES.items() if key in found} == found
    text = json.dumps(DOCUMENT["paths"])
    assert [key for key in ROUTES if key not in found and f"`{key}`" not in text] == ["GET /v1/docs/{file}"]


def test_document__fields_of_bodies__all_have_words():
    schemas = DOCUMENT["components"]["schemas"]
    names = ("Event", "EventBatch", "Call", "CallEnvelope", "Profile", "Crm", "WorkspaceSettings", "Snooze")
    wordless = [
        f"{name}.{field}"
        for name in names
        for field, member in schemas[name]["properties"].items()
        if "description" not in member
    ]
    assert wordless == ["CallEnvelope.batch"]


def test_event__its_fields__are_those_that_are_read():
    assert set(DOCUMENT["components"]["schemas"]["Event"]["properties"]) == set(event_batch.FIELDS)


def test_errors__declared_in_the_code__are_all_of_some_route():
    code = "".join(path.read_text() for path in sorted((ROOT / "shared").rglob("*.py")))
    declared = set(re.findall(r'ErrorKind\(\s*HTTPStatus\.\w+,\s*"(\w+)"', code))
    assert set(DOCUMENT["components"]["schemas"]["Error"]["properties"]["code"]["enum"]) == declared


def test_document__every_reference__leads_somewhere():
    for kind in ("schemas", "responses", "parameters"):
        names = set(re.findall(rf'"#/components/{kind}/([\w.]+)"', json.dumps(DOCUMENT)))
        assert names == DOCUMENT["components"][kind].keys(), kind


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_schema__each__is_one(name):
    jsonschema_rs.Draft202012Validator(resolved({"$ref": f"#/components/schemas/{name}"}))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation__its_summary__is_one_line_without_a_full_stop(operation):
    assert re.fullmatch(r"[A-Z][^\n]{3,60}[^.\n]", operation["summary"])


def test_operations__their_ids__are_each_its_own():
    ids = [operation["operationId"] for methods in DOCUMENT["paths"].values() for operation in methods.values()]
    assert len(set(ids)) == len(ids)


def test_answers__unknown_field__does_not_fit():
    schema = resolved({"$ref": "#/components/schemas/Pulse"})
    assert jsonschema_rs.is_valid(schema, {"status": "ok"})
    assert not jsonschema_rs.is_valid(schema, {"status": "ok", "novelty": 1})


def declared(monkeypatch, key, doc, **declaration):
    """An API that has a further route, answered by a function of this module."""

    def get_novelty(_request): ...

    get_novelty.__doc__ = doc
    get_novelty.__module__ = "healthscore.api.docs"
    get_novelty.__annotations__ = {"return": "Pulse"}
    added = route(key, scope=None, **declaration)(get_novelty)
    monkeypatch.setattr(openapi, "all_routes", lambda: [added])


def test_document__route_without_a_description__is_refused_by_name(monkeypatch):
    declared(monkeypatch, "GET /v1/novelty", "A novelty.")
    with pytest.raises(UndescribedError, match=r"GET /v1/novelty: its function needs a docstring"):
        openapi.document()


def test_document__path_parameter_without_words__is_refused_by_name(monkeypatch):
    declared(monkeypatch, "GET /v1/novelty/{kind}", "A novelty.\n\nIt is new.")
    with pytest.raises(UndescribedError, match=r"its path parameter kind has no description yet"):
        openapi.document()


def test_document__rule_without_json_schema__is_refused_by_name(monkeypatch):
    monkeypatch.setattr(openapi_types, "_RULES", {fields.text: {}})
    with pytest.raises(UndescribedError, match="has no JSON Schema yet"):
        openapi.document()


def test_document__route_of_two_paragraphs__has_its_own_errors_beside_those_of_every_route(monkeypatch):
    declared(monkeypatch, "GET /v1/novelty", "A novelty.\n\nIt is\nnew.\n\nReally.", errors=(errors.NOT_FOUND,))
    operation = openapi.document()["paths"]["/v1/novelty"]["get"]
    assert operation["summary"] == "A novelty"
    assert operation["description"] == "It is new.\n\nReally. Needs no key."
    assert operation["responses"].keys() == {"200", "400", "404", "429", "500"}
    assert operation["security"] == []


def test_answer_of__type_under_type_checking__is_made_of_the_source():
    answer = openapi_types.answer_of(docs.get_pulse.function)
    assert answer.__name__ == "Pulse"
    assert answer is openapi_types.answer_of(docs.get_pulse.function)
    assert not hasattr(docs, "Pulse")


def test_modules__with_types_for_type_checkers__evaluate_none_of_them_when_they_are_imported():
    """A cold start must not pay for the classes that only describe answers."""
    for module in vars(sys.modules["healthscore.api"]).values():
        if isinstance(module, ModuleType) and not module.__name__.endswith("schemas"):
            classes = [node for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.ClassDef)]
            assert [one.name for one in classes if "TypedDict" in {ast.unparse(base) for base in one.bases}] == []
