"""Erasing an account or a user: of everything that the product can write, nothing is left that mentions them."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest

from healthscore.core.time import DAY
from healthscore.services.nightly.plan import plan_run
from healthscore.services.nightly.process import process_scan_part
from healthscore.storage.accounts import accounts
from healthscore.storage.day_logs import rollups
from healthscore.storage.kinds import Kind
from healthscore.storage.nights import tombstones
from tests.integration.book.lived import DOOMED, NIGHT, NOW, SPARED, Life, ask, lived_at
from tests.integration.nightly import nights
from tests.integration.nightly.nights import LOGGER, Killed, Killer, Tables
from tests.support import traces
from tools.fakes.hubspot import FakeHubSpot
from tools.fakes.server import VirtualClock

pytestmark = pytest.mark.no_cover  # it would double their time, and shorter tests reach the same lines
ACCOUNT = f"/v1/accounts/{DOOMED.path}"
USER = f"{ACCOUNT}/users/{DOOMED.user}"
OF_THE_USER = (DOOMED.user, DOOMED.user_before, DOOMED.visitor, DOOMED.email(DOOMED.user))
STEP = int(os.environ.get("KILL_EVERY", "17"))
"""`KILL_EVERY=1 pytest tests/integration/book` dies at each single call, for some minutes."""
CALLS = {"GetItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem", *nights.WRITES}


@pytest.fixture(scope="module")
def world(moto_endpoint):
    """The tables of a workspace that has lived, made once."""
    with lived_at(moto_endpoint):
        yield Tables()


@pytest.fixture
def lived(world):
    world.bring_back()


@pytest.fixture
def lived_on_both(tables, monkeypatch):
    with FakeHubSpot(VirtualClock(NOW)) as fake:
        Life(fake, monkeypatch).live()
        yield


def own_items(account_id: str) -> list[str]:
    """What lies under an account's own keys, but for the item that people share."""
    starts = (
        f'"pk": {{"S": "a#{account_id}"}}',
        f'"S": "account#{account_id}"',
        f'"account_id": {{"S": "{account_id}"}}',
    )
    return [text for text in traces.everything() if any(start in text for start in starts)]


def figures(account_id: str) -> list[Any]:
    return rollups.rollups(account_id, NOW.date() - 30 * DAY, NOW.date(), consistent=True)


def test_world__has__every_kind_of_item_that_there_is(lived):
    """A kind of item that is new is described in `storage.schema`, and then has to be made in `lived`."""
    found = traces.items()
    assert [kind for kind in Kind if not any(kind.is_of(*one) for one in found)] == []
    assert [one for one in found if sum(kind.is_of(*one) for kind in Kind) != 1] == []
    for text in DOOMED.traces:
        assert traces.mentions(text), text
    in_shards = [item for _, item in found if item.get("sk", {}).get("S", "").endswith("#01")]
    assert in_shards


def test_delete_account__that_has_lived__leaves_no_trace_of_it_and_hurts_no_other(lived_on_both):
    neighbour, its_figures = own_items(SPARED.account_id), figures(SPARED.account_id)
    erasing = {"account_id": DOOMED.account_id, "erased": False, "status": "erasing"}
    assert ask("DELETE", ACCOUNT) == (200, erasing)
    traces.erase_from_dataset()
    assert traces.mentions(*DOOMED.traces) == []
    assert tombstones.pending() == []
    assert (own_items(SPARED.account_id), figures(SPARED.account_id)) == (neighbour, its_figures)
    for text in SPARED.traces:
        assert traces.mentions(text), text
    assert ask("DELETE", ACCOUNT)[0] == 404


def test_delete_user__who_has_lived__leaves_no_trace_of_them_and_every_figure(lived_on_both):
    before = figures(DOOMED.account_id)
    assert ask("DELETE", USER)[0] == 200
    assert traces.mentions(*OF_THE_USER) == []
    assert figures(DOOMED.account_id) == before
    assert accounts.get(DOOMED.account_id).profile["champions"] == [DOOMED.shared]
    for text in set(DOOMED.traces) - set(OF_THE_USER):
        assert traces.mentions(text), text


def test_delete_user__of_two_accounts__stays_known_to_the_other(lived):
    assert ask("DELETE", f"{ACCOUNT}/users/{DOOMED.shared}")[0] == 200
    assert [text for text in traces.mentions(DOOMED.shared) if DOOMED.account_id in text] == []
    assert [text for text in own_items(SPARED.account_id) if SPARED.shared in text]


def finish_at_night() -> None:
    run = plan_run({}, NIGHT + timedelta(hours=12))
    process_scan_part(run, 0, 1, keep_going=lambda: True, logger=LOGGER)


@pytest.mark.parametrize(("path", "left"), [(ACCOUNT, DOOMED.traces), (USER, OF_THE_USER)], ids=["account", "user"])
def test_delete__killed_at_any_call__is_finished_by_the_next_or_by_the_night(lived, monkeypatch, path, left):
    monkeypatch.setattr(nights, "WRITES", CALLS)
    tables, killer = Tables(), Killer()
    with killer.watching():
        assert ask("DELETE", path)[0] == 200
    calls, marked = killer.writes, killer.writes.index("UpdateItem") + 1
    for at in range(1, len(calls) + 1, STEP):
        tables.bring_back()
        with Killer(at).watching(), pytest.raises(Killed):
            ask("DELETE", path)
        if at > marked and at % 2:
            finish_at_night()
        else:
            assert ask("DELETE", path)[0] == 200
        traces.erase_from_dataset()
        assert traces.mentions(*left) == [], (at, calls[at - 1])
