"""Parses calls as Segment's and RudderStack's clients send them.

No one document says what these clients do, so every rule here is as wide as they are: ids may be numbers, times may
lack an offset, an empty id means none, and unknown members are legal. A call that cannot be taken rejects itself alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from healthscore.api import event_rules
from healthscore.api.event_rules import (
    MAX_EVENTS,
    RefusedError,
    Rejection,
    Window,
    checked_name,
    read_id,
    showable_id,
    stands_for_nobody,
    too_many,
)
from healthscore.api.public_keys import ALL_RIGHTS, Rights
from healthscore.api.segment_com_clock import CallTime, SendingTime, sending_time, time_of
from healthscore.api.segment_com_traits import PUBLIC_FIELDS, account_traits, person_traits
from healthscore.core.day_log.codec import entry
from healthscore.core.identity.calls import Alias, Description, GroupCall, Identification, ParsedCalls, TrackedEvent
from healthscore.core.identity.ids import normalised
from healthscore.core.model import MICROS, Event
from healthscore.core.time import from_millis
from healthscore.http.errors import invalid_request
from healthscore.http.ids import MAX_ACCOUNT_ID, MAX_EVENT_ID, MAX_NAME, MAX_USER_ID, name_fault
from healthscore.http.plain import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from healthscore.api.event_rules import RejectionCode
    from healthscore.settings import Settings

_PAGES = {"page": "page_viewed", "screen": "screen_viewed"}
_END_EXACT = 2**53
"""Below this, every float that is whole is the number that was written."""


class ParsedBody(NamedTuple):
    """The body of a request: every call sent is either rejected or has left its mark in `calls`."""

    calls: ParsedCalls
    updates: list[str]
    """The kinds of the calls that say who somebody is, rather than what somebody did."""
    rejected: list[Rejection]
    sent: list[object]
    """The calls as they were sent."""

    @property
    def taken(self) -> int:
        """How many calls are taken."""
        return len(self.calls.tracked_events) + len(self.updates)

    def rejection(self, position: int, code: RejectionCode, message: str) -> Rejection:
        """The rejection of a call that was sent."""
        call = self.sent[position]
        event_id = showable_id(call.get("messageId")) if isinstance(call, dict) else None
        return Rejection(position, event_id, code, message)


def parse_calls(
    body: object, kind: str | None, now: datetime, settings: Settings, rights: Rights = ALL_RIGHTS
) -> ParsedBody:
    """Read the body of one of the tracking routes.

    Args:
        body: the JSON value sent: a call; or calls, as `{"batch": [...]}` or as a bare list, as webhooks send them.
        kind: what the route takes (`track`, `page`, ...), or None where each call says so itself.
        now: the receiving clock, aware.
        settings: the workspace's settings.
        rights: what the sender's key may send.

    Raises:
        ApiError: 400 `invalid_request` where the body is neither, 413 `too_many_events`. Nothing else: a call that is
            at fault is in the answer's `rejected`, since a status other than 200 makes clients throw away, or send
            again, the calls beside it.
    """
    calls, beside = _calls_of(body, kind)
    shared = _Shared(
        kind,
        _object(beside.get("context")),
        sending_time(beside),
        Window.of(now, settings),
        settings.identity.folded_placeholders,
        rights,
    )
    parsed = ParsedBody(ParsedCalls(is_public=rights.is_public), [], [], calls)
    for index, call in enumerate(calls):
        try:
            read = _Call.of(call, index, shared)
            _READERS[read.kind](read, parsed)
        except RefusedError as refused:
            parsed.rejected.append(parsed.rejection(index, refused.code, refused.message))
    return parsed


def _calls_of(body: object, kind: str | None) -> tuple[list[object], Mapping[str, object]]:
    """The calls of a body, and the object beside them, which holds for each of them that does not say otherwise."""
    calls: list[object]
    beside: Mapping[str, object] = {}
    if isinstance(body, list):
        calls = body
    elif not isinstance(body, dict):
        raise invalid_request(f"The body must be a call, or hold calls in a list under batch; it is {kind_of(body)}.")
    elif kind is None and ("batch" in body or not ("type" in body or "action" in body)):
        if not isinstance(body.get("batch"), list):
            raise invalid_request(f'"batch" must be a list of calls, not {kind_of(body.get("batch"))}.')
        calls, beside = body["batch"], body
    else:
        calls = [body]
    if len(calls) > MAX_EVENTS:
        raise too_many(len(calls), "calls")
    return calls, beside


class _Shared(NamedTuple):
    """What the calls of a request have in common."""

    kind: str | None
    context: Mapping[str, Any]
    sent_at: SendingTime | None
    window: Window
    placeholders: Collection[str]
    rights: Rights


class _Call(NamedTuple):
    kind: str
    position: int
    """Position in the request as sent."""
    sent: Mapping[str, Any]
    context: Mapping[str, Any]
    time: CallTime
    """When the call was made."""
    shared: _Shared
    nobody: list[str]
    """What is wrong with the ids that were read and name nobody."""

    @classmethod
    def of(cls, sent: object, position: int, shared: _Shared) -> _Call:
        if not isinstance(sent, dict):
            raise RefusedError("invalid_event", f"a call must be an object, not {kind_of(sent)}")
        kind = shared.kind or _kind(sent.get("type") or sent.get("action"))
        if kind is None:
            raise RefusedError("invalid_event", f"type must be one of {', '.join(_READERS)}")
        shared.rights.check_kind(is_event=_READERS[kind] is _read_tracked_event)
        shared.rights.check_day()
        time = time_of(sent, shared.sent_at, shared.window.now)
        context = {**shared.context, **_object(sent.get("context"))}
        return cls(kind, position, sent, context, time, shared, [])

    def id(self, name: str, longest: int, holder: Mapping[str, Any] | None = None) -> str | None:
        """An id; numbers are read as they are written, and what names nobody means none."""
        given = (self.sent if holder is None else holder).get(name)
        if isinstance(given, float):
            if not (given.is_integer() and abs(given) < _END_EXACT):
                raise RefusedError("invalid_id", f"{name} must be a string or a whole number")
            given = int(given)
        if isinstance(given, int):
            given = str(given)
        if given is None:
            return None
        if not isinstance(given, str):
            raise RefusedError("invalid_event", f"{name} must be a string, not {kind_of(given)}")
        found = read_id(name, given, longest, self.shared.placeholders)
        if found is None and given:
            self.nobody.append(stands_for_nobody(name, given))
        return found

    def refused(self, what: str) -> RefusedError:
        """The rejection of a call that does not say something, since it says nothing of it or names nobody."""
        return RefusedError("invalid_event", self.nobody[0] if self.nobody else what)

    def people(self) -> tuple[str | None, str | None]:
        """The user's id and the anonymous id."""
        return self.id("userId", MAX_USER_ID), self.id("anonymousId", MAX_USER_ID)

    def traits(self) -> dict[str, Any]:
        """The traits; RudderStack's clients put them into the context."""
        return dict(_object(self.sent.get("traits")) or _object(self.context.get("traits")))


