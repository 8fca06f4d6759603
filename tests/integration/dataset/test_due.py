"""The sweep makes the dataset anew where much has changed since the newest night."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from healthscore.services.nightly import dataset
from healthscore.services.nightly.dataset import Invocation, publish_if_due
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.nights import manifests
from tests.integration.nightly.nights import LOGGER
from tests.support.books import Drawn, write


def sweep(name: str) -> bool:
    now = datetime.now(UTC)
    return publish_if_due(name, Invocation(now, now + timedelta(minutes=15), lambda: True), LOGGER)


@pytest.fixture
def few(moto, monkeypatch):
    monkeypatch.setattr(dataset, "MANY_CHANGES", 2)


def test_sweep__of_a_workspace_without_accounts__makes_nothing(few):
    assert not sweep("first")
    assert manifests.newest() is None


def test_sweep__without_any_night__makes_one_of_the_accounts_as_they_stand(few):
    write(Drawn("acme", {}))
    assert sweep("first")
    assert manifests.newest().rows == 1


def test_sweep__makes__a_new_night_once_where_many_have_changed(few):
    write(Drawn("acme", {}))
    sweep("first")
    for number, due in enumerate([False, False, True]):
        write(Drawn(f"a{number}", {}))
        assert sweep(f"after {number}") is due
    assert manifests.newest().rows == 4
    assert not sweep("at last")


def test_sweep__that_cannot_make_it__tries_again_the_next_time(few, monkeypatch):
    write(Drawn("acme", {}))
    with monkeypatch.context() as accident:
        accident.setattr(dataset, "publish_as_it_stands", unavailable)
        assert not sweep("first")
    assert sweep("second")


def unavailable(*_):
    raise StorageUnavailableError("gone for a moment")
