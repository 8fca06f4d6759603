"""From a gateway event to an answer: finds the route, checks the key, and turns whatever happens into an answer.

The gateway sends some requests to a function that does not answer them (`POST /v1/settings` reaches the one that takes
events), and the answer must be the same everywhere: 404 for an unknown path, and 405 for a known path with another
method. A function's router knows the function's own routes; only where none of them fits it looks at those of the whole
API, which takes importing them.
"""

from __future__ import annotations

import base64
import json
import time
import traceback
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable
from urllib.parse import quote

from aws_lambda_powertools import Logger

from healthscore.http import query
from healthscore.http.api_keys import StoredKey, authorize, authorize_unread
from healthscore.http.errors import (
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    ApiError,
    internal_error,
    no_room,
    storage_unavailable,
)
from healthscore.http.paths import HOW_TO_WRITE, decode_id
from healthscore.http.request import Request
from healthscore.http.route import FileAnswer
from healthscore.metrics import embedded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from healthscore.http.route import Route


@runtime_checkable
class Passing(Protocol):
    """An exception for something that passes, such as storage being out of reach: answered 503."""

    retry_after_seconds: int


@runtime_checkable
class Full(Protocol):
    """An exception for what does not fit in beside what is stored: answered 409."""

    no_room_for: str


class Found(NamedTuple):
    """The route of a request."""

    key: str
    """Method and path by which the route was found."""
    route: Route
    params: Mapping[str, str]
    """The path's parameters, as they are written."""


class Router:
    """Answers gateway events with the functions of some routes."""

    def __init__(
        self,
        routes: Iterable[Route],
        all_routes: Callable[[], Sequence[Route]] = tuple,
        logger: Logger | None = None,
    ) -> None:
        """Take the routes that are answered here.

        Args:
            routes: those of the function.
            all_routes: gives those of the whole API; asked only where none of `routes` fits a request.
            logger: takes the line about each request.
        """
        self.routes = tuple(routes)
        self._all_routes = all_routes
        self._logger = logger or Logger()

    def handle(
        self,
        event: Mapping[str, Any],
        context: object,
        find_key: Callable[[str], StoredKey | None],
    ) -> dict[str, Any]:
        """Answer one request, whatever happens, and log one line about it: no contents, no ids of customers, no keys.

        Args:
            event: an API Gateway event of payload format 2.0.
            context: the Lambda context; its request id links the line to the lines that Lambda writes by itself.
            find_key: looks an API key up by its SHA-256 in hex.

        Returns:
            The response in payload format 2.0.
        """
        started = time.perf_counter()
        request = Request.from_event(event, context)
        self._logger.set_correlation_id(request.request_id)
        route = "unknown"
        trouble: dict[str, Any] = {}
        try:
            found = find(self.routes, request) or self._elsewhere(request)
            route = found.key
            body = self._serve(found, request, find_key)
            response = _file(body) if isinstance(body, FileAnswer) else _response(HTTPStatus.OK, body, {})
        except Exception as error:  # noqa: BLE001  (the boundary: whatever it is becomes an answer)
            answer, trouble = _as_answer(error)
            response = _response(answer.status, answer.body(request.request_id), answer.headers)
        log = self._logger.error if trouble else self._logger.info
        log(
            "request",
            extra={
                "route": route,
                "status": response["statusCode"],
                "duration_ms": round((time.perf_counter() - started) * 1000, 1),
                "correlation_id": request.request_id,
                "function_request_id": getattr(context, "aws_request_id", None),
                **trouble,
                **embedded(request.counts, context, request.received_at),
            },
        )
        return response

    def _elsewhere(self, request: Request) -> Found:
        """The route of another function; raises where the whole API has none for the request."""
        routes = (*self.routes, *self._all_routes())
        found = find(routes, request)
        if found is None:
            raise _no_route(routes, request)
        return found

    def _serve(
        self, found: Found, request: Request, find_key: Callable[[str], StoredKey | None]
    ) -> Mapping[str, Any] | FileAnswer:
        route = found.route
        if route.scope is not None:
            if route.key_in_body:
                authorize_unread(request.headers, request.body, route.scope, find_key)
                request = request._replace(parsed=request.json())
            request = request._replace(key=authorize(request.headers, route.scope, find_key, request.parsed))
        if route not in self.routes:
            if request.method == "GET" and request.event["rawPath"].endswith("/"):
                return _without_slash(request)
            raise _not_found()
        params = {name: decode_id(value) for name, value in found.params.items()}
        if route.query is not None:
            query.only(request, route.query)
        return route.function(request._replace(params=params))


