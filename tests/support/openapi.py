"""Answers held against the API's own description."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from tools.openapi.__main__ import DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Mapping

_ERROR = {"$ref": "#/components/schemas/Error"}


@cache
def committed() -> dict[str, Any]:
    """The committed document."""
    document: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return document


def check_answer(route: str | None, status: int, headers: Mapping[str, str], text: str) -> None:
    """Hold an answer against what the document says of its route.

    Args:
        route: as in `ROUTES`; None where the path or its method is not known.
        status: of the answer.
        headers: of the answer, by lower-case name.
        text: the answer's body.

    Raises:
        AssertionError: the status, the content type or the body is not as described.
    """
    if route is None:
        content = {"application/json": {"schema": _ERROR}}
    else:
        method, _, path = route.partition(" ")
        responses = committed()["paths"][path][method.lower()]["responses"]
        assert str(status) in responses, f"{route} is not described to answer {status}: {text[:500]}"
        content = responses[str(status)]["content"]
        missing = {name for name in responses[str(status)].get("headers", {}) if name.lower() not in headers}
        assert not missing, f"{route}, {status}: no header {missing}"
    kind = headers["content-type"]
    assert kind in content, f"{route}, {status}: {kind} is not described"
    if kind == "application/json":
        faults = [
            f"{fault.instance_path}: {fault.message}"
            for fault in _validator(route, status).iter_errors(json.loads(text))
        ]
        assert not faults, f"{route}, {status}, is not as described: {faults[:3]}"


@cache
def _validator(route: str | None, status: int) -> Any:
    schema = _ERROR
    if route is not None:
        method, _, path = route.partition(" ")
        response = committed()["paths"][path][method.lower()]["responses"][str(status)]
        schema = response["content"]["application/json"]["schema"]
    return jsonschema_rs.Draft202012Validator(
        {**schema, "components": committed()["components"]}, validate_formats=True
    )
