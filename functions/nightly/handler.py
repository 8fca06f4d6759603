"""Runs the night: keeps every account's score, alerts the changes, and sends the digest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from healthscore import startup  # isort: split

from healthscore import metrics
from healthscore.dataset.staging import Staging, Worker
from healthscore.services.ingestion import pending_events
from healthscore.services.nightly.dataset import (
    Invocation,
    publish_alone,
    publish_as_it_stands,
    publish_if_due,
    publish_task,
)
from healthscore.services.nightly.finish import finish_run, finish_task, settle_held
from healthscore.services.nightly.plan import plan_run, plan_scan_parts
from healthscore.services.nightly.process import process_scan_part, process_task
from healthscore.services.notifications.outbox import open_outbox
from healthscore.storage import workspace
from healthscore.storage.runs import workers

if TYPE_CHECKING:
    from collections.abc import Callable

STOP_BEFORE_MS = 30_000
"""No account and no message is begun later: a function that is cut off while it sends may repeat a message."""

logger = Logger()


class IncompleteError(Exception):
    """Something is left to do: the next try of the same event goes on where this one stopped."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  (the runtime's own object)
    """Run a night, take a past day's snapshots again, send what is pending, or do one task of a large night.

    Args:
        event: what `plan_run` takes, for a whole night in one invocation; `{"task": "outbox"}`; `{"task": "dataset"}`,
            which makes the dataset of today from the accounts as they stand; or a task of the state machine: `start`,
            `segment`, `dataset` or `finish`, with what `plan_scan_parts`, `process_task`, `publish_task` or
            `finish_task` takes.
        context: Lambda's.

    Raises:
        ValueError: the event is none of these.
        IncompleteError: something is left to do. A night on the state machine raises it only where too many parts
            failed: failed accounts and messages have later nights and sweeps, and alarms of their own. A sweep raises
            it only where sending failed: if time ran out, the next sweep goes on, and a retry would send beside it, at
            twice the rate.
        StorageUnavailableError: the tables cannot be read or written now.
    """

    def keep_going() -> bool:
        return bool(context.get_remaining_time_in_millis() > STOP_BEFORE_MS)

    now = datetime.now(UTC)
    logger.set_correlation_id(context.aws_request_id)
    outbox = open_outbox(logger)
    match event.get("task"):
        case "start":
            planned = plan_scan_parts(event, now)
            _reassign_pending_events(now, keep_going)
            return planned
        case "segment":
            logger.set_correlation_id(f"{event['run']['day']}/{event['run']['execution']}")
            return process_task(event, now, keep_going=keep_going, logger=logger)
        case "dataset":
            invocation = Invocation.of(now, context, keep_going)
            if "run" not in event:
                return publish_as_it_stands(context.aws_request_id, invocation)
            logger.set_correlation_id(f"{event['run']['day']}/{event['run']['execution']}")
            return publish_task(event, invocation)
        case "finish":
            logger.set_correlation_id(f"{event['run']['day']}/{event['run']['execution']}")
            result = finish_task(event, outbox, keep_going=keep_going)
            counts, undone = metrics.of_run(result), not result["complete"]
        case "outbox":
            settle_held(keep_going)
            delivery = outbox.send([], keep_going)
            result = {**delivery.to_json(), "left": delivery.left}
            counts, undone = metrics.of_delivery(result), delivery.unsent > 0
            publish_if_due(context.aws_request_id, Invocation.of(now, context, keep_going), logger)
        case _:
            run = plan_run(event, now)
            logger.set_correlation_id(f"{run.day}/{context.aws_request_id}")
            _reassign_pending_events(now, keep_going)
            worker = Worker(f"{run.day}-{context.aws_request_id}", 0, 0)
            staging = Staging(worker, run.day, run.as_of, now, attributes=run.settings.dataset.attributes)
            with workers.under_way(worker.name, now):
                totals = process_scan_part(run, 0, 1, keep_going=keep_going, logger=logger, staging=staging).totals
            invocation = Invocation.of(datetime.now(UTC), context, keep_going)
            published = totals.complete and publish_alone(run, staging, invocation, logger)
            result = finish_run(run, [totals], outbox, keep_going=keep_going, published=published)
            counts, undone = metrics.of_run(result), bool(result["left"])
    logger.info("done", result=result, **metrics.embedded(counts, context, now))
    if undone:
        raise IncompleteError("; ".join(result["left"]))
    return result


def _reassign_pending_events(now: datetime, keep_going: Callable[[], bool]) -> None:
    """Move pending events whose account is known by now, so that the night counts them."""
    moved = pending_events.sweep(workspace.settings().settings, now, keep_going=keep_going, logger=logger)
    if any(moved.values()):
        logger.info("pending events reassigned", counts=moved)


startup.complete()
