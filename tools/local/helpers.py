"""The routes that only the local stack has: a welcome page, the nightly run, the messages that SNS would deliver."""

from __future__ import annotations

import html
import json
from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tools.local import aws
from tools.local.lambdas import FunctionError
from tools.local.web import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

NIGHTLY = "NightlyFunction"
"""Logical id of the function that the schedule starts."""


class Helpers:
    """Answers `GET /`, `POST /_local/nightly`, and `GET /_local/outbox` (as JSON) or `/_local/outbox.txt` (to read)."""

    def __init__(self, invoke: Callable[[str, str], str], topic_arn: str) -> None:
        """Take a way to invoke functions, and the topic that alerts are published to."""
        self._invoke = invoke
        self._topic_arn = topic_arn
        self.welcome = ""
        """The text of `GET /`."""

    def answer(self, request: Request) -> Response | None:
        """Answer a request; None for a route of the product."""
        path = request.target.partition("?")[0]
        if path == "/" and request.method == "GET":
            return self._welcome(request)
        if not path.startswith("/_local/"):
            return None
        match request.method, path.rstrip("/"):
            case "POST", "/_local/nightly":
                return self._nightly(request)
            case "GET", "/_local/outbox":
                sent = aws.messages(self._topic_arn)
                return _json(HTTPStatus.OK, {"messages": [asdict(message) for message in sent]})
            case "GET", "/_local/outbox.txt":
                return _text("\n".join(map(_to_read, aws.messages(self._topic_arn))) or "Nothing was sent yet.\n")
        reason = "There are POST /_local/nightly, GET /_local/outbox and GET /_local/outbox.txt."
        return _json(HTTPStatus.NOT_FOUND, {"success": False, "code": "not_found", "message": reason})

    def _welcome(self, request: Request) -> Response:
        if "text/html" in (request.header("accept") or ""):
            page = (
                f"<!doctype html><meta charset=utf-8><title>Healthscore</title><pre>{html.escape(self.welcome)}</pre>"
            )
            return Response(HTTPStatus.OK, page.encode(), {"content-type": "text/html; charset=utf-8"})
        return _text(self.welcome)

    def _nightly(self, request: Request) -> Response:
        event = request.body.decode(errors="replace").strip() or "{}"
        try:
            json.loads(event)
            return _json(HTTPStatus.OK, json.loads(self._invoke(NIGHTLY, event)))
        except ValueError as error:
            reason = f'The body is the event of the nightly function, such as {{"date": "2026-11-20"}}: {error}'
            return _json(HTTPStatus.BAD_REQUEST, {"success": False, "code": "invalid_json", "message": reason})
        except FunctionError as error:
            answer = {"success": False, "code": "function_error", "message": str(error)}
            return _json(HTTPStatus.INTERNAL_SERVER_ERROR, answer)


def _to_read(message: aws.Message) -> str:
    attributes = ", ".join(f"{name} {value}" for name, value in message.attributes.items())
    headers = [f"Subject: {message.subject}", f"Attributes: {attributes}", f"SMS: {message.sms}"]
    return "\n".join(["─" * 80, *headers, "", message.email])


def _text(text: str) -> Response:
    return Response(HTTPStatus.OK, text.encode(), {"content-type": "text/plain; charset=utf-8"})


def _json(status: HTTPStatus, answer: Any) -> Response:  # noqa: ANN401  (whatever JSON can say)
    body = json.dumps(answer, ensure_ascii=False, indent=2) + "\n"
    return Response(status, body.encode(), {"content-type": "application/json"})
