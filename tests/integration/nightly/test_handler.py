"""The function as it is deployed, on moto's DynamoDB and SNS."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from pathlib import Path

import boto3
import pytest

from functions.nightly import handler as function
from healthscore.storage.accounts import accounts
from healthscore.storage.client import dynamodb
from tests.integration.nightly.nights import LONG_AGO, account
from tests.unit.core.alerts.nights import lived
from tools.local import aws

EVENTS = Path(__file__).parents[3] / "events"


class Context:
    """Lambda's context, with the time that is left at each time of asking."""

    aws_request_id = "4c6ef742"
    function_name = "nightly"

    def __init__(self, *milliseconds: int) -> None:
        self._left = chain(milliseconds, repeat(900_000 if not milliseconds else 0))

    def get_remaining_time_in_millis(self) -> int:
        return next(self._left)


@pytest.fixture
def published(topic, monkeypatch):
    """What subscribers of the deployed topic get."""
    arn = os.environ["ALERTS_TOPIC_ARN"]
    dynamodb()  # stays in the tables' region, which need not be the topic's here
    monkeypatch.setenv("AWS_DEFAULT_REGION", arn.split(":")[3])
    client = boto3.client("sns")
    client.create_topic(Name=arn.rpartition(":")[2])
    client.close()
    monkeypatch.setenv("APP_URL", "https://health.example.com")
    return lambda: aws.messages(arn)


def thriving_until_yesterday(account_id: str) -> None:
    account(account_id, name="Acme", owner="ana")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    kept = lived(yesterday.date())
    accounts.save_score(accounts.get(account_id), kept)


def sample(name: str) -> dict:
    return json.loads((EVENTS / name).read_text(encoding="utf-8"))


def test_handler__night__sends_what_sns_accepts(published):
    thriving_until_yesterday("acme")
    result = function.handler({}, Context())
    assert (result["scored"], result["sent"], result["left"]) == (1, 2, [])
    fell, *_, digest = published()
    assert fell.subject == "[high] Acme fell to critical: 0"
    assert "Open https://health.example.com/accounts/acme\n" in fell.email
    assert fell.attributes == {
        "kind": "band_fell",
        "kinds": '["band_fell", "score_fell"]',
        "severity": "high",
        "band": "critical",
        "owner": "ana",
    }
    assert digest.attributes == {"kind": "digest", "kinds": '["digest"]', "severity": "low"}


def test_handler__scheduled_event__is_scored_as_of_its_time(published):
    account("acme", since=LONG_AGO)
    scheduled = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    result = function.handler({"time": scheduled.strftime("%Y-%m-%dT%H:%M:%SZ")}, Context())
    assert result["as_of"] == scheduled.isoformat().replace("+00:00", "Z")
    assert [message.attributes["kind"] for message in published()] == ["digest"]


def test_handler__outbox_task__sends_what_is_pending(published):
    thriving_until_yesterday("acme")
    with pytest.raises(function.IncompleteError, match="messages not tried"):
        function.handler({}, Context(900_000))  # enough for the account, and none after it
    assert published() == []
    assert function.handler(sample("nightly-outbox.json"), Context()) == {"sent": 2, "unsent": 0, "left": []}
    assert len(published()) == 2


def test_handler__sweep_out_of_time__leaves_the_rest_to_the_next_sweep(published):
    thriving_until_yesterday("acme")
    with pytest.raises(function.IncompleteError):
        function.handler({}, Context(900_000))
    swept = function.handler(sample("nightly-outbox.json"), Context(0))
    assert swept == {"sent": 0, "unsent": 0, "left": ["messages not tried"]}
    assert published() == []


def test_handler__something_failed__raises_so_that_lambda_tries_again(published, monkeypatch):
    account("acme", since=LONG_AGO)

    def broken(*_, **__):
        raise KeyError

    with monkeypatch.context() as patch:
        patch.setattr("healthscore.services.nightly.account.gather_facts", broken)
        with pytest.raises(function.IncompleteError, match="1 failed account"):
            function.handler({}, Context())
    assert "acme (KeyError)" in published()[0].email
    assert function.handler({}, Context())["scored"] == 1


def test_handler__backfill__answers_its_figures(published):
    account("acme", since=LONG_AGO)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    result = function.handler({"date": yesterday}, Context())
    assert (result["day"], result["backfill"], result["scored"], result["left"]) == (yesterday, True, 1, [])
    assert published() == []


@pytest.mark.usefixtures("published")
def test_handler__event_that_makes_no_sense__raises():
    with pytest.raises(ValueError, match="a run takes"):
        function.handler({"nightly": True}, Context())


@pytest.mark.parametrize("name", ["nightly.json", "nightly-backfill.json"])
@pytest.mark.usefixtures("published")
def test_handler__sample_events__are_understood(name, monkeypatch):
    monkeypatch.setattr(function, "datetime", Now)
    assert function.handler(sample(name), Context())["left"] == []


class Now(datetime):
    """The night of the sample events."""

    @classmethod
    def now(cls, _):
        return datetime(2026, 11, 22, 2, 0, 5, tzinfo=UTC)
