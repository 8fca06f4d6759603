"""The running product behind a listener that counts what clients send, and that can answer in its place."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.support import node_packages
from tools import ROOT
from tools.local.web import Request, Response, Server, application

PROGRAMS = ROOT / "tests" / "integration" / "clients" / "programs"
TIMEOUT_SECONDS = 120


class Product:
    """The local stack, without data, in a process of its own."""

    def __init__(self) -> None:
        clean = {name: value for name, value in os.environ.items() if name not in ("DYNAMODB_ENDPOINT", "LOG_LEVEL")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.local", "--port", "0"],
            cwd=ROOT,
            env=clean | {"SEED": "none"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        screen = ""
        while "Press Ctrl-C" not in screen:
            line = self._process.stdout.readline()
            assert line, screen
            screen += line
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)", screen).group(1))

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=TIMEOUT_SECONDS)

    def answer(self, request: Request) -> Response:
        """Pass a request on, as it came."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        connection.request(request.method, request.target, request.body, dict(request.headers))
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return Response(answer.status, body, {"Content-Type": "application/json"})

    def ask(self, method: str, path: str, key: str, body: object) -> tuple[int, Any]:
        """Make a request of the API; answers the status and the answer's JSON."""
        headers = (("Authorization", f"Bearer {key}"), ("Content-Type", "application/json"))
        answer = self.answer(Request(method, path, headers, json.dumps(body).encode()))
        return answer.status, json.loads(answer.body)

    def events_of(self, account_id: str) -> int:
        """How many events the score of an account is made from."""
        headers = (("Authorization", "Bearer local-read"),)
        answer = self.answer(Request("GET", f"/v1/accounts/{account_id}/health", headers))
        assert answer.status == 200, answer.body
        return json.loads(answer.body)["components"]["activity"]["facts"]["events"]


class Listener:
    """Stands between clients and the product."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self.answers: list[Response] = []
        """What is answered to the next requests in the product's place."""
        self.requests: list[Request] = []
        self.statuses: list[int] = []
        self._server = Server(application(self._answer, max_body=10_000_000, too_large=Response(413)))
        self.url = self._server.url
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def _answer(self, request: Request) -> Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else self._product.answer(request)
        self.statuses.append(answer.status)
        return answer

    def sent(self) -> Counter[str]:
        """How often the id of each track call arrived."""
        return Counter(
            call["messageId"] for request in self.requests for call in calls_of(request) if call["type"] == "track"
        )


def calls_of(request: Request) -> list[dict[str, Any]]:
    """The calls of a batch."""
    body = gzip.decompress(request.body) if request.body.startswith(b"\x1f\x8b") else request.body
    calls: list[dict[str, Any]] = json.loads(body)["batch"]
    return calls


class Client:
    """A program that sends events by the client of some vendor."""

    def __init__(self, program: str, compression: str) -> None:
        self.world = uuid4().hex[:8]
        """What the ids of its people and accounts begin with."""
        self._program = PROGRAMS / program
        self._compression = compression

    def run(self, host: str, count: int, *, key: str = "local-write", ending: str = "flush") -> int | None:
        """Send track calls `m-0` to `m-<count - 1>` a second apart, of another person and account for every 200.

        A group call says where each person belongs, in the middle of what that person does.

        Returns:
            How many calls the client reports as failed; None where it was to crash half-way, and did.
        """
        runtime = sys.executable if self._program.suffix == ".py" else "node"
        environment = os.environ.copy()
        if runtime == "node":
            environment["NODE_PATH"] = str(node_packages.home() / "node_modules")
        start = (datetime.now(UTC) - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
        arguments = [host, key, str(count), start.isoformat(), self._compression, self.world, ending]
        command = [runtime, str(self._program), *arguments]
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
        if ending == "crash":
            assert ended.returncode in (9, -signal.SIGKILL), ended.stderr
            return None
        assert ended.returncode == 0, ended.stderr
        return int(ended.stdout.split()[-1])
