"""What lives as long as a process is made once, and dropped in one place."""

from __future__ import annotations

import gc
from types import SimpleNamespace

import pytest

from healthscore import process
from healthscore.api.event_settings import EventSettings
from healthscore.http.api_keys import CachedKeys
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import commit_shard
from tools.local.stack import LocalStack


class Client:
    closed = 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def made(monkeypatch):
    monkeypatch.setattr(process, "_made", [])


def test_once__is_made_on_first_use_and_kept(made):
    client = process.once(Client)
    assert client() is client()


def test_forget__closes_what_was_made_and_makes_it_again(made):
    client = process.once(Client)
    before = client()
    process.forget()
    process.forget()
    assert before.closed == 1
    assert client() is not before


def test_forget__makes_nothing_that_nobody_used(made):
    process.once(lambda: pytest.fail("it was made"))
    process.forget()


def test_forget__of_what_cannot_be_closed__goes_on(made):
    process.once(lambda: SimpleNamespace(close=lambda: 1 / 0))()
    after = process.once(Client)
    before = after()
    process.forget()
    assert before.closed == 1


def test_forget__drops_keys_settings_and_sealed_parts():
    asked = []
    keys = CachedKeys(lambda digest: asked.append(digest) or SimpleNamespace(hash=digest, scope="read"))
    settings = EventSettings()
    settings._stored = object()
    keys("a")
    keys("a")
    process.forget()
    keys("a")
    assert asked == ["a", "a"]
    assert settings._stored is None
    assert commit_shard.sealed_parts in process._memories


def test_memory__of_a_handler_that_is_gone__is_not_kept_alive():
    keys = CachedKeys(lambda _digest: None)
    before = len(process._memories)
    del keys
    gc.collect()
    assert len(process._memories) < before


def test_local_stack__in_a_process_whose_client_points_elsewhere__has_one_of_its_own(monkeypatch):
    """Files of tests share a process: which came first must not decide where a client points."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    elsewhere = dynamodb()
    with LocalStack(0, report=lambda _line: None) as stack:
        assert stack.call("GET", "/v1/settings", "local-admin")
        inside = dynamodb()
    assert elsewhere is not inside
    assert dynamodb() is not inside


def test_local_stack__after_another_in_this_process__begins_empty():
    for _ in range(2):
        with LocalStack(0, report=lambda _line: None) as stack:
            assert stack.call("GET", "/v1/accounts", "local-read")["accounts"] == []
            stack.call("PUT", "/v1/accounts/acme", "local-admin", {"name": "Acme"})
            assert len(stack.call("GET", "/v1/accounts", "local-read")["accounts"]) == 1