def _without_slash(request: Request) -> FileAnswer:
    """The answer to a path with a slash at its end that another function answers: the gateway sends it there without.

    The gateway takes no route that ends in a slash.
    """
    query = request.event.get("rawQueryString")
    location = f"{request.base_path}{quote(request.path)}{f'?{query}' if query else ''}"
    headers = {"Location": location, "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
    return FileAnswer(HTTPStatus.PERMANENT_REDIRECT, headers, b"")


def find(routes: Iterable[Route], request: Request) -> Found | None:
    """The first route that has the method and fits the path of a request."""
    path_parts = request.path.split("/")
    for route in routes:
        for key in route.keys:
            method, _, path = key.partition(" ")
            if method == request.method:
                params = _params(path, path_parts)
                if params is not None:
                    return Found(key, route, params)
    return None


def _params(path: str, path_parts: list[str]) -> dict[str, str] | None:
    """The values of a path's parameters where it fits; None where it does not."""
    expected_parts = path.split("/")
    if len(expected_parts) != len(path_parts):
        return None
    params = {}
    for expected, path_part in zip(expected_parts, path_parts, strict=True):
        if expected.startswith("{"):
            if not path_part:
                return None
            params[expected.strip("{}")] = path_part
        elif expected != path_part:
            return None
    return params


def _no_route(routes: Iterable[Route], request: Request) -> ApiError:
    """404 where no route has the path of a request, 405 where only its method is wrong."""
    paths = [key.partition(" ")[::2] for route in routes for key in route.keys]
    path_parts = request.path.split("/")
    methods = {method for method, path in paths if _params(path, path_parts) is not None}
    if not methods:
        return _not_found(explain_ids=any(_begins_as(path, request.path) for _, path in paths))
    allowed = ", ".join(sorted(methods))
    return ApiError(
        METHOD_NOT_ALLOWED,
        f"This path does not take {request.method}; it takes {allowed}.",
        headers={"Allow": allowed},
    )


def _begins_as(path: str, requested: str) -> bool:
    """Whether a path has a parameter, and a requested path has all that stands before it."""
    start, parameter, _ = path.partition("{")
    return bool(parameter) and requested.startswith(start)


def _not_found(*, explain_ids: bool = False) -> ApiError:
    """404; it explains how an id is written where the request's path may have one."""
    hint = f" {HOW_TO_WRITE}." if explain_ids else ""
    return ApiError(NOT_FOUND, f"There is nothing under this path.{hint}")


def _as_answer(error: Exception) -> tuple[ApiError, dict[str, Any]]:
    """The answer to an exception, and what the log says of it beyond the answer: nothing where the client is at fault.

    An exception's own message may quote what a customer sent, so only its type and where it arose are logged.
    """
    if isinstance(error, ApiError):
        return error, {}
    trouble = {
        "error": type(error).__name__,
        "cause": type(error.__cause__).__name__ if error.__cause__ else None,
        "stack": [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
        ],
    }
    if isinstance(error, Passing):
        return storage_unavailable(error.retry_after_seconds), trouble
    if isinstance(error, Full):
        return no_room(error.no_room_for), trouble
    return internal_error(), trouble


def _response(status: HTTPStatus, body: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "statusCode": int(status),
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store", **headers},
        "body": json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
    }


def _file(answer: FileAnswer) -> dict[str, Any]:
    response = {"statusCode": int(answer.status), "headers": dict(answer.headers)}
    if "Content-Encoding" not in answer.headers:
        return {**response, "body": answer.body.decode()}
    return {**response, "isBase64Encoded": True, "body": base64.b64encode(answer.body).decode()}
