"""Runs the night: every account's score is kept, what changed is told, the digest goes out."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger

from healthscore import metrics
from healthscore.nightly import finish, run_segment, start
from healthscore.outbox import Outbox, sns

STOP_BEFORE_MS = 30_000
"""What is not begun by then is left to the next try: a function that is cut off may repeat a message."""

logger = Logger()


class IncompleteError(Exception):
    """Something is left to do: Lambda sends the same event again, and the run goes on where this one stopped."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401  (the runtime's own object)
    """Run a night, take a past day's snapshots anew, or send what is still pending.

    Args:
        event: what `healthscore.nightly.start` takes, or `{"task": "outbox"}`.
        context: Lambda's.

    Raises:
        ValueError: the event is none of these.
        IncompleteError: some accounts failed, some messages were not sent, or time ran out.
        StorageUnavailableError: the tables cannot be read or written now.
    """

    def keep_going() -> bool:
        return bool(context.get_remaining_time_in_millis() > STOP_BEFORE_MS)

    now = datetime.now(UTC)
    logger.set_correlation_id(context.aws_request_id)
    outbox = Outbox(sns(), os.environ["ALERTS_TOPIC_ARN"], os.environ.get("APP_URL"), logger)
    if event == {"task": "outbox"}:
        delivery = outbox.send([], keep_going)
        result: dict[str, Any] = {**delivery.to_json(), "left": delivery.left}
        counts = metrics.of_delivery(result)
    else:
        run = start(event, now)
        logger.set_correlation_id(f"{run.day}/{context.aws_request_id}")
        tally = run_segment(run, 0, 1, keep_going=keep_going, logger=logger)
        result = finish(run, [tally], outbox, keep_going=keep_going)
        counts = metrics.of_run(result)
    logger.info("done", result=result, **metrics.embedded(counts, context, now))
    if result["left"]:
        raise IncompleteError("; ".join(result["left"]))
    return result
