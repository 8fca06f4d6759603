"""Answers held against the API's own description."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from healthscore.api import openapi
from healthscore.api.resources import all_routes

if TYPE_CHECKING:
    from collections.abc import Mapping

_ERROR = {"$ref": "#/components/schemas/Error"}


@cache
def described() -> dict[str, Any]:
    """The document, as any reader of JSON gets it."""
    document: dict[str, Any] = json.loads(openapi.to_json(openapi.document()))
    return document


def responses(key: str) -> dict[str, Any]:
    """What a route is described to answer, by status; a route's other names are described with its first."""
    (first,) = (route.keys[0] for route in all_routes() if key in route.keys)
    method, _, path = first.partition(" ")
    return {
        status: _followed(response)
        for status, response in described()["paths"][path][method.lower()]["responses"].items()
    }


def _followed(response: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in response:
        return response
    found: dict[str, Any] = described()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return found


def check_answer(key: str | None, status: int, headers: Mapping[str, str], text: str) -> None:
    """Hold an answer against what the document says of its route.

    Args:
        key: one of a route's `keys`; None where the path or its method is not known.
        status: of the answer.
        headers: of the answer, by lower-case name.
        text: the answer's body.

    Raises:
        AssertionError: the status, the content type or the body is not as described.
    """
    if key is None:
        content = {"application/json": {"schema": _ERROR}}
    else:
        assert str(status) in responses(key), f"{key} is not described to answer {status}: {text[:500]}"
        response = responses(key)[str(status)]
        content = response["content"]
        missing = {name for name in response.get("headers", {}) if name.lower() not in headers}
        assert not missing, f"{key}, {status}: no header {missing}"
    kind = headers["content-type"]
    assert kind in content, f"{key}, {status}: {kind} is not described"
    if kind == "application/json":
        faults = [
            f"{fault.instance_path}: {fault.message}" for fault in _validator(key, status).iter_errors(json.loads(text))
        ]
        assert not faults, f"{key}, {status}, is not as described: {faults[:3]}"


@cache
def _validator(key: str | None, status: int) -> Any:
    schema = _ERROR if key is None else responses(key)[str(status)]["content"]["application/json"]["schema"]
    return jsonschema_rs.Draft202012Validator(
        {**schema, "components": described()["components"]}, validate_formats=True
    )
