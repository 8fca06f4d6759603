"""A file of calls, as a phone writes it, counts once and on its own days, however often and late it arrives."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from functions.ingest.handler import handler
from healthscore.core.time import DAY, format_instant
from healthscore.http.api_keys import Scope
from healthscore.services.ingestion.identity import Tracker
from healthscore.storage.day_logs import rollups
from tests.support.gateway import gateway_event
from tools import keys

pytestmark = pytest.mark.no_cover  # it would double their time

WRITTEN = datetime(2026, 11, 18, 22, tzinfo=UTC)
KEY = "phone"
NAMED, OF_A_MEMBER, OF_A_VISITOR = (
    {"userId": "ann", "context": {"groupId": "acme"}},
    {"userId": "ann"},
    {"anonymousId": "phone-1"},
)
SAID = pytest.mark.parametrize("said", [NAMED, OF_A_MEMBER, OF_A_VISITOR], ids=["named", "of a member", "of a visitor"])


@pytest.fixture(autouse=True)
def workspace(tables):
    keys.add(KEY, Scope.WRITE, "test", WRITTEN)
    calls = [
        {"type": "identify", "anonymousId": "phone-1", "userId": "ann"},
        {"type": "group", "userId": "ann", "groupId": "acme"},
    ]
    deliver([{**call, "timestamp": format_instant(WRITTEN - 9 * DAY)} for call in calls], WRITTEN)


def deliver(calls, now: datetime, sent_at: datetime | None = None) -> tuple[int, int]:
    """Deliver calls in one batch; answers how many events were accepted, and how many were known."""
    body = {"batch": calls} if sent_at is None else {"batch": calls, "sentAt": format_instant(sent_at)}
    answer = handler(gateway_event("POST", "/v1/batch", key=KEY, body=body, now=now), None)
    said = json.loads(answer["body"])
    assert (answer["statusCode"], said["rejected"]) == (200, [])
    return said["accepted"], said["duplicates"]


def a_file(said, *, ahead: timedelta = timedelta(0)) -> list[dict]:
    """Twelve events within six hours around a midnight, as a phone notes them whose clock is ahead."""
    times = [WRITTEN - timedelta(hours=1) + number * timedelta(minutes=30) for number in range(12)]
    return [
        {"type": "track", "event": "tapped", "messageId": f"m{number}", "timestamp": format_instant(at + ahead), **said}
        for number, at in enumerate(times)
    ]


def days() -> dict[str, int]:
    found = rollups.rollups("acme", (WRITTEN - 30 * DAY).date(), (WRITTEN + 30 * DAY).date(), consistent=True)
    return {day.day.isoformat(): day.events for day in found}


RIGHT = {"2026-11-18": 6, "2026-11-19": 6}


@SAID
def test_file__delivered_at_once_later_and_in_other_batches__counts_once_on_its_own_days(said):
    file = a_file(said)
    end = WRITTEN + timedelta(hours=5)
    accepted = [
        deliver(file, end, end),
        deliver(file, end + timedelta(minutes=1), end),
        deliver(file, end + DAY, end),
        deliver(file[:5], end + DAY, end + DAY),
        deliver(file[3:], end + 3 * DAY, end + 3 * DAY),
    ]
    assert accepted == [(12, 0), (0, 12), (0, 12), (0, 5), (0, 9)]
    assert days() == RIGHT


@SAID
@pytest.mark.parametrize("order", [*permutations(range(3))], ids=str)
def test_file__of_a_clock_ahead_by_a_day__counts_once_on_its_own_days_in_any_order_of_deliveries(said, order):
    """The first delivery decides. While the clock is ahead of the receipt its times are put right; later they stand."""
    ahead = timedelta(hours=25)
    file = a_file(said, ahead=ahead)
    end = WRITTEN + timedelta(hours=5)
    deliveries = [
        (file, end, end + ahead),
        (file[2:], end + timedelta(minutes=11), end + timedelta(minutes=7) + ahead),
        (file, end + 2 * DAY, end + ahead),
    ]
    for number in order:
        deliver(*deliveries[number])
    assert sum(days().values()) == len(file)
    if order[0] == 0:
        assert days() == RIGHT
    if order[0] == 2:
        assert days() == {"2026-11-19": 4, "2026-11-20": 8}


def test_file__of_a_clock_ahead__of_a_visitor_whose_account_becomes_known_later__counts_once():
    stranger, ahead = {"anonymousId": "phone-2"}, timedelta(hours=25)
    file = a_file(stranger, ahead=ahead)
    end = WRITTEN + timedelta(hours=5)
    deliver(file, end, end + ahead)
    assert days() == {}
    who = {"type": "group", "anonymousId": "phone-2", "userId": "bob", "groupId": "acme"}
    deliver([{**who, "timestamp": format_instant(end)}], end)
    assert days() == RIGHT
    assert deliver(file, end + 2 * DAY, end + ahead) == (0, 12)
    assert days() == RIGHT


def test_events__without_a_time__stay_on_the_day_of_their_first_delivery():
    event = {"type": "track", "event": "tapped", "messageId": "m", "userId": "ann"}
    assert deliver([event], WRITTEN) == (1, 0)
    assert deliver([event], WRITTEN + DAY) == (0, 1)
    assert days() == {"2026-11-18": 1}


@SAID
def test_file__of_a_clock_ahead_without_gates__would_count_twice(said, monkeypatch):
    """So the tests above notice where an event is corrected and nothing remembers it."""

    def without_a_gate(tracker, event):
        return tracker._commit([event._replace(written=None)]).accepted

    monkeypatch.setattr(Tracker, "_commit_gated", without_a_gate)
    file, ahead = a_file(said, ahead=timedelta(hours=25)), timedelta(hours=25)
    end = WRITTEN + timedelta(hours=5)
    deliver(file, end, end + ahead)
    deliver(file, end + 2 * DAY, end + ahead)
    assert sum(days().values()) > len(file)
