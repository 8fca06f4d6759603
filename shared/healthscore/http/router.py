"""From a gateway event to an answer: which route, may it, what came of it.

Every function of the API shares the table of all routes: the gateway sends some requests to a function that only knows
what its neighbours do (`POST /v1/settings` reaches the one that takes events), and the answer must be the same
everywhere, 404 for an unknown path and 405 for a known path with another method.
"""

from __future__ import annotations

import json
import time
import traceback
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from aws_lambda_powertools import Logger

from healthscore.http.api_keys import Scope, StoredKey, authorize
from healthscore.http.errors import ApiError, internal_error, storage_unavailable
from healthscore.http.paths import HOW_TO_WRITE, decode_id
from healthscore.http.published import PublishedFile
from healthscore.http.request import Request
from healthscore.metrics import embedded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Handler = Callable[[Request], Mapping[str, Any] | PublishedFile]

TRACKING: Mapping[str, str | None] = {
    "batch": None,
    "b": None,
    "import": None,
    "track": "track",
    "t": "track",
    "page": "page",
    "p": "page",
    "screen": "screen",
    "s": "screen",
    "identify": "identify",
    "i": "identify",
    "group": "group",
    "g": "group",
    "alias": "alias",
    "a": "alias",
}
"""Routes of the Segment dialect, and the kind of call that each takes; None where the calls say it themselves."""
_TRACKING_ROUTES = [f"POST /v1/{name}" for name in TRACKING]
ROUTES: Mapping[str, Scope | None] = {
    "GET /healthz": None,
    "POST /v1/events": Scope.WRITE,
    **dict.fromkeys(_TRACKING_ROUTES, Scope.WRITE),
    "GET /v1/accounts": Scope.READ,
    "GET /v1/summary": Scope.READ,
    "GET /v1/alerts": Scope.READ,
    "POST /v1/alerts/{alert_id}/acknowledge": Scope.ADMIN,
    "POST /v1/alerts/{alert_id}/snooze": Scope.ADMIN,
    "GET /v1/accounts/{account_id}": Scope.READ,
    "PUT /v1/accounts/{account_id}": Scope.ADMIN,
    "PATCH /v1/accounts/{account_id}": Scope.ADMIN,
    "DELETE /v1/accounts/{account_id}": Scope.ADMIN,
    "DELETE /v1/accounts/{account_id}/users/{user_id}": Scope.ADMIN,
    "PUT /v1/accounts/{account_id}/crm": Scope.ADMIN,
    "GET /v1/accounts/{account_id}/health": Scope.READ,
    "GET /v1/accounts/{account_id}/history": Scope.READ,
    "GET /v1/accounts/{account_id}/alerts": Scope.READ,
    "GET /v1/crm": Scope.ADMIN,
    "GET /v1/crm/unmatched": Scope.ADMIN,
    "PUT /v1/crm/{provider}": Scope.ADMIN,
    "DELETE /v1/crm/{provider}": Scope.ADMIN,
    "POST /v1/crm/{provider}/webhook": None,
    "GET /v1/settings": Scope.ADMIN,
    "PUT /v1/settings": Scope.ADMIN,
    "GET /v1/openapi.json": None,
    "GET /v1/docs": None,
}
"""Every route of the API and the scope it needs; None needs no key."""


@runtime_checkable
class Passing(Protocol):
    """An exception for something that passes, such as storage being out of reach: answered 503."""

    retry_after_seconds: int


class Router:
    """Answers gateway events with the functions registered for their routes.

    >>> router = Router()
    >>> @router.route("GET /healthz")
    ... def healthz(request: Request) -> dict[str, str]:
    ...     return {"status": "ok"}
    """

    def __init__(self, logger: Logger | None = None) -> None:
        self._logger = logger or Logger()
        self._handlers: dict[str, Handler] = {}

    def route(self, key: str) -> Callable[[Handler], Handler]:
        """Register a function for a route of `ROUTES`, written as there.

        The function takes a `Request` and returns the JSON object, or the file, that is answered with status 200; any
        other answer it raises as `ApiError`.
        """
        if key not in ROUTES:
            raise ValueError(f"{key} is not in ROUTES")

        def register(handler: Handler) -> Handler:
            self._handlers[key] = handler
            return handler

        return register

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
            route, params = _match(request)
            body = self._serve(route, replace(request, params=params), find_key)
            response = _file(body) if isinstance(body, PublishedFile) else _response(HTTPStatus.OK, body, {})
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

    def _serve(
        self, route: str, request: Request, find_key: Callable[[str], StoredKey | None]
    ) -> Mapping[str, Any] | PublishedFile:
        needed = ROUTES[route]
        if route in _TRACKING_ROUTES:  # whose clients may put the key into the body
            request = replace(request, parsed=request.json())
        if needed is not None:
            authorize(request.headers, needed, find_key, request.parsed)
        if route not in self._handlers:
            raise _not_found(request.path)
        params = {name: decode_id(value) for name, value in request.params.items()}
        return self._handlers[route](replace(request, params=params))


def _match(request: Request) -> tuple[str, dict[str, str]]:
    segments = request.path.split("/")
    methods: dict[str, tuple[str, dict[str, str]]] = {}
    for route in ROUTES:
        method, _, template = route.partition(" ")
        params = _params(template.split("/"), segments)
        if params is not None:
            methods[method] = route, params
    if not methods:
        raise _not_found(request.path)
    if request.method not in methods:
        allowed = ", ".join(sorted(methods))
        raise ApiError(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "method_not_allowed",
            f"This path does not take {request.method}; it takes {allowed}.",
            headers={"Allow": allowed},
        )
    return methods[request.method]


def _params(template: list[str], segments: list[str]) -> dict[str, str] | None:
    if len(template) != len(segments):
        return None
    params = {}
    for expected, segment in zip(template, segments, strict=True):
        if expected.startswith("{"):
            if not segment:
                return None
            params[expected.strip("{}")] = segment
        elif expected != segment:
            return None
    return params


def _not_found(path: str) -> ApiError:
    hint = f" {HOW_TO_WRITE}." if path.startswith("/v1/accounts/") else ""
    return ApiError(HTTPStatus.NOT_FOUND, "not_found", f"There is nothing under this path.{hint}")


def _as_answer(error: Exception) -> tuple[ApiError, dict[str, Any]]:
    """The answer to an exception, and what the log says of it beyond the answer: nothing where all is in order.

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
    return internal_error(), trouble


def _response(status: HTTPStatus, body: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "statusCode": int(status),
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store", **headers},
        "body": json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
    }


def _file(published: PublishedFile) -> dict[str, Any]:
    return {
        "statusCode": int(HTTPStatus.OK),
        "headers": {
            "Content-Type": published.content_type,
            "Cache-Control": "public, max-age=300",
            "X-Content-Type-Options": "nosniff",
        },
        "body": published.text,
    }
