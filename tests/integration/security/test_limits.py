"""What is too much is refused in words, by the function itself: no crash, no time-out, nothing stored."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta

from healthscore.api.event_rules import MAX_EVENTS
from healthscore.http.body import MAX_BODY_BYTES
from healthscore.storage import codec, reads, schema, writes
from healthscore.storage.accounts import accounts
from healthscore.storage.errors import NoRoomError
from healthscore.storage.people import ids
from tests.integration.security.conftest import everything

DEEP = 100_000


def batch(**fields) -> dict:
    at = datetime.now(UTC).isoformat()
    return {"account_id": "acme", "name": "seen", "timestamp": at, **fields}


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


BODIES = {
    "larger than is read": (b" " * (MAX_BODY_BYTES + 1), 413, "body_too_large"),
    "a bomb": (gzip.compress(b" " * (40 * MAX_BODY_BYTES)), 413, "body_too_large"),
    "a bomb in a bomb": (gzip.compress(gzip.compress(b"[" * MAX_BODY_BYTES)), 400, "invalid_json"),
    "many little members": (gzip.compress(b"") * 10_000, 400, "invalid_json"),
    "damaged gzip": (gzip.compress(b'{"events": []}')[:-9], 400, "invalid_json"),
    "lists without end": (b"[" * DEEP, 400, "invalid_json"),
    "deep lists": (b"[" * DEEP + b"]" * DEEP, 400, "invalid_json"),
    "deep objects": (nested(DEEP).encode(), 400, "invalid_json"),
    "too many events": (json.dumps({"events": [{}] * (MAX_EVENTS + 1)}).encode(), 413, "too_many_events"),
    "a number of a million digits": (b'{"events": [{"value": ' + b"9" * 1_000_000 + b"}]}", 400, "all_rejected"),
    "properties beyond their size": (
        json.dumps({"events": [batch(properties={"x": "y" * 40_000})]}).encode(),
        400,
        "all_rejected",
    ),
    "half a surrogate": (b'{"events": [{"account_id": "\\ud800"}]}', 400, "all_rejected"),
    "not UTF-8": (b"\xff\xfe\x00", 400, "invalid_json"),
}


def test_events__bodies_that_are_too_much__are_refused_in_words(api):
    before = everything()
    for name, (sent, status, code) in BODIES.items():
        answer = api.ask("POST", "/v1/events", sent, authorization="Bearer the-write-key")
        assert (answer.status, json.loads(answer.body)["code"]) == (status, code), name
    assert everything() == before


def test_schemas__bodies_that_are_too_much__are_refused_in_words(api):
    for path in ("/v1/settings", "/v1/accounts/acme", "/v1/accounts/acme/crm"):
        for body in (b"[" * DEEP, nested(500).encode(), b'{"milestones": ' + b"9" * 100_000 + b"}"):
            assert api.ask("PUT", path, body, authorization="Bearer the-admin-key").status == 400, (path, body[:20])


def test_bodies__before_the_key_is_known__are_not_looked_at(api):
    """A stranger's body costs no inflating and no parsing."""
    for name, (sent, _, _) in BODIES.items():
        assert api.ask("POST", "/v1/events", sent).status == 401, name


def test_headers__as_many_as_the_gateway_lets_through__change_nothing(api):
    headers = {f"x_{number}": "v" * 20 for number in range(400)}
    answer = api.ask("GET", "/v1/settings", authorization="Bearer the-admin-key", **headers)
    assert answer.status == 200


def test_query__of_unknown_names__is_refused_without_repeating_all_of_it(api):
    query = "&".join(f"x{number}=1" for number in range(500))
    answer = api.ask("GET", f"/v1/accounts/acme/health?{query}", authorization="Bearer the-read-key")
    assert answer.status == 400
    assert len(answer.body) < 1_000


def test_path__of_8_kilobytes__is_refused_without_repeating_all_of_it(api):
    answer = api.ask("GET", f"/v1/accounts/{'a' * 8_000}/health", authorization="Bearer the-read-key")
    assert answer.status == 400
    assert len(answer.body) < 1_000


