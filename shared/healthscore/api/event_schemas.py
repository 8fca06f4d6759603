"""What the bodies look like that `event_batch` and `segment_com_calls` check by hand, for the API's description."""

from typing import Annotated, Any, Literal, Required

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from healthscore.api import event_rules
from healthscore.core.json_types import Shown
from healthscore.http import ids

_ANY_MEMBERS = ConfigDict(extra="ignore")
AccountId = Annotated[str, Shown(minLength=1, maxLength=ids.MAX_ACCOUNT_ID, examples=["acme"])]
EventId = Annotated[str, Shown(minLength=1, maxLength=ids.MAX_EVENT_ID, examples=["order-4711-exported"])]
UserId = Annotated[str, Shown(minLength=1, maxLength=ids.MAX_USER_ID, examples=["u-17"])]
EventName = Annotated[str, Shown(minLength=1, maxLength=ids.MAX_NAME, examples=["report_exported"])]
Time = Annotated[str, Shown(type=["string", "number"], format="date-time", examples=["2026-11-21T10:00:00Z"])]
CallTime = Annotated[str, Shown(type=["string", "number", "null"])]
Value = Annotated[float, Shown(minimum=-event_rules.MAX_VALUE, maximum=event_rules.MAX_VALUE)]
CallId = Annotated[str, Shown(type=["string", "integer", "null"], maxLength=ids.MAX_USER_ID)]
MessageId = Annotated[str, Shown(type=["string", "integer", "null"], maxLength=ids.MAX_EVENT_ID)]


class Event(TypedDict, total=False):
    """One thing that one user did."""

    event_id: EventId | None
    """Recommended: the same event sent again must carry the same id, and is then counted once, however often and
    however late it comes. Left out, it is derived from everything else in the event."""
    account_id: Required[AccountId]
    """The customer. Ids are text that people can see and type: `é` and `/` are fine, emoji are not. Spaces at the ends
    are taken off, and letters are composed (NFC)."""
    name: Required[EventName]
    """What was done. Compared exactly, with capitals and all."""
    timestamp: Required[Time]
    """When it was done: RFC 3339 with an offset, or the seconds or milliseconds since 1970 as a number; kept to the
    millisecond. From `retention_days` ago up to 15 minutes ahead."""
    user_id: UserId | None
    """Who did it."""
    anonymous_id: UserId | None
    """A visitor who has not signed in."""
    session_id: UserId | None
    """Left out, sessions are told apart by pauses of 30 minutes."""
    value: Value | None
    """A count that was summed up before it was sent, such as 120 messages; kept to six decimals, 1 where it is left
    out. It still is one event of activity."""
    properties: dict[str, Any] | None
    """An object of your own, up to 32 KiB as compact JSON; checked, not scored and not stored."""


class EventBatch(TypedDict):
    """Events, of any accounts, in any order."""

    events: Annotated[list[Event], Shown(maxItems=event_rules.MAX_EVENTS)]
    """Up to 2,500. A bad one rejects itself, never its neighbours."""


@with_config(_ANY_MEMBERS)
class Call(TypedDict, total=False):
    """A call as Segment's and RudderStack's clients send it. Other members are legal and have no effect."""

    type: Literal["track", "page", "screen", "identify", "group", "alias"]
    """What kind of call it is, with capitals or without; not needed on the routes of one kind."""
    messageId: MessageId
    """The event's id: sent again, it counts once."""
    userId: CallId
    """Who did it, or whom the call is about."""
    anonymousId: CallId
    """A visitor who has not signed in."""
    previousId: CallId
    """In an alias: the id that is given up."""
    groupId: CallId
    """In a group call: the account that the user belongs to."""
    event: str
    """In a track call: what was done."""
    name: str | None
    """In a page or screen call: where."""
    timestamp: CallTime
    """When it was done, ISO 8601 or a number of seconds or milliseconds; the time of receipt where it is left out."""
    sentAt: CallTime
    """The client's clock: where it lies more than 15 minutes ahead of the receipt, times are corrected by it."""
    properties: dict[str, Any] | None
    """Of a track, page or screen call; `value` and `account_id` count."""
    traits: dict[str, Any] | None
    """Of an identify or group call. A group's traits fill the fields of the account's profile that no admin has set."""
    context: dict[str, Any] | None
    """`groupId` names the account, `sessionId` the session."""
    writeKey: str
    """The key, where no header carries one."""


CallList = Annotated[list[Call], Shown(maxItems=event_rules.MAX_EVENTS)]


@with_config(_ANY_MEMBERS)
class CallEnvelope(TypedDict, total=False):
    """Calls of any kinds."""

    batch: Required[CallList]
    sentAt: CallTime
    """The client's clock."""
    context: dict[str, Any] | None
    """Holds for each call that has none of its own."""
    writeKey: str
    """The key, where no header carries one."""


CallBatch = CallEnvelope | CallList
"""Calls of any kinds, in a batch or as a bare list."""
