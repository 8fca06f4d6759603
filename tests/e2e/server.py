"""The local stack as a process of its own, on a free port, with an empty workspace."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import dynamodb_local

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINES = ("moto", "dynamodb-local")
_ROOT = Path(__file__).parents[2]
_START_SECONDS = 120
_STOP_SECONDS = 20
_READY = re.compile(r"is running at (http://\S+)")


def fastest_engine() -> str:
    """DynamoDB Local where this machine can run it, since moto takes ten times as long for all of the events."""
    return "moto" if dynamodb_local.missing_tools() else "dynamodb-local"


@contextlib.contextmanager
def running(engine: str) -> Iterator[str]:
    """Start the stack with its tables in one of `ENGINES`; yields its URL."""
    with contextlib.ExitStack() as stack:
        environment = os.environ | {"SEED": "none"}
        environment.pop("DYNAMODB_ENDPOINT", None)
        if engine == "dynamodb-local":
            environment["DYNAMODB_ENDPOINT"] = stack.enter_context(dynamodb_local.running())
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "log.txt"
        output = stack.enter_context(log.open("wb"))
        command = [sys.executable, "-m", "tools.local", "--port", "0"]
        server = stack.enter_context(
            subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        )
        try:
            yield _url(server, log)
        finally:
            server.terminate()
            try:
                server.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()


def _url(server: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if ready := _READY.search(log.read_text()):
            return ready[1]
        time.sleep(0.1)
    raise RuntimeError(f"the local stack does not start: {log.read_text()[-2000:]}")
