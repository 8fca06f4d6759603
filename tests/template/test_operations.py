"""Alarms watch everything that runs, reach a person, and are explained in docs/operations.md."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from healthscore.metrics import DIMENSION, NAMESPACE, Metric
from tests.template.conftest import ROOT, of_type

RUNBOOK = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
METRICS_OF_AN_ALARM = 10
"""CloudWatch's limit for one alarm."""

Watched = tuple[str, str, str]
"""Namespace, metric and logical id: `("AWS/Lambda", "Errors", "IngestFunction")`."""


@pytest.fixture(scope="session")
def alarms(resources) -> dict[str, dict[str, Any]]:
    return of_type(resources, "AWS::CloudWatch::Alarm")


@pytest.fixture(scope="session")
def watched(alarms) -> set[Watched]:
    return {target for alarm in alarms.values() for target in targets(alarm)}


def targets(alarm: dict[str, Any]) -> set[Watched]:
    """The metrics of an alarm."""
    metrics = [entry["MetricStat"]["Metric"] for entry in alarm.get("Metrics", []) if "MetricStat" in entry] or [alarm]
    return {(metric["Namespace"], metric["MetricName"], _resource(metric["Dimensions"])) for metric in metrics}


def _resource(dimensions: list[dict[str, Any]]) -> str:
    first, *further = dimensions
    match first["Value"]:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return "/".join((name, *(dimension["Value"] for dimension in further)))
    raise AssertionError(f"not a resource of the stack: {first}")


def test_functions__are__watched_for_errors_and_throttles(functions, watched):
    needed = {("AWS/Lambda", metric, name) for name in functions for metric in ("Errors", "Throttles")}
    assert needed - watched == set()


def test_queues__are__watched_for_messages(resources, watched):
    queues = of_type(resources, "AWS::SQS::Queue")
    needed = {("AWS/SQS", "ApproximateNumberOfMessagesVisible", name) for name in queues if "DeadLetters" in name}
    assert needed
    assert needed - watched == set()


def test_state_machines__are__watched_for_failures(resources, watched):
    needed = {
        ("AWS/States", metric, name)
        for name in of_type(resources, "AWS::Serverless::StateMachine")
        for metric in ("ExecutionsFailed", "ExecutionsTimedOut")
    }
    assert needed - watched == set()


def test_tables__are__watched_for_throttles(resources, watched):
    tables = of_type(resources, "AWS::DynamoDB::Table")
    needed = {("AWS/DynamoDB", f"{kind}ThrottleEvents", name) for name in tables for kind in ("Read", "Write")}
    assert needed - watched == set()


def test_indexes__are__watched_for_throttles(resources, watched):
    needed = {
        ("AWS/DynamoDB", f"{kind}ThrottleEvents", f"{name}/{index['IndexName']}")
        for name, table in of_type(resources, "AWS::DynamoDB::Table").items()
        for index in table.get("GlobalSecondaryIndexes", [])
        for kind in ("Read", "Write")
    }
    assert needed
    assert needed - watched == set()


def test_topics__are__watched_for_failed_deliveries(resources, watched):
    needed = {("AWS/SNS", "NumberOfNotificationsFailed", name) for name in of_type(resources, "AWS::SNS::Topic")}
    assert needed
    assert needed - watched == set()


def test_product__is__watched_for_refused_tokens_and_public_keys_that_have_used_their_day_up(watched):
    assert (NAMESPACE, Metric.CRM_REFUSED, "CrmSyncFunction") in watched
    assert (NAMESPACE, Metric.EVENTS_OVER_LIMIT, "IngestFunction") in watched


def test_api__is__watched_for_failures_and_slowness(watched):
    assert ("AWS/ApiGateway", "5xx", "Api") in watched
    assert ("AWS/Lambda", "Duration", "IngestFunction") in watched


