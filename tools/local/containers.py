"""Requests to, and invocations of, the functions in the containers of `sam local`."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tools.local.lambdas import FunctionError
from tools.local.stack import call
from tools.local.web import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TIMEOUT_SECONDS = 120
"""A container's first answer takes seconds, and many on a busy machine."""
_PAUSE_SECONDS = 0.2


class Containers:
    """The product as `sam local start-api` runs it, and single functions as `sam local invoke` does."""

    def __init__(
        self, url: str, invocation: list[str], environment: Mapping[str, str], around: Mapping[str, str]
    ) -> None:
        """Take the URL and the command by which to reach them.

        Args:
            url: where `sam local start-api` answers.
            invocation: the command that invokes a function, up to the function's logical id.
            environment: the functions' variables.
            around: the environment of that command.
        """
        self.url = url
        self.environment = dict(environment)
        self._invocation = invocation
        self._around = dict(around)

    def wait(self, running: Callable[[], bool]) -> bool:
        """Wait until the API answers; False where `running` says that it ended."""
        while running():
            try:
                self.ask(Request("GET", "/healthz"))
            except OSError:
                time.sleep(_PAUSE_SECONDS)
            else:
                return True
        return False

    def ask(self, request: Request) -> Response:
        """Make a request of the API."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request(request.method, request.target, request.body, dict(request.headers))
            answer = connection.getresponse()
            return Response(answer.status, answer.read(), {"content-type": answer.getheader("content-type", "")})
        finally:
            connection.close()

    def call(self, method: str, path: str, key: str = "", body: object = None) -> dict[str, Any]:
        """Make a request of the API, and return the answer's JSON.

        Raises:
            CallError: the answer was not a success.
        """
        return call(self.ask, method, path, key, body)

    def invoke(self, logical_id: str, event: str) -> str:
        """Invoke a function with an event as JSON, and return its result as JSON.

        Raises:
            FunctionError: it raised, or ran out of time: the SAM CLI's own status is 0 even so.
        """
        command = [*self._invocation, logical_id, "--event", "-"]
        ended = subprocess.run(command, input=event, env=self._around, capture_output=True, text=True, check=False)  # noqa: S603
        result = ended.stdout.strip()
        try:
            answer = json.loads(result)
        except ValueError:
            raise FunctionError(ended.stderr.strip().rpartition("\n")[2] or "no answer") from None
        if isinstance(answer, dict) and "errorType" in answer:
            raise FunctionError(f"{answer['errorType']}: {answer.get('errorMessage')}")
        return result
