"""The rules that an event has to pass, in either dialect."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from http import HTTPStatus
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from healthscore.core.identity.ids import names_nobody, normalised
from healthscore.core.model import MICROS
from healthscore.core.time import format_instant, millis
from healthscore.http.errors import ApiError, ErrorKind, shown
from healthscore.http.ids import MAX_EVENT_ID, id_fault, name_fault
from healthscore.http.plain import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from typing_extensions import TypedDict

    from healthscore.core.json_types import Count
    from healthscore.settings import Settings

    RejectionCode = Literal[
        "invalid_event",
        "unknown_field",
        "invalid_id",
        "invalid_name",
        "too_long",
        "invalid_timestamp",
        "timestamp_too_old",
        "timestamp_in_future",
        "invalid_value",
        "properties_too_large",
        "not_for_public_keys",
        "unknown_account",
        "too_many_new_accounts",
        "too_many_today",
        "no_room",
    ]

    class RejectedEvent(TypedDict):
        """One event or call that was not taken."""

        index: Count
        """Its position in the batch as sent, from 0."""
        event_id: str | None
        """Its id; null where no id was sent, or one that cannot be shown."""
        code: RejectionCode
        """Why, for programs: docs/api.md says what each of them means."""
        message: str
        """Why, for people, and what to do."""


TOO_MANY_EVENTS = ErrorKind(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "too_many_events",
    "The batch has more than 2,500 events; split it. Nothing was stored.",
)
NO_ROOM = (
    "there is no room for all of this beside what is stored of the person or the account; what fits is stored. Sent "
    "again it fails again: take something away first, or leave it out"
)
"""What rejections say whose code is `no_room`."""
MAX_EVENTS = 2_500
MAX_PROPERTIES_BYTES = 32 * 1024
MAX_VALUE = 10**12
AHEAD = timedelta(minutes=15)
"""How far a sender's clock may be ahead of the receiving one."""
_COMPACT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))
_CANONICAL = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"), sort_keys=True)


class Rejection(NamedTuple):
    """Why one event of a batch was not taken."""

    position: int
    """Position in the batch as sent, from 0."""
    event_id: str | None
    """The event's id; None where no id was sent, or one that cannot be shown."""
    code: RejectionCode
    message: str

    def to_json(self) -> RejectedEvent:
        """The rejection as it is answered."""
        return {"index": self.position, "event_id": self.event_id, "code": self.code, "message": self.message}


