"""A function's start: the client is made where it can be, and garbage is collected again in any case."""

from __future__ import annotations

import gc

import pytest

from healthscore import process, startup
from healthscore.storage.client import dynamodb


@pytest.fixture(autouse=True)
def _starting(monkeypatch):
    for variable in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    process.forget()
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()
    process.forget()


def test_complete__makes_the_client_before_the_first_request(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    startup.complete.__wrapped__()
    assert dynamodb.cache_info().currsize == 1


def test_complete__lets_garbage_be_collected_again_but_not_among_what_is_loaded(monkeypatch):
    startup.complete.__wrapped__()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_complete__in_an_environment_without_a_region__leaves_the_error_to_the_first_request():
    startup.complete.__wrapped__()
    assert dynamodb.cache_info().currsize == 0
