"""What is hard on the model of people: requests that overlap or are cut off, and more than one item holds."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from aws_lambda_powertools import Logger

from functions.ingest.handler import handler
from healthscore.core.identity import draft
from healthscore.core.identity.calls import Alias, GroupCall, Identification
from healthscore.core.time import DAY as ONE_DAY
from healthscore.core.time import format_instant
from healthscore.http.api_keys import Scope
from healthscore.services.ingestion import pending_events, relations
from healthscore.settings import Settings
from healthscore.storage.day_logs import rollups, settle
from healthscore.storage.people import ids, unsettled
from tests.integration.identity.calls import NOW, START, record, tracked
from tests.support.events import DAY
from tests.support.gateway import gateway_event
from tools import keys

pytestmark = pytest.mark.usefixtures("moto")

LOGGER = Logger(service="test", level="CRITICAL")
A_DAY = ONE_DAY // timedelta(milliseconds=1)


def events_of(account_id: str) -> int:
    return sum(day.events for day in rollups.rollups(account_id, DAY - ONE_DAY, DAY + 3 * ONE_DAY, consistent=True))


def test_settlement__while_another_request_names_the_same_id_again__leaves_that_for_the_other(monkeypatch):
    record(tracked("e1", "uann", 60))
    real, overlapping = settle.settle, []

    def overlapped(id_, terms, **how):
        real(id_, terms, **how)
        if not overlapping:
            overlapping.append(id_)
            with monkeypatch.context() as patch:
                patch.setattr(settle, "settle", lambda *_, **__: None)
                patch.setattr(relations.Recorder, "settle", lambda *_: None)  # it is about to settle
                record(GroupCall("uann", START + 1, "bolt"))

    monkeypatch.setattr(settle, "settle", overlapped)
    record(GroupCall("uann", START, "acme"))
    assert (events_of("acme"), events_of("bolt")) == (0, 1)


def test_aliases__whose_save_was_cut_off__name_nobody_twice(monkeypatch):
    aliases = [Alias(f"uold{number}", START, f"unew{number}") for number in range(60)]
    put, puts = relations.writes.apply, []

    def cut_off(*writes):
        puts.append(writes)
        if len(puts) == 2:
            raise relations.StorageUnavailableError("gone")
        put(*writes)

    with monkeypatch.context() as patch:
        patch.setattr(relations.writes, "apply", cut_off)
        with pytest.raises(relations.StorageUnavailableError):
            record(*aliases)
    record(*aliases)
    for number in range(60):
        person = ids.read([f"unew{number}"]).person_of(f"unew{number}")
        assert len(person.users) == len(set(person.users)) == 1


def test_device__of_many_owners_who_are_known_by_other_ids__is_settled_in_transactions_that_fit():
    record(tracked("e1", "adesk", 24 * 60 + 0.5))
    for day in range(3):
        owners = range(draft.USERS_A_DAY)
        record(*(Identification("adesk", START + day * A_DAY + n * 60_000, f"uu{day}-{n}") for n in owners))
        record(*(Alias(f"uu{day}-{n}", START, f"uzzz{day}-{n}") for n in owners))
    assert [*unsettled.all_ids()] == []
    record(GroupCall("uzzz1-0", START, "acme"))
    assert events_of("acme") == 1


def test_sweep__of_a_record_that_nobody_can_settle__goes_on_with_the_others(monkeypatch):
    for user in ("uann", "ubob"):
        record(tracked(f"e {user}", user, 1))
    with monkeypatch.context() as patch:
        patch.setattr(relations.Recorder, "settle", lambda *_: None)
        record(GroupCall("uann", START, "acme"), GroupCall("ubob", START, "acme"))
    real = settle.settle

    def broken(id_, terms, **how):
        if id_ == "uann":
            raise KeyError(id_)
        real(id_, terms, **how)

    monkeypatch.setattr(settle, "settle", broken)
    swept = pending_events.sweep(Settings(), NOW, keep_going=lambda: True, logger=LOGGER)
    assert swept["failed"] >= 1
    monkeypatch.setattr(settle, "settle", real)
    pending_events.sweep(Settings(), NOW, keep_going=lambda: True, logger=LOGGER)
    assert events_of("acme") == 2


def test_person__of_more_ids_than_one_item_holds__joins_no_further_ones(monkeypatch):
    monkeypatch.setattr(draft, "MOST_IDS", 10)
    record(*(Alias(f"uold{number}", START, "uann") for number in range(20)))
    record(*(Identification(f"aphone{number}", START, "uann") for number in range(20)))
    people = ids.read(["uann"])
    person = people.person_of("uann")
    assert 9 <= len(person.users) + len(person.devices) <= 10
    record(GroupCall("uann", START, "acme"), tracked("e1", "uold19", 1), tracked("e2", "uann", 1))
    assert events_of("acme") == 1


def test_timeline__of_more_changes_than_one_item_holds__keeps_the_newest(monkeypatch):
    monkeypatch.setattr(draft, "MOST_POINTS", 10)
    record(*(GroupCall("uann", START + number, f"account{number}") for number in range(30)))
    assert len(ids.read(["uann"]).records["uann"].groups) == 10
    record(tracked("e1", "uann", 5))
    assert events_of("account29") == 1


def test_event__that_names_the_account_of_a_member__is_noted_so_that_its_label_follows():
    record(GroupCall("uann", START, "acme"), tracked("e1", "uann", 1))
    record(tracked("e2", "uann", 2, "acme"))
    record(Alias("uann", START, "uzed"), tracked("e3", "uzed", 3, "acme"))
    (day,) = rollups.rollups("acme", DAY, DAY, consistent=True)
    assert (day.events, day.people, day.sessions) == (3, 1, 1)


@pytest.mark.parametrize("clock", ["9999-12-31T23:30:00Z", "9998-06-01T00:00:00Z", "2031-01-01T00:00:00Z"])
@pytest.mark.parametrize(
    "said", [{"userId": "ann"}, {"userId": "ann", "context": {"groupId": "acme"}}], ids=["own", "named"]
)
def test_event__of_a_clock_far_ahead__is_taken_at_its_corrected_time_and_begins_no_far_day(clock, said):
    keys.add("phone", Scope.WRITE, "test", NOW)
    call = {"type": "track", "event": "tapped", "messageId": "m", "timestamp": clock, **said}
    body = {"batch": [call], "sentAt": clock}
    answer = handler(gateway_event("POST", "/v1/batch", key="phone", body=body, now=NOW), None)
    assert (answer["statusCode"], json.loads(answer["body"])["accepted"]) == (200, 1)
    assert {day.year for day in settle.own_days("uann")} <= {NOW.year}
    assert format_instant(NOW) < clock
