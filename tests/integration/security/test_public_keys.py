"""What a stranger can do who has a public key."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from healthscore.api import public_keys
from healthscore.http import router
from healthscore.metrics import Metric
from healthscore.storage import allowances, schema
from healthscore.storage.accounts import accounts
from healthscore.storage.client import dynamodb
from tests.integration.security.conftest import NOW

PUBLIC, SERVER, ADMIN = ("Bearer the-write-key", "Bearer the-server-key", "Bearer the-admin-key")
SEEN = (NOW - timedelta(hours=1)).isoformat()
MONEY_AND_MAIL = {
    "owner": "Mallory",
    "owner_email": "mallory@evil.example",
    "ownerEmail": "mallory@evil.example",
    "arr": 1,
    "plan": "free",
    "renewal_date": "2027-01-01",
    "renewalDate": "2027-01-01",
    "created_at": "2001-01-01",
    "createdAt": "2001-01-01",
    "champions": ["mallory"],
    "expected_cadence_days": 365,
    "usage_mode": "periodic",
    "usage_channel": "api",
    "signals": {"value_events": ["mallory"]},
    "domain": "evil.example",
    "website": "https://acme.example",
    "attributes": {"domain": "acme.example"},
    "employees": 40,
    "churned": True,
}
"""What an account's traits may try to say."""


@pytest.fixture
def ask(api):
    def ask(method: str, path: str, body: object = b"", key: str = PUBLIC) -> tuple[int, dict]:
        answer = api.ask(method, path, body, authorization=key)
        return answer.status, json.loads(answer.body)

    return ask


def group(account_id: str, user: str = "u-1", **traits: object) -> dict:
    return {"type": "group", "userId": user, "groupId": account_id, "traits": traits, "timestamp": SEEN}


def tracked(number: int, **fields: object) -> dict:
    return {"type": "track", "event": "seen", "messageId": f"m-{number}", "userId": "u-1", "timestamp": SEEN, **fields}


def codes(answer: dict) -> list[str]:
    return [rejection["code"] for rejection in answer["rejected"]]


def test_public_key__traits_of_an_account__fill_a_name_and_nothing_else(ask):
    assert ask("POST", "/v1/group", group("new", name="New Ltd", **MONEY_AND_MAIL))[0] == 200
    profile = accounts.get("new")
    assert (profile.profile, profile.from_traits) == ({"name": "New Ltd"}, ("name",))


@pytest.mark.parametrize("named_by", ["server", "public", "admin"])
def test_public_key__name_that_is_known__stays(ask, named_by):
    if named_by == "admin":
        ask("PUT", "/v1/accounts/acme", {"name": "Acme"}, ADMIN)
    else:
        key = SERVER if named_by == "server" else PUBLIC
        ask("POST", "/v1/group", group("acme", name="Acme") | {"timestamp": "2020-01-01T00:00:00Z"}, key)
    ask("POST", "/v1/group", group("acme", name="Evil Ltd"))
    assert accounts.get("acme").profile["name"] == "Acme"


def test_server_key__what_a_stranger_has_filled__is_replaced_whenever_it_was_said(ask):
    ask("POST", "/v1/group", group("acme", name="Evil Ltd"))
    ask("POST", "/v1/group", group("acme", name="Acme", **MONEY_AND_MAIL) | {"timestamp": "2020-01-01"}, SERVER)
    found = accounts.get("acme").profile
    assert (found["name"], found["plan"], found["owner"], found["arr"]) == ("Acme", "free", "Mallory", 1)


def test_public_key__person_who_is_described__stays_so(ask):
    who = {"userId": "u-1", "timestamp": SEEN}
    ask("POST", "/v1/identify", {**who, "traits": {"name": "Ann", "email": "ann@acme.example"}}, SERVER)
    ask("POST", "/v1/identify", {**who, "traits": {"name": "Eve", "email": "eve@evil.example", "title": "CEO"}})
    key = {"pk": {"S": schema.person_pk("uu-1")}, "sk": {"S": schema.TRAITS}}
    stored = json.loads(dynamodb().get_item(TableName=schema.activity_table(), Key=key)["Item"]["t"]["S"])
    assert {name: value for name, (value, _) in stored.items()} == {
        "name": "Ann",
        "email": "ann@acme.example",
        "title": "CEO",
    }


