"""The API's description as an OpenAPI document, made of the routes and of the types that they answer and take.

python -m healthscore.api.openapi OUT.json                    the document that GET /v1/openapi.json answers
python -m healthscore.api.openapi --yaml docs/openapi.yaml    the same in YAML, for people who review a change

Only the build and a checkout import this module, no function that is deployed.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthscore.api.openapi_types import REFERENCE, UndescribedError, answer_of, json_schemas
from healthscore.api.resources import all_routes
from healthscore.http import errors
from healthscore.http.api_keys import Scope
from healthscore.http.ids import MAX_ACCOUNT_ID
from healthscore.http.route import FileAnswer
from healthscore.integrations.crm.registry import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from healthscore.http.errors import ErrorKind
    from healthscore.http.route import Route

_ABOUT = """\
Customer health scores from product events: send events, read a score that explains itself.

**Keys.** Send a key as `Authorization: Bearer <key>`, or as the user name of HTTP Basic with any password. A *write* \
key sends events and calls, and reads nothing, so it may sit in a web page; a *read* key reads accounts and scores; an \
*admin* key does everything. A revoked key stops working within a minute, a new one works at once.

**Ids in paths.** An account id made only of `A-Z a-z 0-9 . _ - : @ +` stands in a path as it is. Any other, and the \
ids `.` and `..`, is written `~` followed by its UTF-8 in base64url without padding: `aws/chalice` is \
`~YXdzL2NoYWxpY2U`. Accounts in answers come with their `path`.

**Bodies** are JSON in UTF-8, plain or gzip, up to 5 MiB after inflating, whatever their headers say. **Times** are \
RFC 3339 with an offset and are answered in UTC; days are days of the workspace's time zone. Paths mean the same with \
and without a trailing slash. A query parameter that a route does not know is refused.

