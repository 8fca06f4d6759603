"""HTTP on a port of this machine, for everything local: werkzeug's server, started and stopped.

Werkzeug speaks the protocol and runs a thread for each connection, which it closes after one answer. What it lacks is
here: an error in place of the end of the process where a port is taken, and a stop that waits for no idle connection.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Self

from werkzeug import wrappers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from _typeshed.wsgi import WSGIApplication


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
        """The first header of that name, given in lower case, whatever its capitals in the request."""
        return next((value for key, value in self.headers if key.lower() == name), None)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    """Values of `Set-Cookie`, the one header that may not be joined."""


class Server:
    """Serves a WSGI application in threads of its own, from `start` to `stop`."""

    def __init__(self, application: WSGIApplication, port: int = 0, *, address: str = "127.0.0.1") -> None:
        """Bind the port; connections wait until `start`.

        Args:
            application: called for every request, in a thread of its own.
            port: the TCP port; 0 for any free one.
            address: the address of this machine to bind.

        Raises:
            OSError: the port is in use.
        """
        # Werkzeug would announce itself and every request.
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        # Werkzeug ends the process where it cannot bind the port, so it gets one that is bound.
        with socket.create_server((address, port), backlog=128) as bound:
            self._http = _HttpServer(address, port, application, _Connection, fd=bound.fileno())
        self.port: int = self._http.port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, name=f"port-{self.port}")

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being answered, and close every connection and the port. May be called again."""
        if self._thread.ident is not None:
            self._http.shutdown()
            self._http.close_connections()
            self._thread.join()
        self._http.server_close()


def application(answer: Callable[[Request], Response], *, max_body: int, too_large: Response) -> WSGIApplication:
    """Make a WSGI application, for `Server`, of a function from requests to responses.

    Args:
        answer: the function; called by several threads at once.
        max_body: longer bodies are read off the wire, dropped and answered with `too_large`.
        too_large: that answer.
    """

    @wrappers.Request.application
    def serve(given: wrappers.Request) -> wrappers.Response:
        given.max_content_length = max_body + 1  # where werkzeug cuts a body in chunks off, and says nothing
        try:
            body = given.get_data(cache=False)
        except RequestEntityTooLarge:
            return _Answer.of(too_large)
        if len(body) > max_body:
            return _Answer.of(too_large)
        target, headers = given.environ["RAW_URI"], tuple(given.headers.items())
        return _Answer.of(answer(Request(given.method, target, headers, body, given.remote_addr or "")))

    return serve


class _Answer(wrappers.Response):
    default_mimetype = None  # an answer without a content type is sent without one

    @classmethod
    def of(cls, response: Response) -> Self:
        headers = [*response.headers.items(), *(("Set-Cookie", cookie) for cookie in response.cookies)]
        return cls(response.body, response.status, headers)


class _HttpServer(ThreadedWSGIServer):
    daemon_threads = False  # so that server_close waits for them

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  (the base class's own)
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__(*arguments, **options)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  (the base class's own)
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401  (the base class's own)
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Let no connection wait for a request, as a browser's spare ones do; requests that came are answered."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)


class _Connection(WSGIRequestHandler):
    disable_nagle_algorithm = True  # the head of an answer and its body are two packets

    def handle_expect_100(self) -> bool:
        """Send nothing: werkzeug itself tells the client to continue, and twice would be once too often."""
        return True
