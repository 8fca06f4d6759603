"""The state machine itself: moto interprets its definition, and its Lambda tasks are the real function."""

from __future__ import annotations

import json
import os
import re
import time
from datetime import datetime
from threading import Lock
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.config import default_user_config
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl

from functions.nightly import handler as function
from healthscore import process
from healthscore.core.alerts.model import AlertKind
from healthscore.services.nightly import plan
from healthscore.storage.accounts import accounts
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.runs import runs
from tests.integration.nightly.nights import ABSENT, THRIVING, TONIGHT, Tables, account, items, night, schedule
from tests.integration.nightly.test_handler import Context
from tests.template.conftest import ROOT

DEFINITION = (ROOT / "statemachine" / "nightly.asl.json").read_text(encoding="utf-8")
SUBSTITUTIONS = {
    "InvokeLambda": "arn:aws:states:::lambda:invoke",
    "NightlyFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:nightly",
}
TRUST = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}


def definition() -> str:
    return re.sub(r"\$\{(\w+)\}", lambda match: SUBSTITUTIONS[match[1]], DEFINITION)


class Machine:
    """The state machine, with a record of its tasks, and failures to come."""

    def __init__(self) -> None:
        self.tasks: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self.failures: dict[int, int] = {}
        """By segment: how often its worker is still to fail."""
        self.time_for: int | None = None
        """Accounts that a worker has time for; None for all."""
        self._lock = Lock()

    def invoke(self, _name: str, _version: object, body: Any, _headers: object, answer: Any) -> bytes:
        """Stands in for Lambda: one call at a time, since moto's tables belong to this process."""
        with self._lock:
            task = json.loads(body)
            self.tasks.append(task)
            try:
                result = self._acknowledged_by(task)
            except Exception as error:  # noqa: BLE001  (as Lambda does)
                answer["x-amz-function-error"] = "Unhandled"
                return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}).encode()
            self.answers.append(result)
            return json.dumps(result).encode()

    def _acknowledged_by(self, task: dict[str, Any]) -> dict[str, Any]:
        segment = task.get("segment")
        if self.failures.get(segment, 0):
            self.failures[segment] -= 1
            raise StorageUnavailableError("injected")
        limited = self.time_for is not None and task["task"] == "segment"
        return function.handler(task, Context(*[900_000] * self.time_for) if limited else Context())

    def run(self, event: dict[str, Any]) -> dict[str, Any]:
        """Execute it to its end."""
        states = boto3.client("stepfunctions", region_name="us-east-1")
        role = boto3.client("iam").create_role(
            RoleName="nightly", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
        )
        machine = states.create_state_machine(name="nightly", definition=definition(), roleArn=role["Role"]["Arn"])
        started = states.start_execution(
            stateMachineArn=machine["stateMachineArn"], name="night-1", input=json.dumps(event)
        )
        while True:
            execution = states.describe_execution(executionArn=started["executionArn"])
            if execution["status"] != "RUNNING":
                return execution
            time.sleep(0.02)

    def worked_on(self) -> list[tuple[int, int]]:
        """Segment and chunk of each worker that was started."""
        return [(task["segment"], task["chunk"]) for task in self.tasks if task["task"] == "segment"]


@pytest.fixture
def interpreter():
    """Moto without a server between, for its Step Functions would not find the function through one."""
    with mock_aws():
        yield


