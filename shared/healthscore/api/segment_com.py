"""The Segment HTTP tracking API, for unmodified clients of Segment and RudderStack."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from healthscore.api.event_rules import NO_ROOM, TOO_MANY_EVENTS
from healthscore.api.event_settings import settings
from healthscore.api.public_keys import count_refused
from healthscore.http.api_keys import Scope
from healthscore.http.route import route
from healthscore.metrics import Metric
from healthscore.services.ingestion.identity import Tracker

if TYPE_CHECKING:
    from typing_extensions import TypedDict

    from healthscore.api.event_rules import RejectedEvent
    from healthscore.core.json_types import Count
    from healthscore.http.request import Request

    class IngestedCalls(TypedDict):
        """What became of calls. Everything that is accepted is durably stored."""

        success: Literal[True]
        accepted: Count
        """Events that are new."""
        duplicates: Count
        """Events that were known already; they change nothing."""
        updates: Count
        """Calls that say who somebody is, rather than what somebody did."""
        rejected: list[RejectedEvent]
        """Calls that were not taken, and why."""


TAG = "Segment clients"
_route = partial(route, scope=Scope.WRITE, query=None, errors=(TOO_MANY_EVENTS,), key_in_body=True)
"""What all of these routes have in common."""


@_route("POST /v1/batch", "POST /v1/b", "POST /v1/import", body="event_schemas.CallBatch")
def segment_batch(request: Request) -> IngestedCalls:
    """Send calls of any kind, in a batch.

    Up to 2,500 calls, each with its `type`.
    """
    return _record(None, request)


@_route("POST /v1/track", "POST /v1/t", body="event_schemas.Call")
def segment_track(request: Request) -> IngestedCalls:
    """Send an event.

    Its name is in `event`.
    """
    return _record("track", request)


@_route("POST /v1/page", "POST /v1/p", body="event_schemas.Call")
def segment_page(request: Request) -> IngestedCalls:
    """Send a page view.

    It counts as an event named `page_viewed`.
    """
    return _record("page", request)


@_route("POST /v1/screen", "POST /v1/s", body="event_schemas.Call")
def segment_screen(request: Request) -> IngestedCalls:
    """Send a screen view.

    It counts as an event named `screen_viewed`.
    """
    return _record("screen", request)


@_route("POST /v1/identify", "POST /v1/i", body="event_schemas.Call")
def segment_identify(request: Request) -> IngestedCalls:
    """Say who a user is.

    Keeps the user's traits. It is no event, and scores nothing.
    """
    return _record("identify", request)


@_route("POST /v1/group", "POST /v1/g", body="event_schemas.Call")
def segment_group(request: Request) -> IngestedCalls:
    """Say which account a user belongs to.

    Attaches the user to the account, with the events that they sent before their account was known.
    """
    return _record("group", request)


@_route("POST /v1/alias", "POST /v1/a", body="event_schemas.Call")
def segment_alias(request: Request) -> IngestedCalls:
    """Say that two ids are one user.

    What was known under `previousId` is the user's from now on.
    """
    return _record("alias", request)


def _record(kind: str | None, request: Request) -> IngestedCalls:
    """Store the calls of a request.

    Args:
        kind: of calls that the route takes; None where each call names its own.
        request: whose body holds them. A call that is at fault is in the answer's `rejected`, and the status stays 200.
    """
    now = request.received_at
    parsed = settings.read_calls(request, kind)
    ingested = Tracker(settings.with_timezone_fixed(), now, request.time_left).record(parsed.calls)
    rejected = [*parsed.rejected, *(parsed.rejection(one, "no_room", NO_ROOM) for one in ingested.no_room_for)]
    rejected.sort(key=lambda rejection: rejection.position)
    count_refused(request, (rejection.code for rejection in parsed.rejected))
    request.counts.update(
        {
            Metric.EVENTS_ACCEPTED: ingested.accepted,
            Metric.EVENTS_DUPLICATE: ingested.duplicates,
            Metric.EVENTS_REJECTED: len(rejected),
        }
    )
    return {
        "success": True,
        "accepted": ingested.accepted,
        "duplicates": ingested.duplicates,
        "updates": parsed.taken - ingested.accepted - ingested.duplicates - len(ingested.no_room_for),
        "rejected": [rejection.to_json() for rejection in rejected],
    }
