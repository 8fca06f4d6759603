"""What every fake service has: an HTTP server on a free port, a clock that moves only by `sleep`, and limits."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

from tools.local.web import Request, Response, Server, application

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TOO_MANY, BROKEN = 429, 500
_MAX_BODY = 10_000_000
START = datetime(2026, 11, 21, 10, tzinfo=UTC)


class VirtualClock:
    """Time that passes only by `sleep`; it has the methods of `healthscore.integrations.crm.client.Clock`."""

    def __init__(self, start: datetime = START) -> None:
        self.at = start
        self.left_at: datetime | None = None
        """When the caller has to be done; None where it has no end."""

    def now(self) -> datetime:
        """The instant, aware UTC."""
        return self.at

    def monotonic(self) -> float:
        """Seconds since `START`."""
        return (self.at - START).total_seconds()

    def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.at += timedelta(seconds=seconds)

    def left(self) -> float:
        """Seconds until `left_at`."""
        return float("inf") if self.left_at is None else (self.left_at - self.at).total_seconds()


@dataclass
class Window:
    """A limit as the service counts it: at most `calls` calls in any span of `seconds` seconds."""

    calls: int
    seconds: float
    made: deque[datetime] = field(default_factory=deque)
    most: int = 0
    """The most calls that were in one span so far."""

    def takes(self, now: datetime) -> bool:
        """Count a call; False where it is beyond the limit, and not counted."""
        while self.made and self.made[0] <= now - timedelta(seconds=self.seconds):
            self.made.popleft()
        if len(self.made) >= self.calls:
            return False
        self.made.append(now)
        self.most = max(self.most, len(self.made))
        return True


@dataclass(frozen=True)
class Call:
    """One request to a fake."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """The answer of a fake."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class FakeService:
    """A service that answers on a free port, one call at a time, inside of a `with` statement.

    Args:
        clock: its time; a virtual clock of its own where none is given.
        address: the address of this machine to bind; containers reach the loopback interface only by another one.
    """

    def __init__(self, clock: VirtualClock | None = None, *, address: str = "127.0.0.1") -> None:
        self.clock = clock or VirtualClock()
        self.token = "fake-token"
        self.calls: list[str] = []
        self.refusals = 0
        """Answers of 429 and of 500 or more."""
        self.troubles: deque[Reply] = deque()
        """Answers to the next calls, in place of the service's own."""
        self.before: Callable[[Call], Reply | None] = lambda _call: None
        """Called before `answer`; a reply takes the place of the service's own."""
        self._lock = Lock()
        self._server = Server(application(self._respond, max_body=_MAX_BODY, too_large=Response(413)), address=address)
        self.url = self._server.url

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def _respond(self, request: Request) -> Response:
        parts = urlsplit(request.target)
        headers = {name.lower(): value for name, value in request.headers}
        body = json.loads(request.body) if request.body else None
        with self._lock:
            reply = self._reply(Call(request.method, parts.path, dict(parse_qsl(parts.query)), body, headers))
            self.refusals += reply.status == TOO_MANY or reply.status >= BROKEN
        content_type = {"Content-Type": "application/json"}
        return Response(reply.status, json.dumps(reply.body).encode(), content_type | dict(reply.headers))

    def _reply(self, call: Call) -> Reply:
        self.calls.append(f"{call.method} {call.path}")
        if call.headers.get("authorization") != f"Bearer {self.token}":
            return Reply(401, {"message": "no such token"})
        if self.troubles:
            return self.troubles.popleft()
        return self.before(call) or self.answer(call)

    def answer(self, call: Call) -> Reply:
        """Answer an authorized call, as the service would."""
        raise NotImplementedError
