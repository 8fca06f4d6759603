"""docs/development.md as it is followed in Docker: its commands, and `make sam-local` as it starts it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from tools import ROOT

NEEDS_DOCKER = pytest.mark.skipif(
    os.environ.get("REQUIRE_DOCKER") != "1", reason="needs Docker and some minutes: make sam-local-check"
)
TIMEOUT_SECONDS = 300
PAGE = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## The built functions in Docker\n")[2].partition("\n## ")[0]
PLAIN, _, WITH_CRM = SECTION.partition("\n### With a CRM\n")
INVOKE = ".cache/sam/bin/sam local invoke "


def commands_of(text: str) -> list[str]:
    """The commands that a part of the page shows, in their order."""
    commands: list[str] = []
    for block in re.findall(r"```sh\n(.*?)```", text.partition("\n### What is around")[0], re.DOTALL):
        commands += block.splitlines() if block.startswith(INVOKE) else [block.strip()]
    return commands


class Running:
    """`make sam-local` as the page starts it, on two ports that are free."""

    def __init__(self, command: str, log) -> None:
        self.port = two_free_ports()
        self.log = log
        environment = os.environ | {"PORT": str(self.port)}
        # A shell starts in the background what does not hear interrupts, and so would everything that is started here.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with log.open("w") as out:
            # A group of its own, to be interrupted as by Ctrl-C.
            self._process = subprocess.Popen(
                ["bash", "-c", command], cwd=ROOT, env=environment, stdout=out, stderr=out, start_new_session=True
            )

    def wait_for(self, line: str) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while line not in self.log.read_text():
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.2)

    def stop(self) -> int:
        os.killpg(self._process.pid, signal.SIGINT)
        return self._process.wait(TIMEOUT_SECONDS)

    def follow(self, command: str) -> str:
        """Run a command of the page, and give what it prints."""
        own = command.replace("127.0.0.1:3000", f"127.0.0.1:{self.port}")
        own = own.replace("127.0.0.1:3001", f"127.0.0.1:{self.port + 1}")
        # As a newcomer's shell: the tests' own endpoint would win over the one that the template names.
        shell = {name: value for name, value in os.environ.items() if name != "AWS_ENDPOINT_URL"}
        ended = subprocess.run(
            ["bash", "-c", own],
            cwd=ROOT,
            env=shell,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert ended.returncode == 0, (own, ended.stderr)
        return ended.stdout

    def invoke(self, command: str) -> dict:
        """What a function gave; the SAM CLI's status tells nothing."""
        result = json.loads(self.follow(command))
        assert "errorType" not in result, (command, result)
        return result

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        try:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, names)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def health(self, account_id: str) -> dict:
        status, body = self.request("GET", f"/v1/accounts/{account_id}/health", Authorization="Bearer local-read")
        assert status == 200, body
        return json.loads(body)

    def events_of(self, account_id: str) -> int:
        return self.health(account_id)["components"]["activity"]["facts"]["events"]


def two_free_ports() -> int:
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def containers() -> set[str]:
    listed = subprocess.run(["docker", "ps", "--quiet", "--all"], capture_output=True, text=True, check=True)
    return set(listed.stdout.split())
