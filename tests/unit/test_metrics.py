from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from healthscore import metrics
from healthscore.metrics import DIMENSION, Metric, embedded

AT = datetime(2026, 11, 21, 10, 0, 0, 123_000, tzinfo=UTC)
CONTEXT = SimpleNamespace(function_name="healthscore-IngestFunction-abc")


def test_embedded__figures__are_declared_and_stand_beside_their_declaration():
    line = embedded({Metric.EVENTS_ACCEPTED: 3, Metric.EVENTS_DUPLICATE: 0}, CONTEXT, AT)
    assert line == {
        "_aws": {
            "Timestamp": 1795255200123,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Healthscore",
                    "Dimensions": [["FunctionName"]],
                    "Metrics": [
                        {"Name": "EventsAccepted", "Unit": "Count"},
                        {"Name": "EventsDuplicate", "Unit": "Count"},
                    ],
                }
            ],
        },
        "FunctionName": "healthscore-IngestFunction-abc",
        "EventsAccepted": 3,
        "EventsDuplicate": 0,
    }


def test_embedded__nothing_counted__adds_nothing_to_the_line():
    assert embedded({}, CONTEXT, AT) == {}


def test_embedded__no_lambda__is_counted_as_local():
    assert embedded({Metric.SCORE_VIEWS: 1}, None, AT)[DIMENSION] == "local"


def run(**changes):
    result = {"backfill": False, "complete": True, "scored": 9, "failed": 1, "alerts": {"silent": 2, "band_fell": 1}}
    result |= {"published": True}
    return result | {"sent": 3, "unsent": 1} | changes


def test_of_run__night__counts_accounts_alerts_messages_and_itself():
    assert metrics.of_run(run()) == {
        "AccountsScored": 9,
        "AccountsFailed": 1,
        "AlertsRaised": 3,
        "MessagesSent": 3,
        "MessagesUnsent": 1,
        "NightsCompleted": 1,
        "DatasetsMissing": 0,
    }
    assert metrics.of_run(run(published=False))["DatasetsMissing"] == 1


def test_of_run__cut_off_before_it_sent_anything__is_no_night():
    cut_off = {name: value for name, value in run(complete=False).items() if name not in ("sent", "unsent")}
    counts = metrics.of_run(cut_off)
    assert {counts[name] for name in ("NightsCompleted", "DatasetsMissing", "MessagesSent", "MessagesUnsent")} == {0}


@pytest.mark.parametrize("complete", [True, False])
def test_of_run__backfill__counts_nothing(complete):
    """Otherwise a past day that is taken again would hide that tonight's run is missing."""
    assert metrics.of_run(run(backfill=True, complete=complete)) == {}
