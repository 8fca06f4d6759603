"""DynamoDB Local: AWS's own engine, which comes inside an npm package and runs on Java."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
import urllib.request
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError

from tests.support import npm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = "dynamodb-local"
TOOLS = ("java", "npm")
PACKAGE = "amplify-dynamodb-simulator@2.9.30"
_START_SECONDS = 60


def missing_tools() -> list[str]:
    """What it takes and this machine lacks."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Install it where it is not there yet, start it in memory on a free port, and give its endpoint."""
    home = npm.installed(FOLDER, PACKAGE)
    emulator = home / "node_modules" / "amplify-dynamodb-simulator" / "emulator"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["java", "-Xmx512m", "-Djava.library.path=DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar"]
    command += ["-inMemory", "-disableTelemetry", "-port", str(port)]
    log = home / f"log-{port}.txt"
    with log.open("wb") as output, subprocess.Popen(command, cwd=emulator, stdout=output, stderr=output) as server:
        try:
            _wait_for(f"http://127.0.0.1:{port}", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            log.unlink()


def _wait_for(endpoint: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(endpoint, timeout=1).close()
        except HTTPError as answer:  # it asks for a signed request: it is there
            answer.close()
            return
        except (URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"DynamoDB Local does not answer: {log.read_text()[-2000:]}")
