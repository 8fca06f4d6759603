"""What the routes of the Segment dialect are for, and what they take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.api.event_rules import MAX_EVENTS
from healthscore.api.schemas import Profile
from healthscore.http.router import TRACKING
from tools.openapi.answers import Recorded
from tools.openapi.operations import NOW, Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

_ID = {"type": ["string", "integer", "null"], "maxLength": 200}
_OBJECT = {"type": ["object", "null"]}

SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "Call": {
        "type": "object",
        "description": (
            "A call as Segment's and RudderStack's clients send it. Members that are not named here are legal and have "
            "no effect."
        ),
        "properties": {
            "type": {
                "type": "string",
                "enum": ["track", "page", "screen", "identify", "group", "alias"],
                "description": "What kind of call it is; routes of one kind do without.",
            },
            "messageId": {**_ID, "maxLength": 100, "description": "The event's id: sent again, it counts once."},
            "userId": {**_ID, "description": "Who did it, or whom the call is about."},
            "anonymousId": {**_ID, "description": "A visitor who has not signed in."},
            "previousId": {**_ID, "description": "In an alias: the id that is given up."},
            "groupId": {**_ID, "description": "In a group call: the account that the user belongs to."},
            "event": {"type": "string", "description": "In a track call: what was done."},
            "name": {"type": ["string", "null"], "description": "In a page or screen call: where."},
            "timestamp": {"type": ["string", "null"], "description": "When it was done; the time of receipt without."},
            "sentAt": {"type": ["string", "null"], "description": "The client's clock, which is put right by it."},
            "properties": {
                **_OBJECT,
                "description": "Of a track, page or screen call; `value` and `account_id` count.",
            },
            "traits": {
                **_OBJECT,
                "description": (
                    "Of an identify or group call. A group's traits fill the account's profile "
                    f"({', '.join(list(Profile.__annotations__)[:5])} …) where no admin has."
                ),
            },
            "context": {**_OBJECT, "description": "`groupId` names the account, `sessionId` the session."},
            "writeKey": {"type": "string", "description": "The key, where no header carries one."},
        },
    },
    "CallBatch": {
        "description": "Calls of any kinds, in a batch or as a bare list.",
        "anyOf": [
            {
                "type": "object",
                "properties": {
                    "batch": {"$ref": "#/components/schemas/CallList"},
                    "sentAt": {"type": ["string", "null"], "description": "The client's clock."},
                    "context": {**_OBJECT, "description": "Holds for each call that has none of its own."},
                    "writeKey": {"type": "string", "description": "The key, where no header carries one."},
                },
                "required": ["batch"],
            },
            {"$ref": "#/components/schemas/CallList"},
        ],
    },
    "CallList": {"type": "array", "items": {"$ref": "#/components/schemas/Call"}, "maxItems": MAX_EVENTS},
}
"""What the routes take. Clients differ, so only what is read is described, and all else is legal."""

_WHO = {"userId": "kate.lowell", "messageId": "m-4711", "timestamp": NOW}
_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "track": {**_WHO, "event": "report_exported", "context": {"groupId": "pinecrest"}},
    "page": {**_WHO, "name": "Reports", "context": {"groupId": "pinecrest"}},
    "screen": {**_WHO, "name": "Reports", "context": {"groupId": "pinecrest"}},
    "identify": {**_WHO, "traits": {"name": "Kate Lowell", "email": "kate.lowell@example.com"}},
    "group": {**_WHO, "groupId": "pinecrest", "traits": {"name": "Pinecrest Dental Group", "plan": "business"}},
    "alias": {**_WHO, "previousId": "visitor-17"},
}
_SUMMARIES = {
    "track": "Something was done",
    "page": "A page was seen",
    "screen": "A screen was seen",
    "identify": "Who a user is",
    "group": "Which account a user belongs to",
    "alias": "Two ids are one user",
}
_WORDS = {
    "track": "An event by the name in `event`.",
    "page": "An event by the name `page_viewed`.",
    "screen": "An event by the name `screen_viewed`.",
    "identify": "Notes the user's traits. It is no event, and scores nothing.",
    "group": "Attaches the user, and what they did while nobody had said where they belong, to the account.",
    "alias": "What was known under `previousId` is the user's from now on.",
}
_HOLDS_FOR_ALL = (
    "Part of the Segment HTTP tracking API, for its unmodified clients: `Content-Type` is not looked at, the key may "
    "also be `writeKey` in the body, and a call that is at fault is in `rejected`, never the answer's status."
)


def _operation(name: str, kind: str | None) -> Operation:
    if kind is None:
        return Operation(
            id=f"segment{name.title()}",
            tag="Segment clients",
            summary="Calls of any kind, in a batch",
            words=f"Up to {MAX_EVENTS:,} calls, each with its `type`. {_HOLDS_FOR_ALL}",
            answer=Recorded,
            body="CallBatch",
            example={
                "batch": [
                    {"type": "group", **_EXAMPLES["group"], "messageId": "m-1"},
                    {"type": "track", "userId": "kate.lowell", "messageId": "m-2", "event": "login", "timestamp": NOW},
                ]
            },
            errors=("too_many_events",),
        )
    short = name != kind
    return Operation(
        id=f"segment{kind.title()}{'Short' * short}",
        tag="Segment clients",
        summary=f"{_SUMMARIES[kind]}{f' (short for {kind})' * short}",
        words=f"{_WORDS[kind]} {_HOLDS_FOR_ALL}",
        answer=Recorded,
        body="Call",
        example=_EXAMPLES[kind],
        errors=("too_many_events",),
    )


OPERATIONS: Mapping[str, Operation] = {f"POST /v1/{name}": _operation(name, kind) for name, kind in TRACKING.items()}
