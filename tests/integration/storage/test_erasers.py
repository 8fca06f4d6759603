"""Each eraser is needed: without it, items of the kinds that it covers, and no others, go on naming what was erased."""

from __future__ import annotations

from itertools import count

import pytest

from healthscore.core.time import DAY
from healthscore.storage import workspace
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.erasure import day_logs, users
from healthscore.storage.erasure import pending_users as erasing_users
from healthscore.storage.erasure import people as people_eraser
from healthscore.storage.erasure.eraser import UserErasure
from healthscore.storage.kinds import Kind
from tests.integration.book.lived import DOOMED, NOW, lived_at
from tests.integration.nightly.nights import Tables
from tests.support import traces

pytestmark = pytest.mark.no_cover  # it would double their time, and these make the same steps again and again
LAST_STEPS = 12
"""The order of an erasure's steps matters behind the many that each take a part of the logs."""
OF_THE_USER = (DOOMED.user, DOOMED.user_before, DOOMED.visitor, DOOMED.email(DOOMED.user))


@pytest.fixture(scope="module")
def world(moto_endpoint):
    """The tables of a workspace that has lived, made once."""
    with lived_at(moto_endpoint):
        yield Tables()


@pytest.fixture
def lived(world):
    world.bring_back()


def kinds_that_mention(*texts):
    return {kind for one in traces.items_that_mention(*texts) for kind in Kind if kind.is_of(*one)}


@pytest.mark.parametrize("eraser", erasing.ERASERS[:-1], ids=lambda eraser: eraser.__name__.rpartition(".")[2])
def test_account_erasure__without_one_eraser__leaves_items_of_its_kinds(lived, monkeypatch, eraser):
    monkeypatch.setattr(erasing, "ERASERS", tuple(one for one in erasing.ERASERS if one is not eraser))
    erasing.mark(DOOMED.account_id, NOW + DAY)
    assert erase_account(lambda: True)
    left = kinds_that_mention(*DOOMED.traces)
    # Whom the eraser of people leaves, that of the logs finds: it asks for them once more before it deletes their list.
    assert left & eraser.COVERS or eraser is people_eraser
    # Some people are known by the logs alone, so these are erased with them.
    assert left <= (eraser.COVERS | people_eraser.COVERS if eraser is day_logs else eraser.COVERS)


def erase_user(keep_going):
    retention_days = workspace.settings().settings.retention_days
    known_as = people_eraser.known_as(f"u{DOOMED.user}")
    return users.erase(UserErasure(DOOMED.account_id, DOOMED.user, known_as, retention_days, NOW + DAY), keep_going)


@pytest.mark.parametrize("eraser", users.ERASERS[:-1], ids=lambda eraser: eraser.__name__.rpartition(".")[2])
def test_user_erasure__without_one_eraser__leaves_items_of_its_kinds(lived, monkeypatch, eraser):
    monkeypatch.setattr(users, "ERASERS", tuple(one for one in users.ERASERS if one is not eraser))
    assert erase_user(lambda: True)
    left = kinds_that_mention(*OF_THE_USER)
    assert left
    assert left <= eraser.USERS_COVERS


def erase_account(keep_going):
    return erasing.erase(DOOMED.account_id, NOW + DAY, keep_going)[1]


@pytest.mark.parametrize(
    ("erase", "texts"), [(erase_user, OF_THE_USER), (erase_account, DOOMED.traces)], ids=["user", "account"]
)
def test_erasure__out_of_time_after_any_step__is_finished_by_the_next(lived, erase, texts):
    erasing_users.begin(DOOMED.account_id, DOOMED.user)
    if erase is erase_account:
        erasing.mark(DOOMED.account_id, NOW + DAY)
    tables, asked = Tables(), count()
    assert erase(lambda: next(asked) >= 0)
    assert kinds_that_mention(*texts) == set()
    steps = next(asked)
    for left in range(max(0, steps - LAST_STEPS), steps):
        tables.bring_back()
        going_on = iter([True] * left)
        assert not erase(lambda going_on=going_on: next(going_on, False))
        assert erase(lambda: True)
        assert kinds_that_mention(*texts) == set(), left