@pytest.mark.parametrize("traits", [{"internal": True}, {"email": "ann@vendor.example"}, {"name": "robot"}])
def test_public_key__somebody_who_counts__still_counts_afterwards(ask, traits):
    settings = {"identity": {"not_counted": {"email_domains": ["vendor.example"], "names": ["robot"]}}}
    assert ask("PUT", "/v1/settings", settings, ADMIN)[0] == 200
    ask("POST", "/v1/track", tracked(1, context={"groupId": "acme"}), SERVER)
    identify = {"userId": "u-1", "timestamp": SEEN, "traits": traits}
    ask("POST", "/v1/identify", identify)
    assert events_of(ask, "acme") == 1
    ask("POST", "/v1/identify", identify, SERVER)
    assert events_of(ask, "acme") == 0


VICTIM, FRESH = {"userId": "u-1", "timestamp": SEEN}, {"userId": "fresh", "timestamp": SEEN}
STAFF = {"ids": ["staff-1"], "email_domains": ["vendor.example"], "names": ["robot"]}
ON_DEVICE = {"anonymousId": "made-up", "timestamp": SEEN}
DETOURS = {
    "is a user who is listed": [("alias", VICTIM | {"previousId": "staff-1"})],
    "was a user who is listed": [("alias", {"userId": "staff-1", "previousId": "u-1", "timestamp": SEEN})],
    "is called by an address of staff": [("alias", VICTIM | {"previousId": "x@vendor.example"})],
    "is somebody who is marked": [
        ("identify", FRESH | {"traits": {"internal": True}}),
        ("alias", VICTIM | {"previousId": "fresh"}),
    ],
    "is somebody who is marked afterwards": [
        ("alias", VICTIM | {"previousId": "fresh"}),
        ("identify", FRESH | {"traits": {"internal": True}}),
    ],
    "is somebody with an address of staff": [
        ("identify", FRESH | {"traits": {"email": "x@vendor.example"}}),
        ("alias", {"userId": "fresh", "previousId": "u-1", "timestamp": SEEN}),
    ],
    "was on a device that is marked": [
        ("identify", ON_DEVICE | {"traits": {"internal": True}}),
        ("identify", VICTIM | ON_DEVICE),
    ],
    "was on a device that is marked afterwards": [
        ("identify", VICTIM | ON_DEVICE),
        ("identify", ON_DEVICE | {"traits": {"internal": True}}),
    ],
}
"""Calls by which somebody would not count any more, without a word about them alone."""


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("detour", DETOURS)
def test_public_key__somebody_who_counts__is_not_taken_out_by_a_detour(ask, detour, together):
    ask("PUT", "/v1/settings", {"identity": {"not_counted": STAFF}}, ADMIN)
    ask("POST", "/v1/track", tracked(1, context={"groupId": "acme"}), SERVER)
    calls = [{"type": kind, **call} for kind, call in DETOURS[detour]]
    for batch in [calls] if together else [[call] for call in calls]:
        answer = ask("POST", "/v1/batch", {"batch": batch})[1]
        assert answer["rejected"] == []
    assert events_of(ask, "acme") == 1
    # What a stranger has said of the device does not come back with what somebody else says of the same people.
    ask("POST", "/v1/identify", VICTIM | ON_DEVICE | {"timestamp": NOW.isoformat()}, SERVER)
    ask("POST", "/v1/group", group("acme", name="Acme"), SERVER)
    assert events_of(ask, "acme") == 1


@pytest.mark.parametrize("known_by", ["another id", "a device"])
def test_public_key__somebody_who_counts_by__still_counts_when_marked(ask, known_by):
    ask("POST", "/v1/group", group("acme"), SERVER)
    if known_by == "another id":
        ask("POST", "/v1/alias", {"userId": "u-1", "previousId": "u-2", "timestamp": SEEN}, SERVER)
        ask("POST", "/v1/track", tracked(1, userId="u-2"), SERVER)
    else:
        ask("POST", "/v1/identify", {"userId": "u-1", "anonymousId": "d-1", "timestamp": SEEN}, SERVER)
        ask("POST", "/v1/track", tracked(1, userId=None, anonymousId="d-1"), SERVER)
    assert events_of(ask, "acme") == 1
    for user in ("u-1", "u-2"):
        ask("POST", "/v1/identify", {"userId": user, "timestamp": SEEN, "traits": {"internal": True}})
    assert events_of(ask, "acme") == 1


