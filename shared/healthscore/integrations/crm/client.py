"""Calls of a CRM's JSON API: within its limits, repeated after failures, and ended before time runs out.

urllib3 makes the calls and decides what is repeated and when. botocore itself stands on it, so it costs a cold start
nothing.
"""

from __future__ import annotations

import json
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

import urllib3

from healthscore.integrations.crm.protocol import AccessError, CrmError, QuotaError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from urllib3.response import BaseHTTPResponse

TRIES = 6
"""Of a call that fails for a reason that may pass."""
_CONNECT_SECONDS, _READ_SECONDS = 3.0, 20.0
_LONGEST_WAIT = 60
_SHORTEST_WAIT = 0.001
"""Rounding can leave a wait that is shorter than a clock can measure, and that would never end."""
_RETRIED = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}

BROKEN = frozenset(_RETRIED - {HTTPStatus.TOO_MANY_REQUESTS})
"""Statuses by which a CRM says that it is out of order; it may be so about one record alone."""
REFUSED = frozenset(range(400, 500)) - {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}
"""Statuses by which a CRM refuses one call because of what the call is about, and would go on refusing it."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock that calls use; tests replace it.

    Attributes:
        now: the instant, aware UTC.
        monotonic: seconds that never go back.
        sleep: waits for a number of seconds.
        left: seconds until the caller has to be done.
    """

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    left: Callable[[], float] = lambda: float("inf")


@dataclass(slots=True)
class Limit:
    """At most `calls` calls in any span of `seconds` seconds."""

    calls: int
    seconds: float
    made: deque[float] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        """Seconds until a further call may be made; 0 if it may be made now."""
        while self.made and self.made[0] <= now - self.seconds:
            self.made.popleft()
        return 0.0 if len(self.made) < self.calls else max(self.made[0] + self.seconds - now, _SHORTEST_WAIT)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a call."""

    status: int
    body: Any
    """JSON, or None where there is none."""


class Client:
    """Calls one CRM with one token."""

    def __init__(self, base_url: str, token: str, clock: Clock | None = None) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "healthscore",
        }
        self.clock = clock or Clock()
        timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False, maxsize=1)

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        limits: Collection[Limit] = (),
        accept: Collection[int] = (),
        query: Mapping[str, str] | None = None,
        tries: int = TRIES,
    ) -> Answer:
        """Make a call and return its answer.

        Every method may be repeated: a POST is a search or a read, or writes the same values again.

        Args:
            method: GET, POST, …
            path: begins with a slash.
            body: sent as JSON where it is not None.
            limits: the limits that the call, and each repetition, counts against.
            accept: statuses from 400 on that are no errors to the caller.
            query: query parameters.
            tries: how often it is tried where it fails for a reason that may pass.

        Raises:
            QuotaError: the day's limit is used up, or waiting would take longer than there is time.
            AccessError: 401 or 403.
            CrmError: any other failure.
        """
        self._count(limits)
        try:
            response = self._pool.request(
                method,
                self._base_url + path,
                body=None if body is None else json.dumps(body, ensure_ascii=False).encode(),
                fields=None if query is None else dict(query),
                headers=self._headers,
                redirect=False,
                retries=_Retry(
                    total=tries - 1,
                    allowed_methods=None,
                    status_forcelist=_RETRIED,
                    raise_on_status=False,
                    backoff_factor=1,
                    backoff_jitter=1,
                    retry_after_max=_LONGEST_WAIT,
                    clock=self.clock,
                    wait=lambda seconds: self._wait(seconds, limits),
                ),
            )
        except urllib3.exceptions.MaxRetryError as error:
            reason = type(error.reason).__name__
            raise CrmError(f"The CRM did not answer ({reason}), {tries} times in a row.") from error
        except urllib3.exceptions.HTTPError as error:
            raise CrmError(f"The CRM's answer cannot be read ({type(error).__name__}).") from error
        if response.status < HTTPStatus.BAD_REQUEST or response.status in accept:
            return Answer(response.status, _json(response.data))
        raise _refusal(response.status)

    def _wait(self, seconds: float, limits: Collection[Limit]) -> None:
        """Wait before a call is repeated, then until the repetition fits all limits, and count it."""
        self._pause(seconds)
        self._count(limits)

    def _count(self, limits: Collection[Limit]) -> None:
        """Wait until a call fits all limits, and count it."""
        while (wait := max((limit.wait(self.clock.monotonic()) for limit in limits), default=0.0)) > 0:
            self._pause(wait)
        for limit in limits:
            limit.made.append(self.clock.monotonic())

    def _pause(self, seconds: float) -> None:
        if seconds > self.clock.left():
            raise QuotaError("The CRM asks to wait for longer than this run has time; the next one goes on.")
        self.clock.sleep(seconds)


class _Retry(urllib3.Retry):
    """urllib3's repetitions, by the client's clock; the day's limit is not waited for."""

    def __init__(self, *, clock: Clock, wait: Callable[[float], None], **options: Any) -> None:  # noqa: ANN401  (urllib3's)
        super().__init__(**options)
        self._clock, self._wait = clock, wait

    def new(self, **changed: Any) -> Self:  # noqa: ANN401  (urllib3's)
        return super().new(clock=self._clock, wait=self._wait, **changed)

    def increment(self, *arguments: Any, **options: Any) -> Self:  # noqa: ANN401  (urllib3's)
        response = options.get("response")
        if response is not None and _is_daily(_json(response.data)):
            raise QuotaError("The CRM's daily limit is used up; the sync goes on when the CRM allows it again.")
        return super().increment(*arguments, **options)

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        named = self.get_retry_after(response) if response is not None else None
        self._wait(named or self.get_backoff_time())

    def parse_retry_after(self, retry_after: str) -> float:
        try:
            until = parsedate_to_datetime(retry_after) - self._clock.now()
        except (ValueError, TypeError):  # no date, or one without a time zone
            return super().parse_retry_after(retry_after) if retry_after.isdigit() else 0.0
        # A date has whole seconds: the next one is surely past it.
        return min(max(until.total_seconds() + 1, 0.0), self.retry_after_max)


def _is_daily(body: object) -> bool:
    return isinstance(body, dict) and body.get("policyName") == "DAILY"


def _refusal(status: int) -> CrmError:
    if status == HTTPStatus.UNAUTHORIZED:
        return AccessError("The CRM refuses the token: put a valid one into the secret.")
    if status == HTTPStatus.FORBIDDEN:
        return AccessError("The token lacks a permission: docs/crm.md lists what is needed.")
    return CrmError(f"The CRM answered {status}{f', {TRIES} times in a row' if status in _RETRIED else ''}.")


def _json(data: bytes) -> Any:  # noqa: ANN401  (JSON)
    try:
        return json.loads(data) if data else None
    except (ValueError, RecursionError):
        return None