def _read_tracked_event(call: _Call, parsed: ParsedBody) -> None:
    properties = event_rules.properties(call.sent.get("properties")) or {}
    user_id, anonymous_id = call.people()
    account_id = (
        call.id("groupId", MAX_ACCOUNT_ID, call.context)
        or call.id("groupId", MAX_ACCOUNT_ID)
        or call.id("account_id", MAX_ACCOUNT_ID, properties)
    )
    if account_id is None and user_id is None and anonymous_id is None:
        raise call.refused("nobody is named: send userId or anonymousId, or the account in context.groupId")
    call.shared.rights.check_account(account_id)
    name, page = _name(call), _page(call, properties)
    session_id = call.id("sessionId", MAX_USER_ID, call.context)
    value = _value(properties)
    event_id = call.id("messageId", MAX_EVENT_ID)
    time = call.time
    call.shared.window.check(time.at, time.what)
    names_itself = event_id is not None or time.said is not None
    if event_id is None:
        said = time.at if time.said is None else time.said
        content = [account_id, name, said, user_id, anonymous_id, session_id, value, properties, page]
        event_id = event_rules.derived_id(content)
    at, internal = from_millis(time.at), event_rules.is_internal(properties)
    logged = entry(
        Event(event_id, account_id or "", name, at, user_id, anonymous_id, session_id, value, page, internal)
    )
    written = time.said if time.corrected else None
    message = _message(logged.person or f"g{account_id}", event_id) if time.timeless and names_itself else None
    parsed.calls.tracked_events.append(TrackedEvent(account_id, logged, written, message, call.position))