def test_public_key__staff_that_is_marked__counts_for_nothing_whatever_a_stranger_says(ask):
    ask("POST", "/v1/identify", VICTIM | {"traits": {"internal": True}}, SERVER)
    ask("POST", "/v1/track", tracked(1, context={"groupId": "acme"}), SERVER)
    ask("POST", "/v1/track", tracked(2, userId="u-2", context={"groupId": "acme"}), SERVER)
    later = {"timestamp": NOW.isoformat(), "traits": {"internal": False}}
    ask("POST", "/v1/identify", VICTIM | later)
    ask("POST", "/v1/identify", FRESH | later)
    ask("POST", "/v1/alias", VICTIM | {"previousId": "fresh"})
    ask("POST", "/v1/identify", ON_DEVICE | later)
    ask("POST", "/v1/identify", VICTIM | ON_DEVICE)
    assert events_of(ask, "acme") == 1


def test_public_key__visitor_who_is_staff__takes_out_what_it_did_before_it_signed_in(ask):
    """As pages do it: visits without a name, then a sign-in that says all at once."""
    visit = tracked(1, userId=None, anonymousId="d-1")
    ask("POST", "/v1/track", visit)
    ask("POST", "/v1/identify", {**VICTIM, "anonymousId": "d-1", "traits": {"internal": True}})
    ask("POST", "/v1/group", group("acme"))
    ask("POST", "/v1/track", tracked(2, userId="u-2", context={"groupId": "acme"}))
    assert events_of(ask, "acme") == 1


def test_public_key__device_that_is_marked__counts_for_nothing_until_it_is_a_customers(ask):
    ask("POST", "/v1/identify", ON_DEVICE | {"traits": {"internal": True}})
    ask("POST", "/v1/track", tracked(1, userId=None, anonymousId="made-up", context={"groupId": "acme"}))
    ask("POST", "/v1/track", tracked(2, userId="u-2", context={"groupId": "acme"}))
    assert events_of(ask, "acme") == 1


def test_public_key__somebody_new__says_at_sign_in_that_it_is_staff(ask):
    ask("POST", "/v1/identify", {"userId": "u-1", "timestamp": SEEN, "traits": {"internal": True}})
    ask("POST", "/v1/track", tracked(1, context={"groupId": "acme"}))
    assert events_of(ask, "acme") == 0


def events_of(ask, account_id: str) -> int:
    status, health = ask("GET", f"/v1/accounts/{account_id}/health", key="Bearer the-read-key")
    assert status == 200, health
    return health["components"]["activity"]["facts"]["events"]


def test_events_only__calls_that_say_who_is_who__are_rejected_beside_events_that_count(ask):
    assert ask("PUT", "/v1/settings", {"public_keys": {"events_only": True}}, ADMIN)[0] == 200
    batch = {"batch": [group("acme"), tracked(1, groupId="acme"), {"type": "identify", "userId": "u-1"}]}
    batch["batch"].append({"type": "alias", "userId": "u-1", "previousId": "u-2"})
    status, answer = ask("POST", "/v1/batch", batch)
    assert (status, answer["accepted"], codes(answer)) == (200, 1, ["not_for_public_keys"] * 3)
    status, answer = ask("POST", "/v1/batch", batch, SERVER)
    assert (status, answer["rejected"]) == (200, [])


