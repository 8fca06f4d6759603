"""The wire format of `POST /v1/events`: a batch in, valid events and reasoned rejections out.

Written by hand rather than with a schema library: a batch has up to 2,500 events, importing the library would cost
every cold start more than all of this file's work, and each fault must become one code and one sentence.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from healthscore.api.event_rules import (
    MAX_EVENTS,
    RefusedError,
    Rejection,
    Window,
    checked_name,
    derived_id,
    is_internal,
    micros,
    read_id,
    showable_id,
    stands_for_nobody,
    too_many,
)
from healthscore.api.event_rules import properties as checked_properties
from healthscore.api.public_keys import ALL_RIGHTS, Rights
from healthscore.core.model import Event
from healthscore.core.time import from_millis, millis, millis_of_number, parse_instant
from healthscore.http.body import read_json
from healthscore.http.errors import ApiError, ErrorKind, invalid_request, shown
from healthscore.http.ids import MAX_ACCOUNT_ID, MAX_EVENT_ID, MAX_USER_ID
from healthscore.http.plain import kind_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from healthscore.settings import Settings

ALL_REJECTED = ErrorKind(
    HTTPStatus.BAD_REQUEST,
    "all_rejected",
    "Not one event of the batch could be taken; `rejected` lists why. Nothing was stored.",
)
FIELDS = (
    "event_id",
    "account_id",
    "name",
    "timestamp",
    "user_id",
    "anonymous_id",
    "session_id",
    "value",
    "properties",
)
_FIELDS = frozenset(FIELDS)


class ParsedBatch(NamedTuple):
    """A parsed batch: every event sent is either in `events` or in `rejected`, in the order sent."""

    events: list[tuple[int, Event]]
    """Position in the batch as sent, and the event."""
    rejected: list[Rejection]


def parse_batch(body: bytes, now: datetime, settings: Settings, rights: Rights = ALL_RIGHTS) -> ParsedBatch:
    """Read the body of `POST /v1/events`.

    Args:
        body: the bytes as sent, plain or gzip: `{"events": [...]}`, with up to `MAX_EVENTS` events.
        now: the receiving clock, aware; timestamps are accepted from `retention_days` before it to 15 minutes after it,
            both included.
        settings: the workspace's settings.
        rights: what the sender's key may send.

    Returns:
        The valid events and the rejections. A bad event rejects itself, never its neighbours.

    Raises:
        ApiError: nothing of the batch can be taken: 400 `invalid_json`, 400 `invalid_request` (it is no such object),
            413 `body_too_large`, 413 `too_many_events`, or 400 `all_rejected` with the rejections.
    """
    sent = _events_of(read_json(body))
    window, placeholders = Window.of(now, settings), settings.identity.folded_placeholders
    batch = ParsedBatch([], [])
    for index, event in enumerate(sent):
        try:
            read = _read_event(event, window, placeholders)
            rights.check_account(read.account_id)
            batch.events.append((index, read))
        except RefusedError as refused:
            event_id = showable_id(event.get("event_id")) if isinstance(event, dict) else None
            batch.rejected.append(Rejection(index, event_id, refused.code, refused.message))
    if batch.rejected and not batch.events:
        raise all_rejected(batch.rejected)
    return batch


def all_rejected(rejected: Iterable[Rejection]) -> ApiError:
    """400: not one event of a batch could be taken."""
    return ApiError(
        ALL_REJECTED,
        "Every event of the batch was rejected; see `rejected` for the reason of each. Nothing was stored.",
        extra={"rejected": [rejection.to_json() for rejection in rejected]},
    )


def _events_of(sent: object) -> list[object]:
    if not isinstance(sent, dict):
        raise invalid_request(f'The body must be an object, {{"events": [...]}}, not {kind_of(sent)}.')
    for name in sent:
        if name != "events":
            raise invalid_request(f'The body holds {shown(name)}; it must be {{"events": [...]}} and nothing else.')
    if "events" not in sent:
        raise invalid_request('The body must hold "events", a list of events.')
    events = sent["events"]
    if not isinstance(events, list):
        raise invalid_request(f'"events" must be a list, not {kind_of(events)}.')
    if len(events) > MAX_EVENTS:
        raise too_many(len(events), "events")
    return events


def _read_event(sent: object, window: Window, placeholders: Collection[str]) -> Event:
    if not isinstance(sent, dict):
        raise RefusedError("invalid_event", f"an event must be an object, not {kind_of(sent)}")
    if not sent.keys() <= _FIELDS:
        unknown = ", ".join(shown(name) for name in sorted(sent.keys() - _FIELDS)[:3])
        raise RefusedError(
            "unknown_field",
            f"there is no event field {unknown}; put data of your own into properties. Fields are: {', '.join(FIELDS)}",
        )
    account_id = _id(sent, "account_id", MAX_ACCOUNT_ID, placeholders)
    if account_id is None:
        raise _missing(sent, "account_id")
    name = _name(sent)
    at = _timestamp(sent, window)
    user_id = _id(sent, "user_id", MAX_USER_ID, placeholders)
    anonymous_id = _id(sent, "anonymous_id", MAX_USER_ID, placeholders)
    session_id = _id(sent, "session_id", MAX_USER_ID, placeholders)
    value = micros(sent.get("value"))
    properties = checked_properties(sent.get("properties"))
    event_id = _id(sent, "event_id", MAX_EVENT_ID, placeholders)
    if event_id is None:
        event_id = derived_id([account_id, name, millis(at), user_id, anonymous_id, session_id, value, properties])
    internal = is_internal(properties)
    return Event(event_id, account_id, name, at, user_id, anonymous_id, session_id, value, internal=internal)


def _missing(sent: dict[str, object], name: str) -> RefusedError:
    """The rejection of an event in which a field says nothing."""
    text = sent.get(name)
    if isinstance(text, str):
        return RefusedError("invalid_event", stands_for_nobody(name, text))
    return RefusedError("invalid_event", f"{name} must not be null" if name in sent else f"{name} is missing")


def _id(sent: dict[str, object], name: str, longest: int, placeholders: Collection[str]) -> str | None:
    text = sent.get(name)
    if text is None:
        return None
    if not isinstance(text, str):
        raise RefusedError("invalid_event", f"{name} must be a string, not {kind_of(text)}; put it in quotes")
    return read_id(name, text, longest, placeholders)


def _name(sent: dict[str, object]) -> str:
    name = sent.get("name")
    if name is None:
        raise _missing(sent, "name")
    if not isinstance(name, str):
        raise RefusedError("invalid_event", f"name must be a string, not {kind_of(name)}")
    return checked_name("name", name)


def _timestamp(sent: dict[str, object], window: Window) -> datetime:
    written = sent.get("timestamp")
    if written is None:
        raise _missing(sent, "timestamp")
    if isinstance(written, bool) or not isinstance(written, str | int | float):
        raise RefusedError(
            "invalid_timestamp",
            f"timestamp must be a string such as 2026-11-21T10:00:00Z, or a number, not {kind_of(written)}",
        )
    try:
        at = parse_instant(written) if isinstance(written, str) else from_millis(millis_of_number(written))
    except ValueError as error:
        raise RefusedError("invalid_timestamp", f"timestamp {shown(str(written))} cannot be read: {error}") from None
    window.check(millis(at), lambda: f"timestamp {shown(str(written))}")
    return at
