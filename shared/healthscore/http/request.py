"""A request as API Gateway passes it on (HTTP API, payload format 2.0), in plain values."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

from healthscore.core.time import from_millis, millis
from healthscore.http.api_keys import Scope
from healthscore.http.base_path import base_path
from healthscore.http.body import read_json
from healthscore.http.errors import invalid_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthscore.http.api_keys import StoredKey
    from healthscore.metrics import Metric

_FIRST_MILLIS = 10**12
"""The gateway gives the time in milliseconds, `sam local` in seconds; as milliseconds this was in September 2001."""
ANSWERING_SECONDS = 1.0
"""Seconds of a function's time that are kept for the answer and its log line."""


class Request(NamedTuple):
    """One HTTP request."""

    method: str
    """Upper case."""
    path: str
    """Percent-decoded (the gateway decodes it before it routes), without a base path and without a trailing slash."""
    headers: Mapping[str, str]
    """By lower-case name."""
    query: Mapping[str, str]
    """Percent-decoded; the gateway joins the values of a repeated name with commas."""
    sent_body: str
    """The body as the gateway passed it on, perhaps in base64."""
    request_id: str
    """The gateway's id of the request."""
    received_at: datetime
    """When the gateway received it (UTC, milliseconds): what "now" is while it is answered."""
    event: Mapping[str, Any]
    """The gateway's event itself."""
    context: Any
    """The function's own context, which knows how much time is left."""
    counts: dict[Metric, int]
    """What is to be counted of it: the route's function fills it, and the request's log line carries it."""
    base_path: str = ""
    """What stood before the path: where a custom domain maps the API."""
    params: Mapping[str, str] = MappingProxyType({})
    """The path's parameters, decoded and valid; the router fills them."""
    parsed: Any = None
    """The body as JSON, where the router has read it already."""
    key: StoredKey | None = None
    """The API key that let the request pass; None where the route asks for none."""

    def __repr__(self) -> str:
        """The method and the path's length: whatever else there is may be a customer's, or a key."""
        return f"Request({self.method}, {len(self.path)} characters)"

    @classmethod
    def from_event(cls, event: Mapping[str, Any], context: object = None) -> Request:
        """Take apart an API Gateway event of payload format 2.0."""
        gateway, base = event["requestContext"], base_path(event)
        return cls(
            method=gateway["http"]["method"].upper(),
            path=event["rawPath"].removesuffix("/").removeprefix(base),
            headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
            query=event.get("queryStringParameters") or {},
            sent_body=event.get("body") or "",
            request_id=gateway["requestId"],
            received_at=_received_at(gateway["timeEpoch"]),
            event=event,
            context=context,
            counts={},
            base_path=base,
        )

    def values_of(self, name: str) -> list[str]:
        """The values of a query parameter that may be repeated, percent-decoded, in their order."""
        sent = parse_qsl(self.event.get("rawQueryString") or "", keep_blank_values=True)
        return [value for key, value in sent if key == name]

    @property
    def has_public_key(self) -> bool:
        """Whether a stranger may have sent it: its key may be public."""
        return self.key is not None and self.key.scope == Scope.WRITE

    def time_left(self) -> float:
        """Seconds until the function is stopped, less what answering takes; infinite where nothing stops it."""
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
    """The gateway's clock; this machine's under `sam local`, which gives the second of its own start instead."""
    return from_millis(epoch if epoch >= _FIRST_MILLIS else millis(datetime.now(UTC)))
