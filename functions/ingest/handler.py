"""Takes product events in: `POST /v1/events`, and the calls of Segment's and RudderStack's clients."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from healthscore import startup
from healthscore.http.api_keys import CachedKeys
from healthscore.http.errors import ApiError
from healthscore.http.router import TRACKING, Router
from healthscore.metrics import Metric
from healthscore.services.ingestion.events import EventSettings, ingest
from healthscore.services.ingestion.identity import Tracker
from healthscore.storage import workspace

if TYPE_CHECKING:
    from healthscore.http.request import Request

router = Router()
find_key = CachedKeys(workspace.find_key)
settings = EventSettings()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  (the runtime's own object)
    """Answer one request of the gateway."""
    return router.handle(event, context, find_key)


@router.route("POST /v1/events")
def post_events(request: Request) -> dict[str, Any]:
    """Store a batch of events; a bad event rejects itself, never its neighbours."""
    now = request.received_at
    try:
        batch = settings.read_batch(request.body, now)
    except ApiError as refused:
        request.counts[Metric.EVENTS_REJECTED] = len(refused.extra.get("rejected", ()))
        raise
    events = [event for _, event in batch.events]
    ingested = ingest(events, settings.with_timezone_fixed(), now, request.time_left)
    request.counts.update(
        {
            Metric.EVENTS_ACCEPTED: ingested.accepted,
            Metric.EVENTS_DUPLICATE: ingested.duplicates,
            Metric.EVENTS_REJECTED: len(batch.rejected),
        }
    )
    return {
        "success": True,
        "accepted": ingested.accepted,
        "duplicates": ingested.duplicates,
        "rejected": [rejection.to_json() for rejection in batch.rejected],
    }


def post_calls(kind: str | None, request: Request) -> dict[str, Any]:
    """Store calls of the Segment dialect; what is wrong with one of them is never the answer's status."""
    now = request.received_at
    calls = settings.read_calls(request.json(), kind, now)
    ingested = Tracker(settings.with_timezone_fixed(), now, request.time_left).record(calls)
    request.counts.update(
        {
            Metric.EVENTS_ACCEPTED: ingested.accepted,
            Metric.EVENTS_DUPLICATE: ingested.duplicates,
            Metric.EVENTS_REJECTED: len(calls.rejected),
        }
    )
    return {
        "success": True,
        "accepted": ingested.accepted,
        "duplicates": ingested.duplicates,
        "updates": len(calls.updates),
        "rejected": [rejection.to_json() for rejection in calls.rejected],
    }


for _name, _kind in TRACKING.items():
    router.route(f"POST /v1/{_name}")(partial(post_calls, _kind))


startup.complete()