def test_night__is__missed_after_26_hours_of_silence(alarms):
    alarm = alarms["NightMissedAlarm"]
    assert targets(alarm) == {(NAMESPACE, Metric.NIGHTS_COMPLETED, "NightlyFunction")}
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 26 * 60 * 60
    assert alarm["DatapointsToAlarm"] == alarm["EvaluationPeriods"]
    assert alarm["TreatMissingData"] == "breaching"


def test_alarms__can__be_made(alarms):
    for name, alarm in alarms.items():
        assert len(targets(alarm)) <= METRICS_OF_AN_ALARM, name
        for entry in alarm.get("Metrics", []):
            assert "Expression" in entry or entry["ReturnData"] is False, name
        periods = {entry["MetricStat"]["Period"] for entry in alarm.get("Metrics", []) if "MetricStat" in entry}
        assert len(periods | {alarm["Period"]} if "Period" in alarm else periods) == 1, name


def test_alarms__watch__only_resources_and_metrics_that_exist(alarms, resources):
    for name, alarm in alarms.items():
        for namespace, metric, resource in targets(alarm):
            assert resource.partition("/")[0] in resources, name
            assert namespace != NAMESPACE or metric in set(Metric), name


def test_alarms__reach__the_operators_when_they_fire_and_when_they_end(alarms):
    """The topic is not that of the alerts: CloudWatch may not publish to one that is encrypted with AWS's own key."""
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "OperationsTopic"}], name
        assert alarm["TreatMissingData"] in {"breaching", "notBreaching"}, name


def test_operations_topic__takes__messages_of_alarms_of_this_account_alone(resources):
    assert "KmsMasterKeyId" not in resources["OperationsTopic"]["Properties"]
    policy = resources["OperationsTopicPolicy"]["Properties"]
    assert policy["Topics"] == [{"Ref": "OperationsTopic"}]
    allow, deny = policy["PolicyDocument"]["Statement"]
    assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allow["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_runbook__has__a_section_for_every_alarm_and_for_no_other(alarms):
    assert set(re.findall(r"^### (\w+Alarm)$", RUNBOOK, re.MULTILINE)) == set(alarms)
    for name, alarm in alarms.items():
        assert alarm["AlarmDescription"].endswith(f"See docs/operations.md, {name}."), name


@pytest.mark.parametrize("part", ["**Means.**", "**Look.**", "**Do.**"])
def test_runbook__says__what_it_means_where_to_look_and_what_to_do(alarms, part):
    sections = re.split(r"^#{2,3} ", RUNBOOK, flags=re.MULTILINE)
    found = {section.partition("\n")[0]: section for section in sections}
    assert [name for name in alarms if part not in found[name]] == []


def test_runbook__explains__every_metric():
    assert [metric for metric in Metric if f"`{metric}`" not in RUNBOOK] == []


def test_log_level__lets__the_lines_pass_that_figures_ride_on(document):
    assert document["Parameters"]["LogLevel"]["AllowedValues"] == ["DEBUG", "INFO"]


@pytest.fixture(scope="session")
def dashboard(resources) -> tuple[dict[str, Any], set[str]]:
    """The dashboard, and the resources it names."""
    text = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    named = set(re.findall(r"\$\{([A-Za-z]+)", text)) - {"AWS"}
    return json.loads(text), named


def test_dashboard__shows__every_alarm_and_only_what_exists(dashboard, alarms, resources):
    _, named = dashboard
    assert named <= set(resources)
    assert set(alarms) <= named


def test_dashboard__shows__every_metric_of_ours(dashboard):
    body, _ = dashboard
    shown = [metric for widget in body["widgets"] for metric in widget["properties"].get("metrics", [])]
    ours = {name: dimension for namespace, name, dimension, *_ in shown if namespace == NAMESPACE}
    assert set(ours) == set(Metric) - {Metric.NIGHTS_COMPLETED}
    assert set(ours.values()) == {DIMENSION}


def test_dashboard__has__widgets_beside_each_other(dashboard):
    body, _ = dashboard
    cells = [
        (widget["x"] + column, widget["y"] + row)
        for widget in body["widgets"]
        for column in range(widget["width"])
        for row in range(widget["height"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(column for column, _ in cells) < 24
