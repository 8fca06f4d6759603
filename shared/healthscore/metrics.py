"""The product's CloudWatch metrics, as members of log lines (embedded metric format).

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
"""Separates stacks: a function's name is unique in its AWS account and region, and alarms select by it."""


class Metric(StrEnum):
    """All metrics. CloudWatch bills each of them, and the first ten of an AWS account are free."""

    EVENTS_ACCEPTED = "EventsAccepted"
    EVENTS_DUPLICATE = "EventsDuplicate"
    EVENTS_REJECTED = "EventsRejected"
    EVENTS_OVER_LIMIT = "EventsOverLimit"
    SCORE_VIEWS = "ScoreViews"
    ACCOUNTS_SCORED = "AccountsScored"
    ACCOUNTS_FAILED = "AccountsFailed"
    ALERTS_RAISED = "AlertsRaised"
    MESSAGES_SENT = "MessagesSent"
    MESSAGES_UNSENT = "MessagesUnsent"
    CRM_REFUSED = "CrmRefused"
    NIGHTS_COMPLETED = "NightsCompleted"
    CRM_VALUES_UNREADABLE = "CrmValuesUnreadable"
    DATASETS_MISSING = "DatasetsMissing"


def embedded(counts: Mapping[Metric, int], context: object, at: datetime) -> dict[str, Any]:
    """Members of a JSON log line that CloudWatch reads as metrics.

    Args:
        counts: figures of one request or run.
        context: Lambda's, which has the function's name.
        at: the instant of the figures, aware.

    Returns:
        `_aws`, which lists the metrics for CloudWatch, the function's name, and the figures; nothing where there are no
        figures.
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
    """The metrics of a nightly run. A backfill has none: the alarm on missing nights must not count it as one.

    Args:
        result: as of `healthscore.services.nightly.finish.finish_run`.
    """
    if result["backfill"]:
        return {}
    return {
        Metric.ACCOUNTS_SCORED: result["scored"],
        Metric.ACCOUNTS_FAILED: result["failed"],
        Metric.ALERTS_RAISED: sum(result["alerts"].values()),
        **of_delivery(result),
        Metric.NIGHTS_COMPLETED: int(result["complete"]),
        Metric.DATASETS_MISSING: int(result["complete"] and not result["published"]),
    }


def of_delivery(result: Mapping[str, Any]) -> dict[Metric, int]:
    """The metrics of sending; zeros for a run that stopped before it sent anything.

    Args:
        result: the figures of a run or of a delivery.
    """
    return {Metric.MESSAGES_SENT: result.get("sent", 0), Metric.MESSAGES_UNSENT: result.get("unsent", 0)}
