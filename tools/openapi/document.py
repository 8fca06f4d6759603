"""Puts the OpenAPI document together."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from healthscore.http.api_keys import Scope
from healthscore.http.ids import MAX_ACCOUNT_ID
from healthscore.http.router import ROUTES
from healthscore.integrations.crm.registry import PROVIDERS
from tools.openapi import about_book, about_core, about_crm, about_segment, schemas, words
from tools.openapi.answers import Error, GatewayError
from tools.openapi.operations import TAGS, Operation
from tools.openapi.samples import curl
from tools.openapi.schemas import REFERENCE, UndescribedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OPERATIONS: Mapping[str, Operation] = {
    **about_core.OPERATIONS,
    **about_book.OPERATIONS,
    **about_segment.OPERATIONS,
    **about_crm.OPERATIONS,
}
"""Every operation that is described, by route."""

_ABOUT = """\
Customer health scores from product events: send events, read a score that explains itself.

**Keys.** Send a key as `Authorization: Bearer <key>`, or as the user name of HTTP Basic with any password. A *write* \
key sends events and can do nothing else, so it may sit in a web page; a *read* key reads accounts and scores; an \
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
_ID_IN_BASE64URL = -(-MAX_ACCOUNT_ID * 4 * 4 // 3)
"""Signs of the longest id, at four bytes of UTF-8 a character and four signs for three bytes."""
_ID_SCHEMA = {
    "type": "string",
    "pattern": rf"^([A-Za-z0-9._:@+-]{{1,{MAX_ACCOUNT_ID}}}|~[A-Za-z0-9_-]{{1,{_ID_IN_BASE64URL}}})$",
}
_PATH_PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "account_id": {"description": "The account's id, as it is written in a path.", "schema": _ID_SCHEMA},
    "user_id": {"description": "The user's id, written as an account's is.", "schema": _ID_SCHEMA},
    "alert_id": {"description": "The alert's id.", "schema": _ID_SCHEMA},
    "provider": {"description": "The CRM.", "schema": {"type": "string", "enum": list(PROVIDERS)}},
}
_ALWAYS = ("internal_error",)
_WITH_KEY = ("invalid_key", "wrong_scope", "storage_unavailable")
_WITH_PATH = ("not_found", "method_not_allowed")
"""What is answered where an id that was not written as it should be makes another path of it."""
_WITH_BODY = ("invalid_json", "body_too_large")
_GATEWAY = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE}
"""Statuses that the gateway may answer by itself as well."""
_SCOPES = {
    Scope.WRITE: "a write key",
    Scope.READ: "a read key",
    Scope.ADMIN: "an admin key",
    None: "no key",
}


def document(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """The OpenAPI document.

    Args:
        recorded: an answer of each operation, by its id.

    Raises:
        UndescribedError: the code has a route, a field or a rule that nobody has described yet.
    """
    for route in ROUTES:
        if route not in OPERATIONS:
            raise UndescribedError(
                f"{route} is in ROUTES and has no description yet: add an Operation for it in tools/openapi/about_*.py "
                "and run `python -m tools.openapi --record`."
            )
    stale = OPERATIONS.keys() - ROUTES.keys()
    if stale:
        raise UndescribedError(f"{', '.join(sorted(stale))}: described in tools/openapi, but not in ROUTES any more.")
    paths: dict[str, dict[str, Any]] = {}
    for route, operation in OPERATIONS.items():
        method, _, path = route.partition(" ")
        paths.setdefault(path, {})[method.lower()] = _operation(route, operation, recorded)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {"title": "Healthscore", "version": "1", "description": _ABOUT},
        "servers": [{"url": "/", "description": "Where this document came from."}],
        "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
                "basic": {"type": "http", "scheme": "basic", "description": "An API key as user name; any password."},
            },
            "schemas": _schemas(),
        },
    }


def _schemas() -> dict[str, Any]:
    models = {operation.answer for operation in OPERATIONS.values() if operation.answer not in (dict, str)}
    answers = schemas.answers([Error, GatewayError, *sorted(models, key=lambda model: model.__name__)])
    requests = {**schemas.requests(), **about_segment.SCHEMAS, **about_crm.schemas()}
    both = answers.keys() & requests.keys()
    if both:
        raise UndescribedError(f"{', '.join(sorted(both))} name both something sent and something answered.")
    answers["Error"]["properties"]["code"]["enum"] = list(words.ERRORS)
    answers["Rejected"]["properties"]["code"]["enum"] = list(words.REJECTIONS)
    return dict(sorted({**answers, **requests}.items()))


