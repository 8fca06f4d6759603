"""A request as API Gateway hands it over (HTTP API, payload format 2.0), put into plain values."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from healthscore.core.time import from_millis, millis
from healthscore.http.body import read_json
from healthscore.http.errors import invalid_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthscore.metrics import Metric

_FIRST_MILLIS = 10**12
"""The gateway tells the time in milliseconds, `sam local` in seconds; as milliseconds this was in September 2001."""
ANSWERING_SECONDS = 1.0
"""Left over of a function's time to write the answer, and the log line that says why there was no better one."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    Attributes:
        method: upper case.
        path: percent-decoded (the gateway decodes it before it routes), without a trailing slash.
        headers: by lower-case name.
        query: percent-decoded; the gateway joins the values of a repeated name with commas.
        sent_body: the body as the gateway handed it over, perhaps in base64.
        request_id: the gateway's id of the request.
        received_at: when the gateway received it (UTC, milliseconds): what "now" is while it is answered.
        params: the path's parameters, filled by the router; an `account_id` is decoded and valid.
        parsed: the body as JSON, where the router has read it already.
        event: the gateway's event itself.
        context: the function's own context, which knows how much time is left.
        counts: what is to be counted of it; the route's function fills it, and the request's log line carries it.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    sent_body: str
    request_id: str
    received_at: datetime
    params: Mapping[str, str] = field(default_factory=dict)
    parsed: Any = field(default=None, repr=False)
    event: Mapping[str, Any] = field(default_factory=dict, repr=False)
    context: Any = field(default=None, repr=False)
    counts: dict[Metric, int] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_event(cls, event: Mapping[str, Any], context: object = None) -> Request:
        """Take apart an API Gateway event of payload format 2.0."""
        gateway = event["requestContext"]
        return cls(
            method=gateway["http"]["method"].upper(),
            path=event["rawPath"].removesuffix("/"),
            headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
            query=event.get("queryStringParameters") or {},
            sent_body=event.get("body") or "",
            request_id=gateway["requestId"],
            received_at=_received_at(gateway["timeEpoch"]),
            event=event,
            context=context,
        )

    def time_left(self) -> float:
        """Seconds until the function is stopped, less what answering takes; without limit where nobody stops it."""
        remaining = getattr(self.context, "get_remaining_time_in_millis", None)
        return float("inf") if remaining is None else remaining() / 1000 - ANSWERING_SECONDS

    @property
    def body(self) -> bytes:
        """The body as the client sent it, perhaps gzip.

        Raises:
            ApiError: 400 `invalid_request` where the gateway's base64 is none.
        """
        if not self.event.get("isBase64Encoded"):
            return self.sent_body.encode("utf-8", "surrogatepass")
        try:
            return base64.b64decode(self.sent_body, validate=True)
        except (binascii.Error, ValueError):
            raise invalid_request("The body is marked as base64 and is not.") from None

    def json(self) -> Any:  # noqa: ANN401  (any JSON value)
        """The body as JSON; see `healthscore.http.body.read_json` for what it takes and raises."""
        return read_json(self.body) if self.parsed is None else self.parsed


def _received_at(epoch: int) -> datetime:
    """The gateway's clock; this machine's under `sam local`, which tells the second of its own start instead."""
    return from_millis(epoch if epoch >= _FIRST_MILLIS else millis(datetime.now(UTC)))
