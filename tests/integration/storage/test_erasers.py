"""Each eraser is needed: without it, items of the kinds that it covers, and no others, go on naming what was erased."""

from __future__ import annotations

import pytest

from healthscore.core.time import DAY
from healthscore.storage import workspace
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.erasure import day_logs, users
from healthscore.storage.erasure import people as people_eraser
from healthscore.storage.erasure.eraser import UserErasure
from healthscore.storage.people import people
from healthscore.storage.runs import summary
from healthscore.storage.schema import Kind
from tests.integration.book.lived import DOOMED, NIGHT, NOW, Life
from tests.support import traces
from tools.fakes.hubspot import FakeHubSpot
from tools.fakes.server import VirtualClock

OF_THE_USER = (DOOMED.user, DOOMED.user_before, DOOMED.visitor, DOOMED.email(DOOMED.user))


@pytest.fixture
def lived(moto, monkeypatch):
    with FakeHubSpot(VirtualClock(NOW)) as fake:
        Life(fake, monkeypatch).live()
        moved = {"account_id": DOOMED.account_id, "name": DOOMED.name}
        stored = summary.read()
        movers = {way: [*others, moved] for way, others in stored["movers"].items()}
        summary.save(NIGHT.date(), {**stored, "movers": movers})
        yield


def kinds_that_mention(*texts):
    return {kind for one in traces.items_that_mention(*texts) for kind in Kind if kind.is_of(*one)}


@pytest.mark.parametrize("eraser", erasing.ERASERS[:-1], ids=lambda eraser: eraser.__name__.rpartition(".")[2])
def test_account_erasure__without_one_eraser__leaves_items_of_its_kinds(lived, monkeypatch, eraser):
    monkeypatch.setattr(erasing, "ERASERS", tuple(one for one in erasing.ERASERS if one is not eraser))
    erasing.mark(DOOMED.account_id, NOW + DAY)
    assert erasing.erase(DOOMED.account_id, lambda: True)[1]
    left = kinds_that_mention(*DOOMED.traces)
    assert left & eraser.COVERS
    # Some people are known by the logs alone, so these are erased with them.
    assert left <= (eraser.COVERS | people_eraser.COVERS if eraser is day_logs else eraser.COVERS)


@pytest.mark.parametrize("eraser", users.ERASERS[:-1], ids=lambda eraser: eraser.__name__.rpartition(".")[2])
def test_user_erasure__without_one_eraser__leaves_items_of_its_kinds(lived, monkeypatch, eraser):
    monkeypatch.setattr(users, "ERASERS", tuple(one for one in users.ERASERS if one is not eraser))
    retention_days = workspace.settings().settings.retention_days
    known_as = people.known_as(f"u{DOOMED.user}")
    erasure = UserErasure(DOOMED.account_id, DOOMED.user, known_as, retention_days, NOW + DAY)
    assert users.erase(erasure, lambda: True)
    left = kinds_that_mention(*OF_THE_USER)
    assert left
    assert left <= eraser.USERS_COVERS