def test_known_accounts_only__what_names_another__is_rejected_alone(ask):
    ask("PUT", "/v1/accounts/acme", {"name": "Acme"}, ADMIN)
    ask("PUT", "/v1/settings", {"public_keys": {"known_accounts_only": True}}, ADMIN)
    sent = [tracked(1, groupId="acme"), tracked(2, groupId="new"), group("new"), group("acme")]
    sent.append({"type": "identify", "userId": "u-9", "anonymousId": "a-9", "context": {"groupId": "new"}})
    status, answer = ask("POST", "/v1/batch", {"batch": sent})
    assert (status, answer["accepted"], codes(answer)) == (200, 1, ["unknown_account"] * 3)
    assert accounts.get("new") is None
    event = {"account_id": "new", "name": "seen", "timestamp": SEEN}
    status, answer = ask("POST", "/v1/events", {"events": [event, event | {"account_id": "acme"}]})
    assert (status, answer["accepted"], codes(answer)) == (200, 1, ["unknown_account"])
    assert ask("POST", "/v1/events", {"events": [event]})[1]["code"] == "all_rejected"
    assert ask("POST", "/v1/events", {"events": [event]}, SERVER)[1]["accepted"] == 1
    assert ask("POST", "/v1/events", {"events": [event | {"name": "left"}]})[1]["accepted"] == 1


def test_new_accounts__beyond_the_days_number__are_rejected_alone(ask):
    ask("PUT", "/v1/settings", {"public_keys": {"new_accounts_per_day": 2}}, ADMIN)
    sent = [tracked(number, groupId=f"new-{number % 4}") for number in range(8)]
    status, answer = ask("POST", "/v1/batch", {"batch": sent})
    assert (status, answer["accepted"], codes(answer)) == (200, 4, ["too_many_new_accounts"] * 4)
    assert [accounts.get(f"new-{number}") is not None for number in range(4)] == [True, True, False, False]
    assert ask("POST", "/v1/batch", {"batch": sent[:2]})[1]["duplicates"] == 2


def test_flood__beyond_the_days_numbers__costs_no_write_an_account_nor_a_call(ask, monkeypatch):
    ask("PUT", "/v1/settings", {"public_keys": {"new_accounts_per_day": 300, "events_per_day": 2000}}, ADMIN)
    written, take = [], allowances._take
    monkeypatch.setattr(allowances, "_take", lambda *given: written.append(given) or take(*given))
    sent = [tracked(number, groupId=f"new-{number}") for number in range(1000)]
    status, answer = ask("POST", "/v1/batch", {"batch": sent})
    assert (status, answer["accepted"], codes(answer)) == (200, 300, ["too_many_new_accounts"] * 700)
    assert len(written) < 30
    written.clear()
    ask("POST", "/v1/batch", {"batch": sent})
    read = []
    monkeypatch.setattr(public_keys.existence, "known", lambda ids: read.append(ids) or set())
    written.clear()
    for _ in range(3):
        assert codes(ask("POST", "/v1/batch", {"batch": sent})[1]) == ["too_many_today"] * 1000
    assert (len(written) <= 1, read) == (True, [])
    ask("PUT", "/v1/settings", {"public_keys": {"events_per_day": 10_000}}, ADMIN)
    assert ask("POST", "/v1/batch", {"batch": sent[:1]})[1]["duplicates"] == 1


def test_events__beyond_the_days_number__are_refused_until_the_next_day(ask, monkeypatch):
    ask("PUT", "/v1/settings", {"public_keys": {"events_per_day": 5}}, ADMIN)
    sent = [tracked(number, groupId="acme") for number in range(4)]
    assert ask("POST", "/v1/batch", {"batch": sent})[1]["accepted"] == 4
    counted = []
    monkeypatch.setattr(router, "embedded", lambda counts, *_: counted.append(counts) or {})
    status, answer = ask("POST", "/v1/batch", {"batch": sent})
    assert (status, codes(answer)) == (200, ["too_many_today"] * 4)
    assert counted[0][Metric.EVENTS_OVER_LIMIT] == 4
    events = [{"account_id": "acme", "name": "seen", "timestamp": SEEN}] * 2
    assert ask("POST", "/v1/events", {"events": events})[0] == 429
    assert ask("POST", "/v1/events", {"events": events[:1]})[0] == 200
    assert ask("POST", "/v1/batch", {"batch": sent}, SERVER)[1]["duplicates"] == 4


def test_events__beyond_the_days_number__learn_when_the_next_day_begins(api, ask):
    ask("PUT", "/v1/settings", {"public_keys": {"events_per_day": 1}}, ADMIN)
    events = {"events": [{"account_id": "acme", "name": "seen", "timestamp": SEEN}] * 2}
    answer = api.ask("POST", "/v1/events", events, authorization=PUBLIC)
    assert json.loads(answer.body)["code"] == "too_many_today"
    waits = datetime.now(UTC) + timedelta(seconds=int(answer.headers["retry-after"]))
    assert waits.date() == datetime.now(UTC).date() + timedelta(days=1)


