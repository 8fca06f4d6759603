"""Webhooks that are not what they should be, of both CRMs; and what the logs of all of it hold."""

from __future__ import annotations

import logging

from healthscore.services.crm_sync import apply_facts
from healthscore.storage.errors import StorageUnavailableError
from tests.integration.crm.living import Context, sync_function
from tools.fakes import attio, hubspot
from tools.fakes.server import Reply

SIGNATURES = {"hubspot": "x-hubspot-signature-v3", "attio": "attio-signature"}


def test_webhook__unsigned_forged_or_altered__gets_an_error_and_nothing_else(life):
    life.begin()
    headers, body = life.desk.webhook("5")
    name = SIGNATURES[life.desk.provider]
    for given, sent in (
        ({}, body),
        (headers | {name: ""}, body),
        (headers | {name: "A" * 64}, body),
        (headers | {name: "\u00e9"}, body),
        (headers, body + b" "),
        (headers, b""),
    ):
        status, answer = life.deliver(given, sent)
        assert (status, answer["success"], answer["code"]) == (401, False, "invalid_signature")
    assert life.queued() == {"Records": []}
    assert life.deliver(headers, body)[0] == 200


def test_webhook__signed_but_malformed__gets_an_error_and_nothing_else(life):
    life.begin()
    for body in (b"{", b"5", b"null", b'"text"', b"[[]]", b"\xff", b"[" * 5000, b'{"events": [1]}'):
        status, answer = life.deliver(life.desk.signed(body), body)
        assert (status, answer["success"]) == (400, False), body
    assert life.queued() == {"Records": []}


def test_webhook__oversized__is_refused_before_its_signature_is_looked_at(life):
    life.begin()
    body = b" " * (256 * 1024 + 1)
    status, answer = life.deliver(life.desk.signed(body), body)
    assert (status, answer["success"]) == (413, False)
    assert life.queued() == {"Records": []}


def test_webhook__delivered_again__is_worked_on_once(life):
    life.begin()
    headers, body = life.desk.webhook("5")
    assert life.deliver(headers, body)[0] == 200
    assert len(life.queued()["Records"]) == 1
    # HubSpot signs each repeat with a new time, so the same signature is a replay. Attio marks a repeat by a header.
    again = {"hubspot": (401, False), "attio": (200, True)}[life.desk.provider]
    status, answer = life.deliver(headers, body)
    assert (status, answer["success"]) == again
    assert life.queued() == {"Records": []}


def test_logs__of_everything_and_its_failures__hold_no_secret_and_no_customer_text(life, caplog, capsys, monkeypatch):
    caplog.set_level(logging.INFO)
    fake = life.desk.fake
    life.begin()
    life.connect(write_back=True)
    life.sync()
    names = {"subject": "Nothing works", "content": "since Tuesday", "name": "Renewal Omega"}
    for kind in ("tickets", "deals"):
        for record_id in list(records(fake, kind)):
            fake.change(kind, record_id, **names)
    fake.change("companies", life.desk.account, name="Acme Secret Ltd")
    ticket = life.opened()
    # The CRM fails, refuses the token, and refuses what is written; the tables cannot be reached.
    fake.before = lambda _call: Reply(500, {"message": "Nothing works at Acme Secret Ltd"})
    life.clock.sleep(4 * 3600)
    assert life.sync()[0]["state"] == "failed"
    assert len(life.deliver_and_refresh(ticket)) == 1
    fake.before = lambda _call: None
    fake.refused.add(life.desk.account)
    sync_function.handler({"task": "write-back"}, Context())
    fake.token = "another"
    life.clock.sleep(60)
    assert len(life.deliver_and_refresh(ticket)) == 1
    fake.token = "fake-token"
    life.deliver({}, b"Nothing works")

    def gone(*_: object, **__: object) -> None:
        raise StorageUnavailableError("gone")

    monkeypatch.setattr(apply_facts, "rescore", gone)
    life.clock.sleep(60)
    life.desk.close(ticket)
    assert len(life.deliver_and_refresh(ticket)) == 1
    captured = capsys.readouterr()
    logged = captured.out + captured.err + caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "a refresh failed" in logged
    texts = ("fake-token", attio.SECRET, hubspot.SECRET, "Acme Secret", "Nothing works", "Tuesday", "Omega")
    assert [text for text in texts if text in logged] == []


def records(fake, kind):
    """Ids of the records of a kind in a fake CRM."""
    return (fake.objects if hasattr(fake, "objects") else fake.records)[kind]