class RefusedError(Exception):
    """One event cannot be taken.

    Attributes:
        code: of the rejection.
        message: of the rejection.
    """

    def __init__(self, code: RejectionCode, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


class Window(NamedTuple):
    """The time from which events are accepted, both ends included; in milliseconds since the Unix epoch."""

    earliest: int
    latest: int
    now: datetime
    """The time of receipt, to the millisecond."""
    retention_days: int

    @classmethod
    def of(cls, now: datetime, settings: Settings) -> Window:
        """The window around a time of receipt, by a workspace's settings."""
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        earliest = millis(now - timedelta(days=settings.retention_days))
        return cls(earliest, millis(now + AHEAD), now, settings.retention_days)

    def check(self, at: int, what: Callable[[], str]) -> None:
        """Refuse an instant that does not lie in the window.

        Args:
            at: the instant, in milliseconds.
            what: gives the subject of a sentence about it: its field and the value sent.

        Raises:
            RefusedError: `timestamp_too_old` or `timestamp_in_future`.
        """
        if at < self.earliest:
            raise RefusedError(
                "timestamp_too_old",
                f"{what()} is more than {self.retention_days} days old, which is all that is kept; "
                "to import older events, raise retention_days in the settings first",
            )
        self._check_end(at, what)

    def check_identity(self, at: int, what: Callable[[], str]) -> None:
        """Refuse an instant after the window; what was said of people long ago still holds, back to 1970.

        Raises:
            RefusedError: `timestamp_too_old` or `timestamp_in_future`.
        """
        if at < 0:
            raise RefusedError("timestamp_too_old", f"{what()} lies before 1970; check the sender's clock")
        self._check_end(at, what)

    def _check_end(self, at: int, what: Callable[[], str]) -> None:
        if at > self.latest:
            raise RefusedError(
                "timestamp_in_future",
                f"{what()} is more than 15 minutes ahead of the time of receipt, "
                f"{format_instant(self.now)}; check the sender's clock and offset",
            )


def read_id(field: str, text: str, longest: int, placeholders: Collection[str]) -> str | None:
    """An id as it is kept: normalised; None where the text names nobody, which is the same as no id.

    Args:
        field: that holds the id, for the message.
        text: as it was sent.
        longest: the most characters that the id may have.
        placeholders: the workspace's own texts that name nobody, as `core.identity.ids.folded` writes them.

    Raises:
        RefusedError: `invalid_id` or `too_long`.
    """
    text = normalised(text)
    if names_nobody(text, placeholders):
        return None
    fault = id_fault(text, longest)
    if fault is not None:
        raise RefusedError(fault[0], f"{field} {fault[1]}")
    return text


def stands_for_nobody(field: str, text: str) -> str:
    """What is wrong with a text in the place of an id."""
    return f"{field} {shown(text)} stands for nobody"


def checked_name(field: str, name: str) -> str:
    """The name of an event as it is kept: normalised.

    Raises:
        RefusedError: `invalid_name` or `too_long`.
    """
    name = normalised(name)
    fault = name_fault(name)
    if fault is not None:
        raise RefusedError(fault[0], f"{field} {fault[1]}")
    return name


def showable_id(sent: object) -> str | None:
    """The id of an event as it was sent, where it can be shown; None where it is none or cannot."""
    if not isinstance(sent, str):
        return None
    event_id = normalised(sent)
    return event_id if id_fault(event_id, MAX_EVENT_ID) is None else None


def micros(value: object) -> int:
    """A value in whole millionths; 1 where none is sent. A float's shortest text is rounded half up to six decimals.

    Raises:
        RefusedError: `invalid_value`.
    """
    if value is None:
        return MICROS
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RefusedError("invalid_value", f"value must be a number, not {kind_of(value)}")
    if not isfinite(value) or abs(value) > MAX_VALUE:
        raise RefusedError("invalid_value", f"value must lie between -{MAX_VALUE} and {MAX_VALUE}")
    if isinstance(value, int):
        return value * MICROS
    return int((Decimal(repr(value)) * MICROS).to_integral_value(ROUND_HALF_UP))


def is_internal(properties: Mapping[str, Any] | None) -> bool:
    """Whether an event's properties say that it is of staff or of a machine, and does not count."""
    return properties is not None and properties.get("internal") is True


def properties(sent: object) -> dict[str, Any] | None:
    """An event's properties; None where there are none.

    Raises:
        RefusedError: `invalid_event` or `properties_too_large`.
    """
    if sent is None:
        return None
    if not isinstance(sent, dict):
        raise RefusedError("invalid_event", f"properties must be an object, not {kind_of(sent)}")
    try:
        size = len(_COMPACT.encode(sent).encode())
    except UnicodeEncodeError:
        raise RefusedError("invalid_event", "properties hold broken Unicode (half a surrogate pair)") from None
    except (ValueError, RecursionError):
        raise RefusedError(
            "invalid_event", "properties hold a number too large for JSON readers, or nest too deeply"
        ) from None
    if size > MAX_PROPERTIES_BYTES:
        raise RefusedError(
            "properties_too_large",
            f"properties take {size} bytes as compact JSON; at most {MAX_PROPERTIES_BYTES} are accepted",
        )
    return sent or None


def derived_id(content: Sequence[object]) -> str:
    """The id for an event sent without one: the same content gives the same id, so that resending it is harmless."""
    return "auto-" + hashlib.sha256(_CANONICAL.encode(content).encode()).hexdigest()[:32]


def too_many(count: int, what: str) -> ApiError:
    """413 `too_many_events`: a batch has more than `MAX_EVENTS` events, or calls."""
    return ApiError(
        TOO_MANY_EVENTS,
        f"The batch has {count} {what}; at most {MAX_EVENTS} are taken at once. "
        "Nothing was stored: split it and send the parts.",
    )