def anything(rng: random.Random, number: int) -> tuple[str, object]:
    """Some call with some traits, about some account and user, those of a customer among them."""
    text = rng.choice(["acme", "beta", "evil", "u-1", "u-2", "a-1", "\u00e9", "x" * 90])
    ids = {
        name: rng.choice(["acme", "evil", "u-1", "u-9", "a-1", 7, "undefined", text])
        for name in ("userId", "anonymousId", "groupId", "previousId", "account_id", "messageId")
        if rng.random() < 0.6
    }
    wild = {**MONEY_AND_MAIL, "name": "Evil", "email": "x@vendor.example", "title": "CEO", "internal": True, "id": 1}
    traits = {name: wild[name] for name in rng.sample(sorted(wild), rng.randrange(len(wild)))}
    kind = rng.choice(["track", "page", "screen", "identify", "group", "alias"])
    call = {"type": kind, "event": "seen", "timestamp": SEEN, **ids, **dict.fromkeys(_places(rng), traits)}
    if rng.random() < 0.3:
        call["context"] = {"groupId": text, "traits": traits}
    if rng.random() < 0.2:
        event = {"account_id": text, "name": "seen", "timestamp": SEEN, "user_id": "u-1", "properties": traits}
        return "/v1/events", {"events": [event]}
    alone = rng.random() < 0.3
    return (f"/v1/{kind}", call) if alone else ("/v1/batch", {"batch": [call, tracked(number)], **traits})


def _places(rng: random.Random) -> list[str]:
    return rng.sample(["traits", "properties", "integrations", "profile"], rng.randrange(3))


@pytest.mark.parametrize("seed", range(3))
def test_public_key__whatever_it_sends__moves_no_money_no_mail_and_no_night(api, ask, seed):
    """The state before and after; the alerts of a customer whom the calls may name are compared by a night each."""
    profile = {"name": "Acme", "owner": "Kim", "owner_email": "kim@vendor.example", "arr": 9, "plan": "pro"}
    profile |= {"renewal_date": "2027-03-01", "champions": ["u-1"], "attributes": {"domain": "acme.example"}}
    for account_id in ("acme", "beta"):
        assert ask("PUT", f"/v1/accounts/{account_id}", profile, ADMIN)[0] == 200
    ask("POST", "/v1/group", group("gamma", **{**MONEY_AND_MAIL, "name": "Gamma"}), SERVER)
    settings = {"identity": {"not_counted": {"email_domains": ["vendor.example"]}}}
    ask("PUT", "/v1/settings", settings, ADMIN)
    seen = {"account_id": "beta", "name": "seen", "timestamp": SEEN, "user_id": "b"}
    ask("POST", "/v1/events", {"events": [seen]}, SERVER)
    night = {"date": (NOW - timedelta(days=1)).date().isoformat()}
    before = state()
    rng = random.Random(seed)
    for number in range(120):
        path, body = anything(rng, number)
        status, answer = ask("POST", path, body)
        assert status in {200, 400}, answer
    assert state() == before
    unnamed = accounts.get("beta")
    assert unnamed.profile == profile
    result = json.loads(api.lambdas.invoke("NightlyFunction", json.dumps(night)))
    assert result["complete"]
    assert result["failed"] == 0


def state() -> dict[str, object]:
    """All that money, mail and nights hang on: profiles but for names, settings, keys, and what history has."""
    fields = {}
    for account_id in ("acme", "beta", "gamma"):
        found = accounts.get(account_id)
        fields[account_id] = (found.profile, found.crm)
    for found in accounts.scan(0, 1):
        if found.account_id not in fields:
            assert set(found.profile) <= {"name"}, found.profile
    tables = (schema.settings_table(), schema.history_table())
    items = {table: dynamodb().scan(TableName=table)["Items"] for table in tables}
    for item in items[tables[0]]:
        item.pop("timezone_fixed", None)
    return {"fields": fields, "items": items}
