"""A small HTTP/1.1 server: hands whole requests to a function and writes its answers.

Python's own server does the talking. Connections are kept alive, since the embedded AWS is called thousands of times
while the demo workspace is written, and stopping closes them all, so that nothing is left behind.
"""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, as it came over the wire."""

    method: str
    target: str
    """Path and query as sent, still percent-encoded."""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    client: str = "127.0.0.1"

    def header(self, name: str) -> str | None:
        """The first header of that name, whatever its capitals."""
        return next((value for key, value in self.headers if key.lower() == name), None)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    """Values of `Set-Cookie`, the one header that may not be joined."""


class TooLargeError(Exception):
    """The request's body is longer than the server reads."""


class Server:
    """A server on the loopback interface, running in threads of its own until it is stopped."""

    def __init__(
        self,
        port: int,
        answer: Callable[[Request], Response],
        *,
        max_body: int,
        too_large: Response,
    ) -> None:
        """Bind the port (0: any free one).

        Args:
            port: the TCP port.
            answer: called for every request, in that connection's thread.
            max_body: longer bodies are read off the wire, dropped and answered with `too_large`.
            too_large: that answer.

        Raises:
            OSError: the port is in use.
        """
        self._http = _HttpServer(port)
        self._http.answer, self._http.max_body, self._http.too_large = answer, max_body, too_large
        self.port = self._http.server_port
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, name=f"port-{self.port}")

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being answered, close every connection and the port."""
        if self._thread.ident is not None:
            self._http.shutdown()
            self._thread.join()
        self._http.close_connections()
        self._http.server_close()


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close waits for them
    request_queue_size = 128
    answer: Callable[[Request], Response]
    max_body: int
    too_large: Response

    def __init__(self, port: int) -> None:
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__(("127.0.0.1", port), _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  (the base class's own)
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401  (the base class's own)
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Let no connection wait for a further request; one that is being answered gets its answer."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet an answer
    server: _HttpServer

    def handle(self) -> None:
        # A client that hangs up in the middle is its own affair.
        with contextlib.suppress(ConnectionError):
            super().handle()

    def handle_expect_100(self) -> bool:
        sent = super().handle_expect_100()
        self.wfile.flush()
        return sent

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def version_string(self) -> str:
        return "healthscore-local"

    def log_message(self, *_: object) -> None:
        """Say nothing: who answers also reports."""

    def _answer(self) -> None:
        try:
            body = self._body()
        except TooLargeError:
            self._send(self.server.too_large)
            return
        except ValueError:
            self.close_connection = True
            self._send(Response(HTTPStatus.BAD_REQUEST))
            return
        headers = tuple((name, value) for name, value in self.headers.items())
        self._send(self.server.answer(Request(self.command, self.path, headers, body, self.client_address[0])))

    def _body(self) -> bytes:
        """The whole body, read to its end, so that the connection can be used again."""
        pieces: list[bytes] = []
        length = 0
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        for piece in self._chunks() if chunked else self._pieces(int(self.headers.get("Content-Length", "0"))):
            length += len(piece)
            if length <= self.server.max_body:
                pieces.append(piece)
        if length > self.server.max_body:
            raise TooLargeError
        return b"".join(pieces)

    def _pieces(self, length: int) -> Iterator[bytes]:
        while length > 0:
            piece = self.rfile.read(min(_CHUNK, length))
            if not piece:
                raise ConnectionResetError
            length -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield from self._pieces(size)
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        for cookie in response.cookies:
            self.send_header("Set-Cookie", cookie)
        empty = response.status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
        if not empty:
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD" and not empty:
            self.wfile.write(response.body)
        self.wfile.flush()