def _read_identify(call: _Call, parsed: ParsedBody) -> None:
    people = call.people()
    said = _somebody(call, people, call.id("groupId", MAX_ACCOUNT_ID, call.context), parsed)
    traits = call.traits()
    if traits:
        about = Description(said.person, said.at, person_traits(traits), *said[2:])
        parsed.calls.people.append(about)


def _read_group(call: _Call, parsed: ParsedBody) -> None:
    account_id = call.id("groupId", MAX_ACCOUNT_ID)
    if account_id is None:
        raise call.refused("groupId is missing")
    said = _somebody(call, call.people(), account_id, parsed)
    traits = dict(_object(call.sent.get("traits")))
    if traits:
        kept = account_traits(traits, PUBLIC_FIELDS if call.shared.rights.is_public else None)
        parsed.calls.accounts.append(Description(account_id, said.at, kept, *said[2:]))


def _somebody(call: _Call, people: tuple[str | None, str | None], account_id: str | None, parsed: ParsedBody) -> _Said:
    """The person that a call is about; it notes the other id of the person, and the account that the call names."""
    call.shared.rights.check_account(account_id)
    user_id, anonymous_id = people
    if user_id is not None:
        said = _said(call, "u" + user_id)
        if anonymous_id is not None:
            device = f"a{anonymous_id}"
            parsed.calls.identifications.append(Identification(device, said.at, said.person, *said[2:]))
    elif anonymous_id is not None:
        said = _said(call, "a" + anonymous_id)
    else:
        raise call.refused("nobody is named: send userId or anonymousId")
    if account_id is not None:
        parsed.calls.group_calls.append(GroupCall(said.person, said.at, account_id, *said[2:]))
    parsed.updates.append(call.kind)
    return said


class _Said(NamedTuple):
    """What all that an identity call says has in common."""

    person: str
    at: int
    message: str | None
    provisional: bool
    position: int


def _said(call: _Call, person: str) -> _Said:
    call.shared.window.check_identity(call.time.at, call.time.what)
    message_id = call.id("messageId", MAX_EVENT_ID)
    message = None if message_id is None else _message(person, message_id)
    return _Said(person, call.time.at, message, call.time.provisional, call.position)


def _message(sender: str, message_id: str) -> str:
    """What names a call in all its deliveries; senders who count their messages from 1 do not share these."""
    return f"{sender}\x1f{message_id}"


def _read_alias(call: _Call, parsed: ParsedBody) -> None:
    user_id = call.id("userId", MAX_USER_ID)
    previous = call.id("previousId", MAX_USER_ID)
    if previous is None and not call.nobody:
        previous = call.id("anonymousId", MAX_USER_ID)
    if user_id is None or previous is None:
        raise call.refused("an alias needs userId and previousId")
    said = _said(call, "u" + user_id)
    parsed.calls.aliases.append(Alias("u" + previous, said.at, said.person, *said[2:]))
    parsed.updates.append(call.kind)


_READERS: Mapping[str, Callable[[_Call, ParsedBody], None]] = {
    "track": _read_tracked_event,
    "page": _read_tracked_event,
    "screen": _read_tracked_event,
    "identify": _read_identify,
    "group": _read_group,
    "alias": _read_alias,
}


def _kind(sent: object) -> str | None:
    """The kind of a call, however its sender writes capitals; None where there is none such."""
    kind = normalised(sent).casefold() if isinstance(sent, str) else ""
    return kind if kind in _READERS else None


def _name(call: _Call) -> str:
    """The name of what was done."""
    if call.kind in _PAGES:
        return _PAGES[call.kind]
    name = call.sent.get("event")
    if name is None:
        raise RefusedError("invalid_event", "event, the name of what was done, is missing")
    if not isinstance(name, str):
        raise RefusedError("invalid_event", f"event must be a string, not {kind_of(name)}")
    return checked_name("event", name)


def _page(call: _Call, properties: Mapping[str, Any]) -> str | None:
    """The name of the page or screen, as much of it as is kept; clients send it beside the properties or in them."""
    if call.kind not in _PAGES:
        return None
    given = call.sent.get("name") or properties.get("name")
    page = normalised(given)[:MAX_NAME].rstrip() if isinstance(given, str) else ""
    return page if page and name_fault(page) is None else None


def _value(properties: Mapping[str, Any]) -> int:
    """The amount in `properties.value` where it is one; the property is the sender's own and may be anything."""
    try:
        return event_rules.micros(properties.get("value"))
    except RefusedError:
        return MICROS


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
