"""When a call of a Segment client was made, from the times and clocks that it names."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from healthscore.api.event_rules import RefusedError
from healthscore.core.time import from_millis, millis_of_number
from healthscore.http.errors import shown
from healthscore.http.plain import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

CLOCK_STEP = timedelta(minutes=15)
"""A client's clock is corrected in steps of this size.

Some seconds pass between the client's `sentAt` and the receipt, and not the same number each time. They are less than a
step, so a call that is sent again gets the same instant as the first time.
"""


_DIGITS = re.compile(r"\d+(\.\d+)?", re.ASCII)
_DATE_DIGITS = 8


def written_time(sent: Mapping[str, Any]) -> object:
    """When a call says that it was made."""
    return sent.get("timestamp") or sent.get("originalTimestamp")


def instant_of(sent: Mapping[str, Any], batch_sent_at: object, now: datetime) -> datetime:
    """When a call was made, by a corrected clock; the time of receipt where it does not say.

    Args:
        sent: the call.
        batch_sent_at: when the batch was sent, by the sender's clock.
        now: the receiving clock.

    Raises:
        RefusedError: `invalid_timestamp`.
    """
    written = written_time(sent)
    if written is None:
        return now
    if isinstance(written, bool) or not isinstance(written, str | int | float):
        raise RefusedError(
            "invalid_timestamp",
            f"timestamp must be a string such as 2026-11-21T10:00:00Z, or a number, not {kind_of(written)}",
        )
    try:
        return _time(written) + _clock_error(sent, sent.get("sentAt") or batch_sent_at, now)
    except (ValueError, OverflowError) as error:
        raise RefusedError("invalid_timestamp", f"timestamp {shown(str(written))} cannot be read: {error}") from None


def _clock_error(sent: Mapping[str, Any], sent_at: object, now: datetime) -> timedelta:
    """How far the sender's clock is behind, in steps; 0 where a server on the way has corrected it already."""
    received_at = sent.get("receivedAt")
    if received_at is not None and sent.get("timestamp"):
        return timedelta(0)
    try:
        received = now if received_at is None else _time(received_at)
        steps = 0 if sent_at is None else round((received - _time(sent_at)) / CLOCK_STEP)
    except (ValueError, OverflowError):
        return timedelta(0)
    return steps * CLOCK_STEP


def _time(written: object) -> datetime:
    """A time as ISO 8601, in UTC where it names no offset; or as a number. Cut to the millisecond."""
    if isinstance(written, bool) or not isinstance(written, str | int | float):
        raise ValueError("it must be a string or a number")  # noqa: TRY004  (one error for all that cannot be read)
    if not isinstance(written, str):
        return from_millis(millis_of_number(written))
    text = written.strip()
    if _DIGITS.fullmatch(text) and len(text) != _DATE_DIGITS:
        return from_millis(millis_of_number(text))
    try:
        at = datetime.fromisoformat(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("it must be ISO 8601, such as 2026-11-21T10:00:00Z, or a number") from None
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
