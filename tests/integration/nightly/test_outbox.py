"""What is pending goes out once, whoever sends it, whatever SNS answers, and however much the index lags behind."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from healthscore.outbox import FAILURES_IN_A_ROW, LEASE, Delivery, sns
from healthscore.storage import messages
from tests.integration.nightly.nights import NIGHT, THRIVING, TONIGHT, account, night, outbox_of, schedule, sweep

SOON = TONIGHT + timedelta(minutes=1)
URL = {"endpoint_url": "https://sns"}


def answered(code, status):
    answer = {"Error": {"Code": code, "Message": "secret"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Publish")


@pytest.fixture
def fell(topic):
    """An account about which tonight's run has three things to tell."""
    account("acme", THRIVING, THRIVING, THRIVING)
    return topic


@pytest.mark.parametrize(
    "refusal",
    [
        answered("Throttled", 429),
        answered("AuthorizationError", 403),
        answered("InvalidParameter", 400),
        ConnectTimeoutError(**URL),
        EndpointConnectionError(**URL),
    ],
    ids=lambda refusal: type(refusal).__name__,
)
def test_send__message_surely_refused__stops_no_other_and_goes_out_with_the_next_try(fell, refusal):
    fell.refusals = {"declining": refusal}
    result = night(fell)
    assert (result["sent"], result["unsent"], result["left"]) == (3, 1, ["1 unsent message"])
    assert fell.kinds() == ["band_fell", "score_fell", "digest"]
    fell.refusals = {}
    assert sweep(fell, TONIGHT) == Delivery(sent=1, unsent=0, complete=True)
    assert fell.kinds()[-1] == "declining"
    assert sweep(fell, TONIGHT) == Delivery(sent=0, unsent=0, complete=True)


@pytest.mark.parametrize(
    "loss",
    [
        answered("InternalError", 500),
        answered("ServiceUnavailable", 503),
        ReadTimeoutError(**URL),
        ConnectionClosedError(**URL),
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_send__answer_lost__is_not_sent_again_before_the_lease_is_over(fell, loss):
    """SNS may have accepted it: an immediate repeat is avoided, a late one carries the same id."""
    fell.lost_answers = {"declining": loss}
    assert night(fell)["left"] == ["1 unsent message"]
    fell.lost_answers = {}
    once = fell.ids()
    assert night(fell, now=SOON)["left"] == []
    assert sweep(fell, TONIGHT + LEASE - timedelta(milliseconds=1)).sent == 0
    assert fell.ids() == once
    assert sweep(fell, TONIGHT + LEASE).sent == 1
    assert [alert_id for alert_id in fell.ids() if fell.ids().count(alert_id) > 1] == [
        alert_id for alert_id in once if "declining" in alert_id
    ] * 2


def test_send__topic_out_of_order__leaves_the_rest_to_the_next_time(topic):
    for number in range(4):
        account(f"a{number}", THRIVING, THRIVING, THRIVING)
    broken = answered("Throttled", 429)
    topic.refusals = dict.fromkeys(["band_fell", "score_fell", "declining", "digest"], broken)
    result = night(topic)
    assert (result["unsent"], result["left"]) == (
        FAILURES_IN_A_ROW,
        [f"{FAILURES_IN_A_ROW} unsent messages", "messages not tried"],
    )
    topic.refusals = {}
    assert sweep(topic, TONIGHT).sent == 13
    assert len(set(topic.ids())) == 13


def test_send__index_does_not_know_new_messages_yet__they_go_out_all_the_same(fell, monkeypatch):
    monkeypatch.setattr(messages, "pending", lambda: iter(()))
    night(fell)
    assert fell.kinds() == ["band_fell", "score_fell", "declining", "digest"]


def test_send__index_still_lists_what_was_sent__it_does_not_go_out_again(fell, monkeypatch):
    night(fell)
    stale = [(alert.account_id, alert.alert_id) for alert in fell.alerts()]
    monkeypatch.setattr(messages, "pending", lambda: iter(stale))
    assert sweep(fell, TONIGHT + NIGHT) == Delivery(sent=0, unsent=0, complete=True)


def test_send__no_time_left__stops_before_the_next_message(fell):
    time_left = iter([True, True, False])
    fell.refusals = {"band_fell": answered("Throttled", 429), "score_fell": answered("Throttled", 429)}
    night(fell)
    fell.refusals = {}
    delivery = outbox_of(fell).send([], lambda: next(time_left))
    assert (delivery.sent, delivery.complete, delivery.left) == (2, True, [])


def test_send__time_runs_out__is_not_complete(fell):
    fell.refusals = {"band_fell": answered("Throttled", 429)}
    night(fell)
    delivery = outbox_of(fell).send([], lambda: False)
    assert (delivery.sent, delivery.left) == (0, ["messages not tried"])


def test_send__many_nights__leaves_nothing_pending(fell):
    for offset in range(3):
        night(fell, schedule(TONIGHT + offset * NIGHT), now=TONIGHT + offset * NIGHT)
    assert list(messages.pending()) == []


def test_publish__message__has_a_text_for_each_kind_of_subscriber(fell):
    night(fell)
    [message, *_] = fell.published
    assert message["MessageStructure"] == "json"
    assert message["Subject"] == "[high] acme fell to critical: 0"
    texts = json.loads(message["Message"])
    assert set(texts) == {"default", "email", "sms"}
    assert texts["email"].startswith("acme fell to critical: 0\n\nWhy\n")
    assert texts["sms"].startswith("acme fell to critical: 0. Call acme today")
    assert json.loads(texts["default"])["kind"] == "band_fell"
    assert message["MessageAttributes"] == {
        "kind": {"DataType": "String", "StringValue": "band_fell"},
        "severity": {"DataType": "String", "StringValue": "high"},
        "band": {"DataType": "String", "StringValue": "critical"},
    }


@pytest.mark.usefixtures("topic")
def test_sns__client__never_publishes_twice_by_itself():
    client = sns()
    assert client.meta.config.retries["total_max_attempts"] == 1
    client.close()
