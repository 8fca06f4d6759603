"""What the product counts, as CloudWatch metrics that ride on log lines (embedded metric format).

CloudWatch takes the figures out of a line that is logged anyway: no call, no client, and no second line to pay for.
Powertools' Metrics would write a line of its own for each request.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from healthscore.core.time import millis

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

NAMESPACE = "Healthscore"
DIMENSION = "FunctionName"
"""What tells stacks apart: the name of a function is unique in its account and region, and so alarms can name it."""


class Metric(StrEnum):
    """Everything that is counted. CloudWatch bills each of them, and the first ten of an AWS account are free."""

    EVENTS_ACCEPTED = "EventsAccepted"
    EVENTS_DUPLICATE = "EventsDuplicate"
    EVENTS_REJECTED = "EventsRejected"
    SCORE_VIEWS = "ScoreViews"
    ACCOUNTS_SCORED = "AccountsScored"
    ACCOUNTS_FAILED = "AccountsFailed"
    ALERTS_RAISED = "AlertsRaised"
    MESSAGES_SENT = "MessagesSent"
    MESSAGES_UNSENT = "MessagesUnsent"
    NIGHTS_COMPLETED = "NightsCompleted"


def embedded(counts: Mapping[Metric, int], context: object, at: datetime) -> dict[str, Any]:
    """Members that make a JSON log line count.

    Args:
        counts: figures of one request or run; nothing is added to the line where there are none.
        context: Lambda's, which names the function.
        at: when it happened, aware.

    Returns:
        `_aws`, which tells CloudWatch what to read, the function's name, and the figures.
    """
    if not counts:
        return {}
    definitions = [{"Name": metric.value, "Unit": "Count"} for metric in counts]
    directive = {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": definitions}
    return {
        "_aws": {"Timestamp": millis(at), "CloudWatchMetrics": [directive]},
        DIMENSION: getattr(context, "function_name", "local"),
        **{metric.value: figure for metric, figure in counts.items()},
    }


def of_run(result: Mapping[str, Any]) -> dict[Metric, int]:
    """What a nightly run counts, from its figures. A backfill is no night: it proves nothing of tonight.

    Args:
        result: what `healthscore.services.nightly.process.finish` returned.
    """
    if result["backfill"]:
        return {}
    return {
        Metric.ACCOUNTS_SCORED: result["scored"],
        Metric.ACCOUNTS_FAILED: result["failed"],
        Metric.ALERTS_RAISED: sum(result["alerts"].values()),
        **of_delivery(result),
        Metric.NIGHTS_COMPLETED: int(result["complete"]),
    }


def of_delivery(result: Mapping[str, Any]) -> dict[Metric, int]:
    """What sending counts, from its figures; a run that was cut off before it sent anything counts none."""
    return {Metric.MESSAGES_SENT: result.get("sent", 0), Metric.MESSAGES_UNSENT: result.get("unsent", 0)}
