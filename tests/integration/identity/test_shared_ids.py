"""An id under which many users appear within a day joins nobody from then on, and is shown as a suspect."""

from __future__ import annotations

import json

import pytest

from functions.api.handler import handler
from healthscore.core.identity.calls import Alias, GroupCall, Identification
from healthscore.core.identity.draft import MANY_IDS, MANY_USERS, USERS_A_DAY
from healthscore.http.api_keys import Scope
from healthscore.storage.day_logs import rollups
from healthscore.storage.people import ids
from tests.integration.identity.calls import NOW, START, record, tracked
from tests.support.events import DAY
from tests.support.gateway import gateway_event
from tools import keys

pytestmark = pytest.mark.usefixtures("tables")

MINUTE, A_DAY = 60_000, 24 * 60 * 60_000


def identify(device: str, number: int, *, apart: int = MINUTE) -> Identification:
    return Identification(device, START + number * apart, f"uuser{number}")


def suspects() -> dict:
    keys.add("admin", Scope.ADMIN, "test", NOW)
    answer = handler(gateway_event("GET", "/v1/identity/suspects", key="admin", now=NOW), None)
    assert answer["statusCode"] == 200
    return json.loads(answer["body"])


def test_device__with_more_than_twenty_users_in_a_day__joins_nobody_from_then_on_and_keeps_what_it_joined():
    for number in range(USERS_A_DAY):
        record(identify("akiosk", number))
    record(GroupCall("uuser0", START, "acme"), tracked("e1", "akiosk", 0))
    record(identify("akiosk", USERS_A_DAY), GroupCall(f"uuser{USERS_A_DAY}", START, "bolt"))
    record(tracked("e2", "akiosk", USERS_A_DAY + 5))
    record(tracked("e3", "akiosk", 0.5))
    owners = {user for _, user in ids.read(["akiosk"]).records["akiosk"].owners}
    assert owners == {f"uuser{number}" for number in range(USERS_A_DAY)}
    (acme,) = rollups.rollups("acme", DAY, DAY, consistent=True)
    assert (acme.events, acme.people) == (2, 1)
    assert rollups.rollups("bolt", DAY, DAY, consistent=True) == []


def test_device__with_many_users_on_many_days__is_not_shared():
    record(*(identify("atablet", number, apart=A_DAY) for number in range(2 * USERS_A_DAY)))
    assert not ids.read(["atablet"]).records["atablet"].shared
    assert suspects() == {"suspects": [], "complete": True}


def test_id__that_was_given_up_for_many_users__joins_none_of_the_further_ones():
    record(*(Alias("ushared", START + number * MINUTE, f"uuser{number}") for number in range(USERS_A_DAY + 1)))
    assert ids.read(["ushared"]).person_of("ushared").users == []


def test_suspects__are_shared_ids_and_those_that_come_close():
    record(*(identify("akiosk", number) for number in range(USERS_A_DAY + 1)))
    record(*(identify("alobby", number) for number in range(MANY_USERS + 1)))
    record(*(identify("aphone", number) for number in range(MANY_USERS)))
    record(*(Alias(f"uold{number}", START, "uann") for number in range(MANY_IDS)))
    found = suspects()
    assert [(one["kind"], one["id"], one["reason"], one["count"]) for one in found["suspects"]][:2] == [
        ("device", "kiosk", "shared", USERS_A_DAY + 1),
        ("device", "lobby", "many_users", MANY_USERS + 1),
    ]
    (many,) = found["suspects"][2:]
    assert (many["kind"], many["reason"]) == ("user", "many_ids")
    assert many["count"] >= MANY_IDS
    assert found["complete"]
