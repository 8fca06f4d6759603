"""The marks of changed accounts: every write of what the book shows leaves one, and the night's own score does not."""

from __future__ import annotations

import ast
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from healthscore.core.model import CrmFacts
from healthscore.core.time import from_millis
from healthscore.services.ingestion.events import ingest
from healthscore.settings import Settings
from healthscore.storage.accounts import accounts, changed, changes, merging
from healthscore.storage.erasure import accounts as erasing
from tests.support.books import Drawn, write
from tests.support.events import event

STORAGE = Path(changes.__file__).parents[1]
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def stamp(account_id: str) -> int:
    return changed.since(from_millis(0)).get(account_id, 0)


@pytest.fixture
def acme(tables):
    write(Drawn("acme", {"name": "Acme"}, 50))


def test_account__of_its_first_event__is_marked(tables):
    ingest([event("e1")], Settings(), now=NOW, time_left=lambda: 9.0)
    assert stamp("acme") > 0


def test_account__with_events_that_change_nothing_shown__keeps_its_mark(tables):
    ingest([event("e1", name="n1")], Settings(), now=NOW, time_left=lambda: 9.0)
    first = stamp("acme")
    ingest([event("e2", name="n2")], Settings(), now=NOW, time_left=lambda: 9.0)
    assert stamp("acme") == first


def test_account__known_for_longer_by_a_late_event__is_marked_again(tables):
    ingest([event("e1")], Settings(), now=NOW, time_left=lambda: 9.0)
    first = stamp("acme")
    late = event("e2", name="late", at=NOW - timedelta(days=20))
    ingest([late], Settings(), now=NOW, time_left=lambda: 9.0)
    assert stamp("acme") > first


@pytest.mark.parametrize(
    "change",
    [
        lambda: accounts.save_profile("acme", lambda _: {"owner": "ann"}, NOW),
        lambda: accounts.save_traits("acme", {"plan": "pro"}, 1, NOW),
        lambda: accounts.save_crm("acme", CrmFacts(received_at=NOW, open_tickets=1)),
        lambda: accounts.save_score(accounts.get("acme"), accounts.get("acme").latest, shown=True),
        lambda: erasing.mark("acme", NOW),
    ],
    ids=["profile", "traits", "crm", "score between nights", "erasure"],
)
def test_change__of_what_the_book_shows__is_marked(acme, change):
    before = stamp("acme")
    change()
    assert stamp("acme") > before


def test_score__of_a_night__is_not_marked(acme):
    before = stamp("acme")
    accounts.save_score(accounts.get("acme"), accounts.get("acme").latest)
    assert stamp("acme") == before


def test_merge__marks__both_accounts(acme):
    write(Drawn("new", {}))
    before = changed.since(from_millis(0))
    merging.begin("acme", "new", ())
    after = changed.since(from_millis(0))
    assert all(after[account_id] > before[account_id] for account_id in ("acme", "new"))
    read = changed.read(["acme", "new"])
    assert read["acme"].account is None
    assert read["new"].account.profile["name"] == "Acme"


def test_since__an_instant__has_what_changed_then_or_later_and_no_more(acme):
    time.sleep(0.01)
    between = datetime.now(UTC)
    write(Drawn("bolt", {}))
    assert set(changed.since(between)) == {"bolt"}
    assert changed.more_than(0, between)
    assert not changed.more_than(1, between)


def test_read__account_that_is_being_erased__is_out(acme):
    erasing.mark("acme", NOW)
    assert changed.read(["acme", "nobody"]) == {"acme": (stamp("acme"), None, True)}


def test_updates__of_accounts__are_made_in_one_place():
    """Or a writer could forget the mark."""
    elsewhere = []
    for path in STORAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"writes.update", "update"} and node.args:
                elsewhere += [path.name] if "accounts_table" in ast.unparse(node) else []
    assert elsewhere == ["earlier_book.py"]  # it takes away what the book shows no more
    assert "accounts_table" in Path(changes.__file__).read_text()
