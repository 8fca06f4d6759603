"""A pending message is sent once, by any sender, whatever SNS answers, and however far the index lags behind."""

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

from healthscore.core.alerts.model import Alert, AlertKind, Severity
from healthscore.services.notifications.outbox import BATCH_BYTES, FAILURES_IN_A_ROW, LEASE, Delivery, sns
from healthscore.storage.alerts import messages
from healthscore.storage.errors import StorageUnavailableError
from tests.integration.nightly.nights import NIGHT, THRIVING, TONIGHT, account, night, outbox_of, schedule, sweep

SOON = TONIGHT + timedelta(minutes=1)
URL = {"endpoint_url": "https://sns"}


def answered(code, status):
    answer = {"Error": {"Code": code, "Message": "secret"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PublishBatch")


@pytest.fixture
def fell(topic):
    """Three accounts that tonight's run has alerts about."""
    for name in ALERTED:
        account(name, THRIVING, THRIVING, THRIVING)
    return topic


ALERTED = ["ada", "bob", "cyd"]


@pytest.mark.parametrize(
    "refusal",
    [
        answered("Throttled", 429),
        answered("AuthorizationError", 403),
        answered("BatchRequestTooLong", 400),
        ConnectTimeoutError(**URL),
        EndpointConnectionError(**URL),
    ],
    ids=lambda refusal: type(refusal).__name__,
)
def test_send__batch_surely_refused__stops_no_other_and_goes_out_with_the_next_try(fell, refusal):
    fell.refusals = {"cyd": refusal}
    result = night(fell)
    assert (result["sent"], result["unsent"], result["left"]) == (1, 3, ["3 unsent messages"])
    assert fell.abouts() == ["digest"]
    fell.refusals = {}
    assert sweep(fell, TONIGHT) == Delivery(sent=3, unsent=0, complete=True)
    assert sorted(fell.abouts()[1:]) == sorted(ALERTED)
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
    fell.lost_answers = {"cyd": loss}
    assert night(fell)["left"] == ["3 unsent messages"]
    fell.lost_answers = {}
    once = fell.abouts()
    assert night(fell, now=SOON)["left"] == []
    assert sweep(fell, TONIGHT + LEASE - timedelta(milliseconds=1)).sent == 0
    assert fell.abouts() == once == [*ALERTED, "digest"]
    assert sweep(fell, TONIGHT + LEASE).sent == 3
    assert sorted(fell.abouts()[4:]) == sorted(ALERTED)
    assert len(set(fell.ids())) == 4


def test_send__one_message_of_a_batch_refused__goes_out_alone_with_the_next_try(fell):
    fell.failed = {"bob": True}
    result = night(fell)
    assert (result["sent"], result["unsent"], result["left"]) == (3, 1, ["1 unsent message"])
    assert fell.abouts() == ["ada", "cyd", "digest"]
    fell.failed = {}
    assert sweep(fell, TONIGHT) == Delivery(sent=1, unsent=0, complete=True)
    assert fell.abouts() == ["ada", "cyd", "digest", "bob"]


@pytest.mark.parametrize("accident", [{"failed": {"bob": False}}, {"unanswered": {"bob"}}], ids=repr)
def test_send__fate_of_one_message_of_a_batch_unknown__goes_out_alone_after_the_lease(fell, accident):
    for name, value in accident.items():
        setattr(fell, name, value)
    assert night(fell)["left"] == ["1 unsent message"]
    fell.failed, fell.unanswered = {}, set()
    once = fell.abouts()
    assert sweep(fell, TONIGHT + LEASE - timedelta(milliseconds=1)).sent == 0
    assert sweep(fell, TONIGHT + LEASE).sent == 1
    assert fell.abouts() == [*once, "bob"]


def test_send__more_than_a_batch__goes_out_in_full_batches_and_the_digest_alone(topic):
    for number in range(12):
        account(f"a{number:02}", THRIVING, THRIVING, THRIVING)
    batches = []
    publish = topic.publish_batch

    def noting(**batch):
        batches.append(len(batch["PublishBatchRequestEntries"]))
        return publish(**batch)

    topic.publish_batch = noting
    night(topic)
    assert batches == [10, 2, 1]
    assert topic.kinds()[-1] == "digest"


def test_send__messages_too_long_for_one_batch__go_out_in_several(topic):
    long = "x" * (BATCH_BYTES // 5)
    for number in range(3):
        alert = Alert(f"{number}", "acme", AlertKind.SILENT, Severity.LOW, TONIGHT.date(), TONIGHT, "t", long, (), "a")
        messages.add(messages.Message("acme", alert.alert_id, TONIGHT, alert.to_json()))
    lengths = []
    publish = topic.publish_batch

    def noting(**batch):
        lengths.append([len(entry["Message"]) for entry in batch["PublishBatchRequestEntries"]])
        return publish(**batch)

    topic.publish_batch = noting
    assert outbox_of(topic).send([], lambda: True) == Delivery(sent=3, unsent=0, complete=True)
    assert [len(batch) for batch in lengths] == [2, 1]
    assert all(sum(batch) <= BATCH_BYTES for batch in lengths)


def test_send__storage_fails_for_one_message__the_others_are_sent_and_marked(fell, monkeypatch):
    fell.refusals = dict.fromkeys(["ada", "digest"], answered("Throttled", 429))
    night(fell)
    fell.refusals = {}
    claim, mark = messages.claim, messages.mark_sent

    def fails_for(call, name):
        def fail(account_id, message_id, **arguments):
            if account_id == name:
                raise StorageUnavailableError("throttled")
            return call(account_id, message_id, **arguments)

        return fail

    with monkeypatch.context() as accident:
        accident.setattr(messages, "claim", fails_for(claim, "ada"))
        accident.setattr(messages, "mark_sent", fails_for(mark, "bob"))
        with pytest.raises(StorageUnavailableError):
            sweep(fell, TONIGHT)
    assert set(fell.abouts()) == {"bob", "cyd"}
    assert sweep(fell, TONIGHT).sent == 2
    assert set(fell.abouts()[2:]) == {"ada", "digest"}


def test_send__topic_out_of_order__leaves_the_rest_to_the_next_time(topic):
    names = [f"a{number:02}" for number in range(12)]
    for name in names:
        account(name, THRIVING, THRIVING, THRIVING)
    topic.failed = dict.fromkeys([*names, "digest"], True)
    result = night(topic)
    assert result["unsent"] == 10 >= FAILURES_IN_A_ROW
    assert result["left"] == ["10 unsent messages", "messages not tried"]
    topic.failed = {}
    assert sweep(topic, TONIGHT).sent == 13
    assert len(set(topic.ids())) == 13


def test_send__index_does_not_list_new_messages_yet__they_go_out_all_the_same(fell, monkeypatch):
    monkeypatch.setattr(messages, "pending", lambda: iter(()))
    night(fell)
    assert fell.abouts() == ["ada", "bob", "cyd", "digest"]


def test_send__index_still_lists_what_was_sent__it_does_not_go_out_again(fell, monkeypatch):
    night(fell)
    stale = [(alert.account_id, alert.alert_id) for alert in fell.alerts()]
    monkeypatch.setattr(messages, "pending", lambda: iter(stale))
    assert sweep(fell, TONIGHT + NIGHT) == Delivery(sent=0, unsent=0, complete=True)


def test_send__no_time_left__stops_before_the_next_batch(fell):
    time_left = iter([True, False])
    fell.refusals = {"ada": answered("Throttled", 429), "digest": answered("Throttled", 429)}
    night(fell)
    fell.refusals = {}
    delivery = outbox_of(fell).send([], lambda: next(time_left))
    assert (delivery.sent, delivery.complete, delivery.left) == (3, False, ["messages not tried"])


def test_send__time_runs_out__is_not_complete(fell):
    fell.refusals = {"ada": answered("Throttled", 429)}
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
    assert message["Subject"] == "[high] ada fell to critical: 0"
    texts = json.loads(message["Message"])
    assert set(texts) == {"default", "email", "sms"}
    assert texts["email"].startswith("ada fell to critical: 0\nCall ada today and find out")
    assert texts["sms"].startswith("ada fell to critical: 0. Call ada today")
    assert json.loads(texts["default"])["kind"] == "band_fell"
    assert message["MessageAttributes"] == {
        "kind": {"DataType": "String", "StringValue": "band_fell"},
        "kinds": {"DataType": "String.Array", "StringValue": '["band_fell", "score_fell", "declining"]'},
        "severity": {"DataType": "String", "StringValue": "high"},
        "band": {"DataType": "String", "StringValue": "critical"},
    }


@pytest.mark.usefixtures("topic")
def test_sns__client__never_publishes_twice_by_itself():
    client = sns()
    assert client.meta.config.retries["total_max_attempts"] == 1
    client.close()
