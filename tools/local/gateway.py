"""A stand-in for API Gateway: makes HTTP API events (payload 2.0) of requests, and responses of handlers' results.

It does what the gateway does to a request: the path is decoded (an encoded slash in an id makes two parts of it, a
decoded question mark ends it), bodies that are not declared to be text are in base64, repeated headers and parameters
are joined, cookies are apart, and bodies that are too long are refused.
"""

from __future__ import annotations

import base64
import json
import uuid
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from tools.local.cloudformation import ACCOUNT
from tools.local.routes import match
from tools.local.web import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tools.local.routes import Match, Route
    from tools.local.template import Cors

MAX_BODY = 10 * 1024 * 1024
"""Longest request body of an HTTP API."""
MAX_EVENT = 6 * 1024 * 1024
"""Longest event, as JSON, for a synchronous invocation of Lambda, and the longest result."""

_TEXT_TYPES = ("application/json", "application/javascript", "application/xml")


def refusal(status: HTTPStatus, message: str) -> Response:
    """An answer of the gateway itself."""
    body = json.dumps({"message": message}).encode()
    return Response(status, body, {"content-type": "application/json"})


TOO_LARGE = refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Entity Too Large")


class Gateway:
    """An HTTP API with its `$default` stage."""

    def __init__(
        self,
        routes: Sequence[Route],
        cors: Cors | None,
        invoke: Callable[[str, str], str],
        base_path: str = "",
    ) -> None:
        """Take the API's routes and a way to invoke functions.

        Args:
            routes: the routes of the template.
            cors: how to answer browsers, if at all.
            invoke: called with a function's logical id and the event as JSON; returns the result as JSON. Any exception
                is a failure of the function.
            base_path: where a custom domain maps the API, such as `/scores`.
        """
        self._routes = routes
        self._cors = cors
        self._invoke = invoke
        self._base_path = base_path

    def answer(self, request: Request) -> Response:
        """Answer a request: by the function of its route, or 404."""
        if self._cors and is_preflight(request):
            return Response(HTTPStatus.NO_CONTENT, headers=cors_headers(self._cors, request, preflight=True))
        path = decoded_path(request.target)
        mapped = path == self._base_path or path.startswith(f"{self._base_path}/")
        found = match(self._routes, request.method, path.removeprefix(self._base_path)) if mapped else None
        if found is None:
            return refusal(HTTPStatus.NOT_FOUND, "Not Found")
        event = json.dumps(to_event(request, found, datetime.now(UTC), str(uuid.uuid4())), ensure_ascii=False)
        if len(event.encode()) > MAX_EVENT:
            return TOO_LARGE
        try:
            response = to_response(self._invoke(found.route.function, event))
        except Exception:  # noqa: BLE001  (the gateway answers any failure of a function in the same way)
            return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")
        return self._with_cors(request, response) if self._cors else response

    def _with_cors(self, request: Request, response: Response) -> Response:
        assert self._cors is not None  # noqa: S101  (for the type checker)
        own = {name: value for name, value in response.headers.items() if not name.startswith("access-control-")}
        headers = {**own, **cors_headers(self._cors, request, preflight=False)}
        return Response(response.status, response.body, headers, response.cookies)


def decoded_path(target: str) -> str:
    """The path by which the gateway routes: decoded, and cut off at a question mark that was encoded."""
    return unquote(target.partition("?")[0], errors="replace").partition("?")[0]


def to_event(request: Request, found: Match, now: datetime, request_id: str) -> dict[str, Any]:
    """Make the event with which the gateway invokes a function.

    Args:
        request: the HTTP request.
        found: its route.
        now: the instant at which it arrived, aware UTC.
        request_id: the gateway's id for it.

    Returns:
        A payload of format 2.0; fields without a value are left out, as by the gateway.
    """
    headers = _headers(request)
    cookies = headers.pop("cookie", None)
    path = decoded_path(request.target)
    query = request.target.partition("?")[2]
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": found.route.key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": headers.get("host", "127.0.0.1"),
            "domainPrefix": "local",
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.client,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request_id,
            "routeKey": found.route.key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = [cookie.strip() for cookie in cookies.split(";")]
    if query:
        event["queryStringParameters"] = _joined(parse_qsl(query, keep_blank_values=True))
    if found.parameters:
        event["pathParameters"] = dict(found.parameters)
    if request.body:
        text = _as_text(request.body, headers)
        event["isBase64Encoded"] = text is None
        event["body"] = base64.b64encode(request.body).decode() if text is None else text
    return event


def to_response(result: str) -> Response:
    """Make a response of a function's result, as the gateway does.

    Args:
        result: the function's result as JSON.

    Raises:
        ValueError: the result is too long, or malformed; the gateway answers 500.
    """
    if len(result.encode()) > MAX_EVENT:
        raise ValueError("the result is longer than Lambda lets through")
    answer = json.loads(result)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        # In format 2.0, any other value is the body of a success.
        return Response(HTTPStatus.OK, result.encode(), {"content-type": "application/json"})
    body = answer.get("body") or ""
    headers = {str(name).lower(): str(value) for name, value in (answer.get("headers") or {}).items()}
    headers.setdefault("content-type", "text/plain;charset=UTF-8")
    return Response(
        status=int(answer["statusCode"]),
        body=base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode(),
        headers=headers,
        cookies=tuple(answer.get("cookies") or ()),
    )


def is_preflight(request: Request) -> bool:
    """Whether a request is a browser's preflight, which the gateway answers itself."""
    asks = request.header("origin") is not None and request.header("access-control-request-method") is not None
    return request.method == "OPTIONS" and asks


def cors_headers(cors: Cors, request: Request, *, preflight: bool) -> dict[str, str]:
    """The CORS headers of an answer; none for an origin that is not allowed."""
    origin = request.header("origin")
    if origin is None or not ({"*", origin} & set(cors.origins)):
        return {}
    headers = {"access-control-allow-origin": "*" if "*" in cors.origins else origin}
    if cors.credentials:
        headers["access-control-allow-credentials"] = "true"
    if cors.expose:
        headers["access-control-expose-headers"] = ",".join(cors.expose)
    if preflight:
        headers["access-control-allow-methods"] = ",".join(cors.methods)
        headers["access-control-allow-headers"] = ",".join(cors.headers)
        if cors.max_age is not None:
            headers["access-control-max-age"] = str(cors.max_age)
    return headers


def _headers(request: Request) -> dict[str, str]:
    own = (("x-forwarded-for", request.client), ("x-forwarded-proto", "http"))
    return _joined([(name.lower(), value) for name, value in (*request.headers, *own)])


def _joined(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _as_text(body: bytes, headers: Mapping[str, str]) -> str | None:
    """The body as text; None where the gateway sends base64: compressed, not declared to be text, or not UTF-8."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if "content-encoding" in headers or not (kind.startswith("text/") or kind in _TEXT_TYPES):
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
