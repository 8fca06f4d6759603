"""When a call of a Segment client was made, from the times and clocks that it names.

A time stands as it is written, however late it arrives. It is corrected only where the client's clock is surely wrong:
where the client says that it sent the call more than 15 minutes after the call was received.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from healthscore.api.event_rules import AHEAD, RefusedError
from healthscore.core.time import format_instant, from_millis, millis, millis_of_number
from healthscore.http.errors import shown
from healthscore.http.plain import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_AHEAD = AHEAD // timedelta(milliseconds=1)
_DIGITS = re.compile(r"\d+(\.\d+)?", re.ASCII)
_DATE_DIGITS = 8


class SendingTime(NamedTuple):
    """When a call or a batch was sent, by the sender's clock."""

    at: int
    """Milliseconds since the Unix epoch."""
    value: object
    """As it was sent."""


class CallTime(NamedTuple):
    """When a call was made; times are in milliseconds since the Unix epoch."""

    at: int
    said: int | None
    """What the call itself says of its time, the same in every delivery; None where it says nothing."""
    field: str
    """The member that says it; `sentAt` where none does."""
    value: object
    """What that member holds."""
    sent_at: SendingTime | None = None
    """The time of sending by which `at` was put right; None where it stands as it is written."""
    corrected: bool = False
    """Whether `at` was corrected by the time of receipt."""
    timeless: bool = False
    """Whether `at` is the time of receipt, since the call does not say when it was made."""

    @property
    def provisional(self) -> bool:
        """Whether another delivery of the same call may give another time."""
        return self.corrected or self.timeless

    def what(self) -> str:
        """The subject of a sentence about this time: the field, its value, and that it was corrected where it was."""
        written = f"{self.field} {shown(str(self.value))}"
        if self.sent_at is None:
            return written
        sent_at = shown(str(self.sent_at.value))
        return f"{written}, corrected to {_instant(self.at)} since sentAt {sent_at} is ahead of the receipt,"


def sending_time(sent: Mapping[str, Any]) -> SendingTime | None:
    """When a call or a batch was sent, by the sender's clock; None where it does not say so in a form that is known."""
    value = sent.get("sentAt")
    at = _readable(value)
    return None if at is None else SendingTime(at, value)


def time_of(sent: Mapping[str, Any], batch_sent_at: SendingTime | None, now: datetime) -> CallTime:
    """When a call was made.

    Args:
        sent: the call.
        batch_sent_at: when its batch was sent, which holds for a call that does not say otherwise.
        now: the receiving clock.

    Raises:
        RefusedError: `invalid_timestamp`. Clocks (`sentAt`, `receivedAt`) that cannot be read are no reason.
    """
    received = millis(now)
    sent_at, relayed = sending_time(sent) or batch_sent_at, _readable(sent.get("receivedAt"))
    if relayed is not None and relayed > received + _AHEAD:
        relayed = None
    field = next((name for name in ("timestamp", "originalTimestamp") if not _blank(sent.get(name))), None)
    if field is None:
        if relayed is not None:
            return CallTime(relayed, relayed, "receivedAt", sent["receivedAt"])
        at, value = (None, None) if sent_at is None else sent_at
        return CallTime(received, at, "sentAt", value, timeless=True)
    value = sent[field]
    written = _written(field, value)
    if relayed is not None:
        received = relayed
    put_right = relayed is not None and field == "timestamp"  # by the server on the way
    if put_right or sent_at is None or sent_at.at <= received + _AHEAD:
        return CallTime(written, written, field, value)
    return CallTime(written + received - sent_at.at, written, field, value, sent_at, corrected=relayed is None)


def _written(field: str, value: object) -> int:
    try:
        return _read(value)
    except TypeError:
        raise RefusedError(
            "invalid_timestamp",
            f"{field} must be a string such as 2026-11-21T10:00:00Z, or a number, not {kind_of(value)}",
        ) from None
    except ValueError as error:
        raise RefusedError("invalid_timestamp", f"{field} {shown(str(value))} cannot be read: {error}") from None


def _readable(value: object) -> int | None:
    """A time; None where it is none."""
    try:
        return _read(value)
    except (TypeError, ValueError):
        return None


def _read(value: object) -> int:
    """A time as ISO 8601, in UTC where it names no offset; or as a number. Cut to the millisecond."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError
    if not isinstance(value, str):
        return millis_of_number(value)
    text = value.strip()
    if _DIGITS.fullmatch(text) and len(text) != _DATE_DIGITS:
        return millis_of_number(text)
    try:
        at = datetime.fromisoformat(text)
        return millis(at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC))
    except (ValueError, OverflowError):
        raise ValueError("it must be ISO 8601, such as 2026-11-21T10:00:00Z, or a number") from None


def _blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _instant(at: int) -> str:
    try:
        return format_instant(from_millis(at))
    except OverflowError:
        return "a time that no calendar has"
