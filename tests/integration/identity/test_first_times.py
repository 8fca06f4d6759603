"""A call whose time depends on its delivery keeps that of its first one, however late and however batched it comes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from healthscore.api.segment_com_calls import parse_calls
from healthscore.core.time import format_instant, millis
from healthscore.services.ingestion.first_times import with_first_times
from healthscore.services.ingestion.identity import Tracker
from healthscore.settings import Settings
from healthscore.storage.client import dynamodb
from healthscore.storage.people import first_times
from healthscore.storage.schema import activity_pk, activity_table
from tests.integration.identity.calls import entries_of
from tests.support.events import MIDNIGHT

pytestmark = pytest.mark.usefixtures("moto")

NOW = MIDNIGHT + timedelta(hours=12)
LATER = NOW + timedelta(hours=25)
EXPIRES = int((NOW + timedelta(days=400)).timestamp())
SEEN = {"type": "track", "event": "seen", "userId": "ann", "messageId": "m", "groupId": "acme"}
GROUP = {"type": "group", "userId": "ann", "anonymousId": "x", "groupId": "acme", "traits": {"plan": "pro"}}


def send(now, *calls):
    return Tracker(Settings(), now, lambda: 60.0).record(parse_calls(list(calls), None, now, Settings()).calls)


def timed(now, *calls):
    return with_first_times(parse_calls(list(calls), None, now, Settings()).calls, Settings(), now)


def parts(calls):
    return [*calls.group_calls, *calls.identifications, *calls.aliases, *calls.accounts, *calls.people]


def test_event__without_a_time__sent_again_on_another_day__counts_once():
    assert send(NOW, SEEN).accepted == 1
    again = send(LATER, {**SEEN, "messageId": "other"}, SEEN)
    assert (again.accepted, again.duplicates) == (1, 1)
    assert sorted(one.at for one in entries_of(activity_pk("acme"))) == [millis(NOW), millis(LATER)]


def test_event__without_a_time_and_twice_in_a_request__has_one_time():
    first, again = timed(NOW, SEEN, SEEN).tracked_events
    assert first.entry == again.entry


def test_event__of_another_sender_with_the_same_message_id__has_a_time_of_its_own():
    timed(NOW, SEEN)
    (other,) = timed(LATER, {**SEEN, "userId": "bob"}).tracked_events
    assert other.entry.at == millis(LATER)


@pytest.mark.parametrize("kind", ["identify", "group", "alias"])
def test_identity_call__without_a_time__keeps_that_of_its_first_delivery(kind):
    call = {**GROUP, "type": kind, "messageId": "m", "previousId": "old"}
    assert {one.at for one in parts(timed(NOW, call))} == {millis(NOW)}
    assert {one.at for one in parts(timed(LATER, call))} == {millis(NOW)}


def test_identity_call__corrected__keeps_its_time_once_the_future_of_its_clock_has_come():
    sent = NOW + timedelta(hours=3)
    call = {**GROUP, "messageId": "m", "timestamp": format_instant(sent), "sentAt": format_instant(sent)}
    assert {one.at for one in parts(timed(NOW, call))} == {millis(NOW)}
    assert {one.at for one in parts(timed(LATER, call))} == {millis(NOW)}


def test_identity_call__without_a_message_id__has_the_time_of_each_delivery():
    timed(NOW, GROUP)
    assert {one.at for one in parts(timed(LATER, GROUP))} == {millis(LATER)}


def test_calls__with_a_time_of_their_own__are_not_decided_and_looked_up_once_at_most(monkeypatch):
    looked_up = []
    monkeypatch.setattr(first_times, "decide", None)
    monkeypatch.setattr(first_times, "known", lambda messages: looked_up.append(len(messages)) or {})
    own = {"timestamp": format_instant(NOW), "sentAt": format_instant(NOW - timedelta(days=3))}
    events = [{**SEEN, **own, "messageId": f"e{number}"} for number in range(3)]
    timed(NOW, *events, {**GROUP, **own})
    assert looked_up == []
    timed(NOW, *events, *({**GROUP, **own, "messageId": f"g{number}"} for number in range(3)))
    assert looked_up == [3]


def test_decide__message_decided_before__keeps_its_time():
    assert first_times.decide({"a": 1, "b": 2}, EXPIRES) == {"a": 1, "b": 2}
    assert first_times.decide({"b": 3, "c": 4}, EXPIRES) == {"b": 2, "c": 4}
    assert first_times.known(["a", "b", "c", "d"]) == {"a": 1, "b": 2, "c": 4}
    assert first_times.decide({}, EXPIRES) == first_times.known([]) == {}


def test_decide__many_at_once__all_get_the_same_answer():
    wanted = [{f"m{number}": who for number in range(120)} for who in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: first_times.decide(one, EXPIRES), wanted))
    assert all(answer == answers[0] for answer in answers)


def test_decide__lost_against_another__reads_the_winners_time(monkeypatch):
    reads, read = [], first_times.known

    def behind(messages):
        found = read(messages)
        reads.append(found)
        if len(reads) == 1:
            first_times.decide({"a": 1}, EXPIRES)
        return found

    monkeypatch.setattr(first_times, "known", behind)
    assert first_times.decide({"a": 2}, EXPIRES) == {"a": 1}


def test_decide__new_item__expires():
    first_times.decide({"a": 1}, EXPIRES)
    (item,) = dynamodb().scan(TableName=activity_table())["Items"]
    assert (item["ttl"], item["at"], item["sk"]) == ({"N": str(EXPIRES)}, {"N": "1"}, {"S": "at"})
