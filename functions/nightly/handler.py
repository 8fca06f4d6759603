"""Runs the night: every account's score is kept, what changed is told, the digest goes out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from healthscore import startup  # isort: split

from healthscore import metrics
from healthscore.services.ingestion import pending_events
from healthscore.services.nightly import tasks
from healthscore.services.nightly.finish import finish, settle
from healthscore.services.nightly.process import run_segment, start
from healthscore.services.notifications.outbox import open_outbox
from healthscore.storage import workspace

if TYPE_CHECKING:
    from collections.abc import Callable

STOP_BEFORE_MS = 30_000
"""What is not begun by then is left to the next try: a function that is cut off may repeat a message."""

logger = Logger()


class IncompleteError(Exception):
    """Something is left to do: the same event is sent again, and the run goes on where this one stopped."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  (the runtime's own object)
    """Run a night, take a past day's snapshots anew, send what is pending, or do one task of a large night.

    Args:
        event: what `services.nightly.process.start` takes, for a whole night in one invocation; `{"task": "outbox"}`;
            or a task of the state machine: `start`, `segment` or `finish`, with what `services.nightly.tasks` takes.
        context: Lambda's.

    Raises:
        ValueError: the event is none of these.
        IncompleteError: something was left undone. Of a night on the state machine, only where it was so many segments
            that it did not end: single accounts and messages have later nights and sweeps, and an alarm of their own.
            Of a sweep, only where messages were tried in vain: if time ran out, the next one goes on, and a repetition
            would send beside it, at twice the pace.
        StorageUnavailableError: the tables cannot be read or written now.
    """

    def keep_going() -> bool:
        return bool(context.get_remaining_time_in_millis() > STOP_BEFORE_MS)

    now = datetime.now(UTC)
    logger.set_correlation_id(context.aws_request_id)
    outbox = open_outbox(logger)
    match event.get("task"):
        case "start":
            begun = tasks.begin(event, now)
            _bring_home(now, keep_going)
            return begun
        case "segment":
            logger.set_correlation_id(f"{event['run']['day']}/{event['run']['execution']}")
            return tasks.work(event, now, keep_going=keep_going, logger=logger)
        case "finish":
            logger.set_correlation_id(f"{event['run']['day']}/{event['run']['execution']}")
            result = tasks.end(event, outbox, keep_going=keep_going)
            counts, undone = metrics.of_run(result), not result["complete"]
        case "outbox":
            settle(keep_going)
            delivery = outbox.send([], keep_going)
            result = {**delivery.to_json(), "left": delivery.left}
            counts, undone = metrics.of_delivery(result), delivery.unsent > 0
        case _:
            run = start(event, now)
            logger.set_correlation_id(f"{run.day}/{context.aws_request_id}")
            _bring_home(now, keep_going)
            totals = run_segment(run, 0, 1, keep_going=keep_going, logger=logger).totals
            result = finish(run, [totals], outbox, keep_going=keep_going)
            counts, undone = metrics.of_run(result), bool(result["left"])
    logger.info("done", result=result, **metrics.embedded(counts, context, now))
    if undone:
        raise IncompleteError("; ".join(result["left"]))
    return result


def _bring_home(now: datetime, keep_going: Callable[[], bool]) -> None:
    """Move what waits although it is known where it belongs, for the night to count it."""
    moved = pending_events.sweep(workspace.settings().settings, now, keep_going=keep_going, logger=logger)
    if any(moved.values()):
        logger.info("events that waited", people=moved)


startup.complete()