**Errors** have a `code` for programs and a `message` for people. The gateway itself may answer `{"message": "…"}`: \
429 above the request rate of the deployment, 413 above 10 MB, 503 where a function does not answer in time.
"""
TAGS = {
    "Events": "Send what your product's users do, each event exactly once.",
    "Segment clients": (
        "The Segment HTTP tracking API: unmodified Segment and RudderStack clients work with only host and key "
        "changed. `Content-Type` is ignored, the key may also be `writeKey` in the body, and a call that is at fault "
        "is in `rejected`, while the answer's status stays 200."
    ),
    "Scores": "The live score of an account, explained, and its nights.",
    "Early warning": "Whether an account's use weakens, since when, why, and what to do.",
    "Accounts": "What is known about accounts.",
    "Alerts": "What changed, night by night.",
    "Dataset": "Every account and night, in open files.",
    "CRM": "Connected CRMs, and what became of their companies.",
    "Workspace": "What holds for the whole workspace.",
    "About the API": "Its pulse and its description.",
}
"""Groups of operations, in the order in which they are shown; the module of a resource names its own."""
_ID_IN_BASE64URL = -(-MAX_ACCOUNT_ID * 4 * 4 // 3)
"""Characters of the longest id, at four bytes of UTF-8 a character and four characters for three bytes."""
_ID = {
    "type": "string",
    "pattern": rf"^([A-Za-z0-9._:@+-]{{1,{MAX_ACCOUNT_ID}}}|~[A-Za-z0-9_-]{{1,{_ID_IN_BASE64URL}}})$",
}
_PATH_PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "account_id": {"description": "The account's id, as it is written in a path.", "schema": _ID, "example": "acme"},
    "user_id": {"description": "The user's id, written as an account's is.", "schema": _ID, "example": "u-17"},
    "alert_id": {"description": "The alert's id.", "schema": _ID},
    "write_key": {"description": "The key with which the client was set up.", "schema": {"type": "string"}},
    "part": {"description": "The number of the part, from 0.", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    "provider": {"description": "The CRM.", "schema": {"type": "string", "enum": list(PROVIDERS)}},
}
_WITH_KEY = (errors.INVALID_KEY, errors.WRONG_SCOPE, errors.STORAGE_UNAVAILABLE)
_WRITING = (errors.NO_ROOM,)
"""Of routes that change what is stored."""
_WITH_PATH = (errors.NOT_FOUND, errors.METHOD_NOT_ALLOWED)
"""What is answered where an id that was not written as it should be makes another path of it."""
_WITH_BODY = (errors.INVALID_JSON, errors.BODY_TOO_LARGE)
_GATEWAY = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
}
"""Statuses that the gateway may answer by itself as well."""
_WAIT = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}}
_HEADERS: Mapping[HTTPStatus, Mapping[str, Any]] = {
    HTTPStatus.SERVICE_UNAVAILABLE: _WAIT,
    HTTPStatus.TOO_MANY_REQUESTS: _WAIT,
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": {"description": "How to send a key.", "schema": {"type": "string"}}},
}
_NEEDS = {
    Scope.WRITE: "a write or server key",
    Scope.READ: "a read key",
    Scope.WORK: "a work key",
    Scope.ADMIN: "an admin key",
    None: "no key",
}
_KEYS: Sequence[Mapping[str, Sequence[str]]] = [{"bearer": []}, {"basic": []}]


def document() -> dict[str, Any]:
    """The OpenAPI document.

    Raises:
        UndescribedError: a route, a parameter or a rule lacks a part of its description; the message says which.
    """
    routes = [route for route in all_routes() if route.described]
    schemas, definitions = json_schemas(_answers(routes), _bodies(routes))
    kinds = sorted({kind for route in routes for kind in error_kinds(route)}, key=lambda kind: kind.code)
    responses = {
        "gateway": {
            "description": "More requests than the deployment takes. Wait a moment and send the same again.",
            "content": _json(_reference("GatewayError")),
        }
    }
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        method, _, path = route.keys[0].partition(" ")
        paths.setdefault(path, {})[method.lower()] = _operation(route, schemas)
        for kinds_of_status in _by_status(route).values():
            responses[_response_name(kinds_of_status)] = _error_response(kinds_of_status)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Healthscore", "version": "1", "description": _ABOUT},
        "servers": [{"url": "/", "description": "Where this document came from."}],
        "security": _KEYS,
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
                "basic": {"type": "http", "scheme": "basic", "description": "An API key as user name; any password."},
            },
            "parameters": {
                name: {"name": name, "in": "path", "required": True, **parameter}
                for name, parameter in _PATH_PARAMETERS.items()
            },
            "responses": dict(sorted(responses.items())),
            "schemas": {**definitions, **_error_schemas([kind.code for kind in kinds])},
        },
    }


def error_kinds(route: Route) -> tuple[ErrorKind, ...]:
    """Every error that a route may answer: its own, and those of every route like it."""
    return tuple(
        dict.fromkeys(
            (
                errors.INVALID_REQUEST,
                *route.errors,
                *(_WITH_BODY if route.body else ()),
                *(_WITH_KEY if route.scope else ()),
                *(_WRITING if route.scope and not route.keys[0].startswith("GET ") else ()),
                *(_WITH_PATH if "{" in route.keys[0] else ()),
                errors.INTERNAL_ERROR,
            )
        )
    )


def _answers(routes: Iterable[Route]) -> dict[str, Any]:
    answers = {_name(route): answer_of(route.function) for route in routes}
    return {name: answer for name, answer in answers.items() if answer is not FileAnswer}


def _bodies(routes: Iterable[Route]) -> dict[str, Any]:
    """The types of the bodies, by what the routes call them."""
    bodies = {}
    for body in sorted({route.body for route in routes if route.body}):
        module, _, name = body.partition(".")
        bodies[body] = getattr(import_module(f"{__package__}.{module}"), name)
    return bodies


def _name(route: Route) -> str:
    """The name of an operation, as generated clients use it: `getHealth` for `get_health`."""
    first, *others = route.function.__name__.split("_")
    return first + "".join(word.title() for word in others)


def _operation(route: Route, schemas: Mapping[str, Any]) -> dict[str, Any]:
    module = sys.modules[route.function.__module__]
    summary, _, description = (inspect.getdoc(route.function) or "").partition("\n\n")
    if not description or not hasattr(module, "TAG"):
        raise UndescribedError(
            f"{route.keys[0]}: its function needs a docstring of a summary and a description, and its module a TAG."
        )
    paragraphs = [" ".join(paragraph.split()) for paragraph in description.split("\n\n")]
    others = [f"`{key}`" for key in route.keys[1:]]
    if others:
        paragraphs[-1] += f" {' and '.join(others)} {'does' if len(others) == 1 else 'do'} the same."
    paragraphs[-1] += f" Needs {_NEEDS[route.scope]}."
    operation: dict[str, Any] = {
        "operationId": _name(route),
        "tags": [module.TAG],
        "summary": " ".join(summary.split()).removesuffix("."),
        "description": "\n\n".join(paragraphs),
        "x-scope": None if route.scope is None else route.scope.value,
    }
    if route.scope is None:
        operation["security"] = []
    parameters = [*_path_parameters(route), *_query_parameters(route)]
    if parameters:
        operation["parameters"] = parameters
    if route.body:
        operation["requestBody"] = {"required": True, "content": _json(schemas[route.body])}
    operation["responses"] = {
        "200": {"description": summary, "content": _success(route, schemas)},
        **({} if route.elsewhere is None else {"303": _elsewhere(route.elsewhere, route.file)}),
        "429": {"$ref": "#/components/responses/gateway"},
        **{
            str(int(status)): {"$ref": f"#/components/responses/{_response_name(kinds)}"}
            for status, kinds in _by_status(route).items()
        },
    }
    operation["responses"] = dict(sorted(operation["responses"].items()))
    return operation


def _success(route: Route, schemas: Mapping[str, Any]) -> dict[str, Any]:
    if _name(route) in schemas:
        file = {} if route.file is None else {route.file: {"schema": {"type": "string"}}}
        return {**_json(schemas[_name(route)]), **file}
    if route.keys[0].startswith("GET /v1/docs"):
        return {"text/html; charset=utf-8": {"schema": {"type": "string"}}}
    return _json({"type": "object"})


def _elsewhere(description: str, file: str | None) -> dict[str, Any]:
    location = {"schema": {"type": "string", "format": "uri"}, "description": "Where it is."}
    return {"description": description, "headers": {"Location": location}, "content": {file: {}} if file else {}}


def _path_parameters(route: Route) -> Iterable[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", route.keys[0]):
        if name not in _PATH_PARAMETERS:
            raise UndescribedError(
                f"{route.keys[0]}: its path parameter {name} has no description yet: add it to _PATH_PARAMETERS in "
                f"{__name__}."
            )
        yield {"$ref": f"#/components/parameters/{name}"}


def _query_parameters(route: Route) -> Iterable[dict[str, Any]]:
    for parameter in route.query or ():
        yield {
            "name": parameter.name,
            "in": "query",
            "description": parameter.description,
            "schema": dict(parameter.schema),
            # Each member of an object is a parameter of its own.
            **({"style": "form", "explode": True} if parameter.schema.get("type") == "object" else {}),
        }


def _by_status(route: Route) -> dict[HTTPStatus, list[ErrorKind]]:
    by_status: dict[HTTPStatus, list[ErrorKind]] = {}
    for kind in error_kinds(route):
        by_status.setdefault(kind.status, []).append(kind)
    return by_status


def _response_name(kinds: Sequence[ErrorKind]) -> str:
    return ".".join(kind.code for kind in kinds)


def _error_response(kinds: Sequence[ErrorKind]) -> dict[str, Any]:
    status = kinds[0].status
    error = {"allOf": [_reference("Error"), {"properties": {"code": {"enum": [kind.code for kind in kinds]}}}]}
    response: dict[str, Any] = {
        "description": "\n\n".join(f"`{kind.code}`: {kind.meaning}" for kind in kinds),
        "content": _json({"anyOf": [error, _reference("GatewayError")]} if status in _GATEWAY else error),
    }
    if status in _HEADERS:
        response["headers"] = _HEADERS[status]
    return response


def _error_schemas(codes: Sequence[str]) -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "Error": {
            "type": "object",
            "description": "An error. `code` is for programs and does not change; `message` is for people.",
            "properties": {
                "success": {"const": False},
                "code": {"type": "string", "enum": list(codes)},
                "message": text,
                "request_id": {"type": "string", "description": "The log has the request under it."},
                "fields": {
                    "type": "array",
                    "description": "With `invalid_request`: every fault of the body.",
                    "items": {
                        "type": "object",
                        "properties": {"field": text, "message": text},
                        "required": ["field", "message"],
                        "additionalProperties": False,
                    },
                },
                "rejected": {
                    "type": "array",
                    "description": "With `all_rejected`: why, one by one.",
                    "items": _reference("RejectedEvent"),
                },
            },
            "required": ["success", "code", "message", "request_id"],
            "additionalProperties": False,
        },
        "GatewayError": {
            "type": "object",
            "description": "What the gateway answers by itself, before or instead of the product.",
            "properties": {"message": text},
            "required": ["message"],
            "additionalProperties": False,
        },
    }


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": REFERENCE.format(model=name)}


def to_json(described: Mapping[str, Any]) -> str:
    """The document as it is answered."""
    return json.dumps(described, ensure_ascii=False, separators=(",", ":"))


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m healthscore.api.openapi", description="Describe the API.")
    parser.add_argument("out", type=Path, help="the file to write")
    parser.add_argument("--yaml", action="store_true", help="write YAML instead of JSON")
    options = parser.parse_args()
    text = to_json(document())
    if options.yaml:
        from healthscore.api.openapi_yaml import to_yaml  # noqa: PLC0415  (PyYAML is there in a checkout only)

        text = to_yaml(document())
    options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
