"""A package index on a port of its own (PEP 503), and packages to put into it."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NEWER = "9999.0"


def wheel(name: str, version: str, requires: tuple[str, ...] = ()) -> tuple[str, bytes]:
    """Make a small package.

    Returns:
        Its file's name, and the file.
    """
    module = name.replace("-", "_")
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    info = f"{module}-{version}.dist-info"
    files = {
        f"{module}.py": f'VERSION = "{version}"\n',
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,{len(text)}\n" for path, text in files.items()) + f"{info}/RECORD,,\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)
    return f"{module}-{version}-py3-none-any.whl", packed.getvalue()


def locked(files: Mapping[str, bytes]) -> str:
    """Write the lock of some packages' files."""
    lines = []
    for file, content in files.items():
        name, version, *_ = file.split("-")
        lines.append(
            f"{name.replace('_', '-')}=={version} \\\n    --hash=sha256:{hashlib.sha256(content).hexdigest()}\n"
        )
    return "".join(lines)


def newer(names: list[str]) -> dict[str, bytes]:
    """Make a release of each project that no lock can know of, and that nobody could install."""
    return dict(wheel(name, NEWER, ("no-such-project-anywhere==1",)) for name in names)


class Index:
    """What is offered; `open` is cleared to keep downloads waiting."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.open = Event()
        self.open.set()
        self.asked = Event()
        self.url = ""

    def page(self, project: str) -> bytes | None:
        """List a project's files."""
        links = [
            f'<a href="/files/{file}#sha256={hashlib.sha256(content).hexdigest()}">{file}</a><br>'
            for file, content in self.files.items()
            if re.sub(r"[-_.]+", "-", file.split("-")[0]).lower() == project
        ]
        return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode() if links else None

    def file(self, name: str) -> bytes | None:
        """Give a file, when it may be given."""
        self.asked.set()
        self.open.wait(timeout=60)
        return self.files.get(name)


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Index]:
    """Serve an index on the loopback interface."""
    index = Index(files)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place, _, name = self.path.strip("/").partition("/")
            body = index.page(name) if place == "simple" else index.file(name)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", "text/html" if place == "simple" else "application/octet-stream")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.handle_error = lambda *_arguments: None  # as for a client that is killed
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        index.url = f"http://127.0.0.1:{server.server_port}/simple"
        try:
            yield index
        finally:
            index.open.set()
            server.shutdown()
            thread.join()