@pytest.fixture
def machine(interpreter, topic, bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", os.environ["AWS_ENDPOINT_URL"])
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    process.forget()
    machine = Machine()
    monkeypatch.setitem(default_user_config, "stepfunctions", {"execute_state_machine": True})
    monkeypatch.setitem(default_user_config, "lambda", {"use_docker": False})
    monkeypatch.setattr(LambdaSimpleBackend, "invoke", machine.invoke)
    monkeypatch.setattr(retrier_decl, "time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr(function, "datetime", Tonight)
    monkeypatch.setattr("healthscore.services.notifications.outbox.sns", lambda: topic)
    monkeypatch.setattr(plan, "ACCOUNTS_PER_SCAN_PART", 4)
    return machine


class Tonight(datetime):
    """The machine's clock."""

    @classmethod
    def now(cls, _):
        return TONIGHT


def workspace_of(number: int) -> None:
    for one in range(number):
        account(f"a{one:02}", THRIVING if one % 3 else ABSENT)


def test_machine__night__is_what_one_invocation_would_have_made_of_it(machine, topic):
    workspace_of(12)
    tables = Tables()
    whole, stored, sent = night(topic), items("HISTORY_TABLE"), sorted(topic.ids())
    tables.bring_back()
    topic.published.clear()
    execution = machine.run(schedule(TONIGHT))
    assert execution["status"] == "SUCCEEDED"
    assert json.loads(execution["output"]) == whole
    assert (items("HISTORY_TABLE"), sorted(topic.ids())) == (stored, sent)
    assert sorted(machine.worked_on()) == [(0, 0), (1, 0), (2, 0)]


def test_machine__small_workspace__is_one_part(machine, topic):
    workspace_of(3)
    assert machine.run({})["status"] == "SUCCEEDED"
    assert machine.worked_on() == [(0, 0)]
    assert topic.kinds().count("digest") == 1


def test_machine__no_account_yet__ends_without_a_message(machine, topic):
    assert machine.run({})["status"] == "SUCCEEDED"
    assert topic.published == []


def test_machine__worker_fails_twice_then_works__leaves_nothing_out(machine, topic):
    workspace_of(12)
    machine.failures[1] = 2
    result = json.loads(machine.run(schedule(TONIGHT))["output"])
    assert machine.worked_on().count((1, 0)) == 3
    assert (result["scored"], result["left"]) == (12, [])
    assert len(topic.ids()) == len(set(topic.ids()))


def test_machine__part_fails_for_good__is_tolerated_and_named_in_the_digest(machine, topic, monkeypatch):
    monkeypatch.setattr(plan, "ACCOUNTS_PER_SCAN_PART", 1)
    workspace_of(12)
    machine.failures[7] = 100
    execution = machine.run(schedule(TONIGHT))
    result = json.loads(execution["output"])
    assert machine.worked_on().count((7, 0)) == 5
    assert (execution["status"], result["missing"], result["complete"]) == ("SUCCEEDED", [7], True)
    (digest,) = [alert for alert in topic.alerts() if alert.kind is AlertKind.DIGEST]
    assert "1 part of 12 could not be finished, by number: 7." in digest.why


def test_machine__too_many_parts_fail__fails_and_finishes_no_night(machine, topic):
    workspace_of(12)
    machine.failures[1] = 100
    execution = machine.run(schedule(TONIGHT))
    assert (execution["status"], execution["error"]) == ("FAILED", "IncompleteError")
    assert "digest" not in topic.kinds()
    machine.failures[1] = 0
    assert night(topic)["scored"] == 12
    assert topic.kinds().count("digest") == 1
    assert len(topic.ids()) == len(set(topic.ids()))


def test_machine__worker_runs_out_of_time__the_next_goes_on(machine, topic):
    workspace_of(12)
    machine.time_for = 2
    result = json.loads(machine.run(schedule(TONIGHT))["output"])
    assert result["scored"] == 12
    resumed = [task for task in machine.tasks if task.get("resume")]
    assert resumed
    assert len({task["resume"] for task in resumed}) == len(resumed)
    assert all(accounts.get(f"a{one:02}").latest.day == TONIGHT.date() for one in range(12))


def test_machine__backfill__takes_snapshots_and_sends_nothing(machine, topic):
    workspace_of(5)
    execution = machine.run({"date": "2026-11-19"})
    assert (execution["status"], json.loads(execution["output"])["scored"]) == ("SUCCEEDED", 5)
    assert topic.published == []


def test_machine__event_that_makes_no_sense__fails_at_once(machine):
    execution = machine.run({"time": "tonight"})
    assert (execution["status"], execution["error"]) == ("FAILED", "ValueError")
    assert len(machine.tasks) == 1


def test_plan_parts__a_thousand_parts__stay_far_below_what_a_state_may_hold(machine, topic, monkeypatch):
    """A state's input and output end at 256 KB, also the one that holds the answers of all parts."""
    monkeypatch.setattr(runs, "accounts_about", lambda: 10_000_000)
    started = plan.plan_scan_parts({"task": "start", "event": schedule(TONIGHT), "execution": "x" * 80}, TONIGHT)
    assert started["segments"] == len(started["numbers"]) == plan.MAX_SCAN_PARTS
    assert len(json.dumps(started)) < 256 * 1024 / 10
    answers = [json.loads(definition())["States"]["Segments"]["ItemProcessor"]["States"]["Done"]["Result"]] * 1000
    assert len(json.dumps(answers)) < 256 * 1024 / 10