def test_batch__with_calls_that_there_is_no_room_for__rejects_these_alone(api, monkeypatch):
    """At another status than 200 a vendor's client would drop the whole batch, or send it for ever."""
    long = {"userId": "ann", "previousId": "\u4e00" * 200}
    calls = [
        {"type": "track", "event": "login", "messageId": "m0"},
        {"type": "alias", "messageId": "m1", **long},
        {"type": "group", "groupId": "acme", "messageId": "m2"},
        {"type": "group", "groupId": "full", "traits": {"name": "Full"}, "messageId": "m3"},
        {"type": "identify", "anonymousId": "phone", "messageId": "m4"},
    ]
    sent = {"batch": [{"userId": f"user {number}", **call} for number, call in enumerate(calls)]}
    with monkeypatch.context() as patch:
        patch.setattr(ids, "RECORD_BYTES", 500)
        patch.setattr(accounts, "save_traits", _full)
        answer = api.ask("POST", "/v1/batch", sent, authorization="Bearer the-write-key")
    body = json.loads(answer.body)
    assert (answer.status, body["accepted"], body["updates"]) == (200, 1, 2)
    assert [(one["index"], one["event_id"], one["code"]) for one in body["rejected"]] == [
        (1, "m1", "no_room"),
        (3, "m3", "no_room"),
    ]
    records = ids.read(["uuser 2", "aphone"]).records
    assert records["uuser 2"].groups[0][1] == "acme"
    assert records["aphone"].owners[0][1] == "uuser 4"


def fill_account(account_id: str) -> None:
    """Fill an account's item as far as the engine lets us, so that it has no room for another name."""
    stored, filler = reads.get(schema.accounts_table(), codec.account_key(account_id)), 410_000
    while True:
        try:
            return writes.apply(writes.put(schema.accounts_table(), {**stored, "filler": codec.text("z" * filler)}))
        except NoRoomError:
            filler -= 200


def test_events__that_an_account_has_no_room_for__are_rejected_alone(api):
    events = [batch(account_id=one, name=name, event_id=f"{one} {name[:5]}") for one, name in (("full", "login"),)]
    key = {"authorization": "Bearer the-write-key"}
    assert api.ask("POST", "/v1/events", {"events": events}, **key).status == 200
    fill_account("full")
    long = "\u4e00" * 200
    unheard = [batch(account_id="full", name=f"{number}{long}"[:200], event_id=f"n{number}") for number in range(3)]
    sent = {"events": [batch(event_id="e1"), unheard[0], batch(account_id="full", name="login"), *unheard[1:]]}
    answer = json.loads(api.ask("POST", "/v1/events", sent, **key).body)
    assert (answer["accepted"], answer["duplicates"]) == (2, 0)
    rejected = [(one["index"], one["event_id"], one["code"]) for one in answer["rejected"]]
    assert rejected == [(1, "n0", "no_room"), (3, "n1", "no_room"), (4, "n2", "no_room")]
    refused = api.ask("POST", "/v1/events", {"events": unheard}, **key)
    body = json.loads(refused.body)
    assert (refused.status, body["code"], len(body["rejected"])) == (400, "all_rejected", 3)


def test_tracked_events__that_an_account_has_no_room_for__are_rejected_alone(api):
    """Those that name the account, those of a person who belongs to it, and one of a wrong clock."""
    key = {"authorization": "Bearer the-write-key"}
    group = {"type": "group", "userId": "ann", "groupId": "full", "messageId": "m0"}
    login = {"type": "track", "userId": "ann", "event": "login", "messageId": "m1"}
    assert api.ask("POST", "/v1/batch", {"batch": [group, login]}, **key).status == 200
    fill_account("full")
    long, at = "\u4e00" * 199, datetime.now(UTC)
    in_full = {"context": {"groupId": "full"}}
    ahead = {"timestamp": (at + timedelta(days=3)).isoformat()}
    calls = [
        {"event": "login", **in_full},
        {"event": f"a{long}", **in_full},
        {"event": f"b{long}"},
        {"event": "login"},
        {"event": f"c{long}", **in_full, **ahead},
        {"event": "login", "context": {"groupId": "acme"}, **ahead},
    ]
    calls = [{"type": "track", "userId": "ann", "messageId": f"t{number}", **one} for number, one in enumerate(calls)]
    sent = {"batch": [*calls, {"type": "group", "userId": "bob", "groupId": "acme", "messageId": "t6"}]}
    sent["sentAt"] = (at + timedelta(days=3)).isoformat()
    body = json.loads(api.ask("POST", "/v1/batch", sent, **key).body)
    assert [(one["index"], one["code"]) for one in body["rejected"]] == [(1, "no_room"), (2, "no_room"), (4, "no_room")]
    assert (body["accepted"], body["duplicates"], body["updates"]) == (3, 0, 1)


def _full(*_: object) -> None:
    raise NoRoomError