def _operation(route: str, operation: Operation, recorded: Mapping[str, Any]) -> dict[str, Any]:
    scope = ROUTES[route]
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": f"{operation.words}\n\nNeeds {_SCOPES[scope]}.",
        "x-scope": None if scope is None else scope.value,
        "security": [] if scope is None else [{"bearer": []}, {"basic": []}],
    }
    parameters = [*_path_parameters(route, operation), *_query_parameters(operation)]
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        media: dict[str, Any] = {"schema": _reference(operation.body)}
        if operation.example is not None:
            media["example"] = operation.example
        described["requestBody"] = {"required": True, "content": {"application/json": media}}
    described["responses"] = _responses(route, operation, recorded)
    if not operation.keyless:
        described["x-codeSamples"] = [{"lang": "Shell", "label": "curl", "source": curl(route, operation)}]
    return described


def _path_parameters(route: str, operation: Operation) -> Iterable[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", route):
        if name not in operation.path or name not in _PATH_PARAMETERS:
            raise UndescribedError(f"{route}: its path parameter {name} is not described, or has no example.")
        yield {
            "name": name,
            "in": "path",
            "required": True,
            **_PATH_PARAMETERS[name],
            "example": operation.path[name],
        }


def _query_parameters(operation: Operation) -> Iterable[dict[str, Any]]:
    for query in operation.query:
        described = {
            "name": query.name,
            "in": "query",
            "required": False,
            "description": query.words,
            "schema": dict(query.schema),
        }
        yield described if query.example is None else {**described, "example": query.example}


def _responses(route: str, operation: Operation, recorded: Mapping[str, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"schema": {"type": "object"} if operation.answer is dict else {"type": "string"}}
    if operation.keyless:
        success = {"schema": _reference(operation.answer.__name__)}
    elif operation.answer not in (dict, str):
        if operation.id not in recorded:
            raise UndescribedError(f"{route} has no recorded answer yet: run `python -m tools.openapi --record`.")
        success = {"schema": _reference(operation.answer.__name__), "example": recorded[operation.id]}
    responses: dict[str, Any] = {
        "200": {"description": operation.summary + ".", "content": {operation.content: success}}
    }
    by_status: dict[HTTPStatus, list[str]] = {}
    for code in codes(route):
        by_status.setdefault(words.ERRORS[code].status, []).append(code)
    for status, meant in sorted(by_status.items()):
        responses[str(int(status))] = _error(status, meant)
    responses["429"] = {
        "description": "More requests than the deployment takes. Wait a moment and send the same again.",
        "content": {"application/json": {"schema": _reference("GatewayError")}},
    }
    return dict(sorted(responses.items()))


def codes(route: str) -> list[str]:
    """The error codes that a route may answer."""
    operation = OPERATIONS[route]
    return list(
        dict.fromkeys(
            (
                "invalid_request",
                *operation.errors,
                *(_WITH_BODY if operation.body else ()),
                *(_WITH_KEY if ROUTES[route] else ()),
                *(_WITH_PATH if operation.path else ()),
                *_ALWAYS,
            )
        )
    )


def _error(status: HTTPStatus, meant: list[str]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "allOf": [_reference("Error"), {"type": "object", "properties": {"code": {"enum": meant}}}]
    }
    described: dict[str, Any] = {
        "description": "\n\n".join(f"`{code}`: {words.ERRORS[code].meaning}" for code in meant),
        "content": {
            "application/json": {
                "schema": {"anyOf": [schema, _reference("GatewayError")]} if status in _GATEWAY else schema
            }
        },
    }
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        described["headers"] = {
            "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
        }
    if status is HTTPStatus.UNAUTHORIZED:
        described["headers"] = {"WWW-Authenticate": {"description": "How to send a key.", "schema": {"type": "string"}}}
    return described


def _reference(name: str) -> dict[str, str]:
    return {"$ref": REFERENCE.format(model=name)}
