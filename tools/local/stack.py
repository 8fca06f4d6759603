"""The local stack: gateway, functions and embedded AWS put together as template.yaml says."""

from __future__ import annotations

import json
import os
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from healthscore import process
from healthscore.http.api_keys import Scope
from tools import ROOT, keys
from tools.local import aws, template
from tools.local.environment import environment
from tools.local.gateway import MAX_BODY, TOO_LARGE, Gateway
from tools.local.helpers import Helpers
from tools.local.lambdas import Lambdas
from tools.local.queues import Queues
from tools.local.web import Request, Response, Server, application

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS = {f"local-{scope}": scope for scope in Scope}
"""The API keys of every local stack. Only this machine reaches the stack, so they need not be secret."""
KEPT = ROOT / ".cache" / "buckets"
"""Where the objects of buckets are from one start to the next, with a DynamoDB that keeps its tables."""


class CallError(RuntimeError):
    """A call of the API was answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def call(
    ask: Callable[[Request], Response], method: str, path: str, key: str = "", body: object = None
) -> dict[str, Any]:
    """Make a request of the API by a function that answers requests, and return the answer's JSON.

    Raises:
        CallError: the answer was not a success.
    """
    headers = (("authorization", f"Bearer {key}"), ("content-type", "application/json"))
    sent = b"" if body is None else json.dumps(body).encode()
    response = ask(Request(method, path, headers, sent))
    if response.status >= 400:  # noqa: PLR2004  (HTTP's errors)
        raise CallError(response.status, f"{method} {path} was answered {response.status}: {response.body.decode()}")
    answer: dict[str, Any] = json.loads(response.body)
    return answer


class LocalStack:
    """The whole product on a port of the loopback interface.

    It binds its port at once, and fails before any other work where the port is taken; requests wait until `serve`.
    While it runs, it changes the environment of the process: a process can run one local stack at a time.

    >>> with LocalStack(port=3000) as stack:
    ...     stack.serve()
    """

    def __init__(
        self,
        port: int,
        *,
        dynamodb_endpoint: str | None = None,
        log_level: str = "WARN",
        base_path: str = "",
        report: Callable[[str], None] = print,
    ) -> None:
        """Bind the port (0: any free one) and read the template.

        Args:
            port: where to answer.
            dynamodb_endpoint: another DynamoDB than the embedded one, such as DynamoDB Local.
            log_level: the lowest level that the functions log.
            base_path: where a custom domain maps the API, such as `/scores`.
            report: called with a line for every request that came over the port.

        Raises:
            OSError: the port is in use.
            ValueError: the template uses something that the local stack does not know.
        """
        parameters = {"AllowedOrigins": "*", "LogLevel": log_level, "MessagesPerSecond": "300"}
        self._stack = template.read(ROOT / "template.yaml", stack="healthscore-local", parameters=parameters)
        self._lambdas = Lambdas(self._stack.functions, ROOT)
        self._gateway = Gateway(self._stack.routes, self._stack.cors, self._lambdas.invoke, base_path)
        self._helpers = Helpers(self._lambdas.invoke, self._lambdas.environment["ALERTS_TOPIC_ARN"])
        self._extras: list[Callable[[Request], Response | None]] = []
        self._dynamodb_endpoint = dynamodb_endpoint
        self._report = report
        self._server = Server(application(self._answer, max_body=MAX_BODY, too_large=TOO_LARGE), port)
        self.url = self._server.url

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.callback(self._server.stop)
            endpoint = undo.enter_context(aws.running())
            before = dict(os.environ)
            undo.callback(_set_environment, before)
            _set_environment(environment(before, endpoint, self._dynamodb_endpoint) | self._lambdas.environment)
            aws.create_tables(self._stack.tables)
            if self._dynamodb_endpoint is None:
                undo.callback(aws.delete_tables, self._stack.tables)
            aws.create_topics(self._stack.topics.values())
            undo.callback(aws.clear)
            aws.create_queues(self._stack.takers)
            self._queues = Queues(self._stack.takers, self._lambdas.invoke)
            undo.callback(self._queues.close)
            undo.enter_context(aws.buckets(self._stack.buckets, KEPT if self._dynamodb_endpoint else None))
            for key, scope in KEYS.items():
                keys.add(key, scope, "local stack", datetime.now(UTC))
            undo.callback(self._server.stop)  # before the tables that its last requests need are deleted
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._undo.close()

    def serve(self, welcome: str = "") -> None:
        """Begin to answer requests.

        Args:
            welcome: what `GET /` answers.
        """
        self._helpers.welcome = welcome
        self._server.start()

    def call(self, method: str, path: str, key: str = "", body: object = None) -> dict[str, Any]:
        """Make a request of the API without going over the port.

        Returns:
            The answer's JSON.

        Raises:
            CallError: the answer was not a success.
        """
        return call(self._route, method, path, key, body)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the functions."""
        return self._lambdas.environment

    def invoke(self, logical_id: str, event: str) -> str:
        """Invoke a function with an event as JSON, and return its result as JSON.

        Raises:
            FunctionError: it raised.
        """
        return self._lambdas.invoke(logical_id, event)

    def ask(self, request: Request) -> Response:
        """Answer a request that did not come over the port."""
        return self._route(request)

    def extend(self, answer: Callable[[Request], Response | None]) -> None:
        """Add a function that is asked before the product, and returns None for requests that it does not know."""
        self._extras.append(answer)

    def _route(self, request: Request) -> Response:
        for extra in self._extras:
            if (answered := extra(request)) is not None:
                return answered
        if (helped := self._helpers.answer(request)) is not None:
            return helped
        answered = self._gateway.answer(request)
        self._queues.deliver()
        return answered

    def _answer(self, request: Request) -> Response:
        started = time.perf_counter()
        response = self._route(request)
        took = (time.perf_counter() - started) * 1000
        self._report(f"{datetime.now():%H:%M:%S}  {response.status}  {request.method} {request.target}  {took:.0f} ms")  # noqa: DTZ005  (the reader's own clock)
        return response


def _set_environment(environment: dict[str, str]) -> None:
    """Change to another environment, and drop clients and caches of the one before."""
    os.environ.clear()
    os.environ.update(environment)
    process.forget()
