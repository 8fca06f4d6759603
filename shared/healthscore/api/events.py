"""Product events, as `POST /v1/events` takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from healthscore.api.event_batch import ALL_REJECTED, all_rejected
from healthscore.api.event_rules import NO_ROOM, TOO_MANY_EVENTS, Rejection
from healthscore.api.event_settings import settings
from healthscore.api.public_keys import TOO_MANY_TODAY, count_refused
from healthscore.http.api_keys import Scope
from healthscore.http.errors import ApiError
from healthscore.http.route import route
from healthscore.metrics import Metric
from healthscore.services.ingestion.events import ingest

if TYPE_CHECKING:
    from typing_extensions import TypedDict

    from healthscore.api.event_rules import RejectedEvent
    from healthscore.core.json_types import Count
    from healthscore.http.request import Request

    class IngestedEvents(TypedDict):
        """What became of a batch. Everything that is accepted is durably stored."""

        success: Literal[True]
        accepted: Count
        """Events that are new."""
        duplicates: Count
        """Events that were known already; they change nothing."""
        rejected: list[RejectedEvent]
        """Events that were not taken, and why."""


TAG = "Events"


@route(
    "POST /v1/events",
    scope=Scope.WRITE,
    body="event_schemas.EventBatch",
    query=None,
    errors=(ALL_REJECTED, TOO_MANY_EVENTS, TOO_MANY_TODAY),
)
def send_events(request: Request) -> IngestedEvents:
    """Send events.

    Takes a batch of up to 2,500 events, plain or gzip. An event is identified by its account, its `event_id` and the
    day of its timestamp: sent again, it is counted among the `duplicates` and changes no figure, with no time limit. An
    account is created by its first event.

    200 means stored. After a 503, a timeout or a broken connection send the whole batch again. A bad event rejects
    itself, never its neighbours; where all are bad, the answer is 400 `all_rejected`.
    """
    now = request.received_at
    try:
        batch = settings.read_batch(request)
        ingested = ingest([event for _, event in batch.events], settings.with_timezone_fixed(), now, request.time_left)
        without_room = [batch.events[index] for index in ingested.no_room_for]
        rejected = [Rejection(position, event.event_id, "no_room", NO_ROOM) for position, event in without_room]
        rejected = sorted([*batch.rejected, *rejected], key=lambda rejection: rejection.position)
        if len(without_room) == len(batch.events) > 0:
            raise all_rejected(rejected)
    except ApiError as refused:
        rejections = refused.extra.get("rejected", ())
        request.counts[Metric.EVENTS_REJECTED] = len(rejections)
        count_refused(request, (one["code"] for one in rejections))
        raise
    count_refused(request, (rejection.code for rejection in rejected))
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
        "rejected": [rejection.to_json() for rejection in rejected],
    }
