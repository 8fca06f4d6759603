"""What an earlier version stored of people becomes what this one stores: figures are those of the people, once."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from healthscore.core.day_log.codec import entry
from healthscore.core.identity.relations import Relations
from healthscore.services.ingestion.relations import Recorder
from healthscore.settings import Settings
from healthscore.storage import retries, schema
from healthscore.storage.accounts import accounts
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.day_logs import commit_own, rollups
from healthscore.storage.day_logs.commit_own import OwnEntries
from healthscore.storage.day_logs.terms import Terms
from healthscore.storage.people import unsettled
from tests.integration.nightly.nights import Tables
from tests.support.events import DAY, MIDNIGHT, event
from tests.support.old_identity import put_account_log, put_log, put_members
from tools import migrate_identity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthscore.core.day_log.codec import Entry

NOW = MIDNIGHT + timedelta(days=1)
START = 1_000 * int(MIDNIGHT.timestamp())
HOUR = 3_600_000
STEP = int(os.environ.get("KILL_EVERY", "9"))
"""`KILL_EVERY=1 pytest tests/integration/operations` dies at each single call, for a minute and a half."""


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture(autouse=True)
def no_waits(monkeypatch):
    monkeypatch.setattr(retries, "time", SimpleNamespace(sleep=lambda _seconds: None))


def of(person: str, minute: float, event_id: str | None = None) -> Entry:
    ids = {"user_id" if person.startswith("u") else "anonymous_id": person[1:]}
    return entry(event(event_id or f"{person}-{minute}", minute, **ids))


def put_workspace() -> None:
    """A workspace of the version before."""
    visits = [of("av1", minute / 100) for minute in range(60)]
    put_account_log("acme", [*visits, of("uann", 5), of("uann", 6), of("ubob", 100)])
    # Both used one tablet, which was counted for the account of the time.
    put_account_log("bolt", [of("ucid", 130), of("at1", 140)])
    put_members(
        {
            "uann": [(START + HOUR, "acme")],
            "ubob": [(START, "acme")],
            "ucid": [(START + 2 * HOUR, "bolt")],
            "unew": [(START, "bolt")],
        },
        {"av1": ["uann"], "at1": ["ucid", "ubob"], "uold": ["unew"], "aold": ["unew"]},
        moves=["av1"],
    )
    # A request has crashed before it moved these.
    put_log(schema.person_pk("av1"), [of("av1", 7)])
    put_log(schema.person_pk("ubob"), [of("ubob", 101)])
    put_log(schema.person_pk("uold"), [of("uold", 10)])
    # These have no account.
    put_log(schema.person_pk("adot"), [of("adot", 500), of("adot", 501)])
    put_log(schema.person_pk("aeve"), [of("aeve", 600)])


def recorder() -> Recorder:
    return Recorder(Settings(), NOW, lambda: float("inf"))


def group(person: str, account_id: str) -> None:
    """A call that comes in after the upgrade."""
    relations = Relations()
    relations.grouped[person].add((START, account_id))
    recorder().record(relations)


def send(*entries: Entry) -> None:
    """Events that name no account, after the upgrade."""
    terms = Terms((), 400, NOW, lambda: float("inf"), sleep=lambda _seconds: None)
    commit_own.commit([OwnEntries(one.person, DAY, [one]) for one in entries if one.person], terms)


def figures() -> dict[str, dict[str, int]]:
    found = {}
    for account in accounts.scan(0, 1):
        (day,) = rollups.rollups(account.account_id, DAY, DAY, consistent=True)
        found[account.account_id] = {"events": day.events, "people": day.people, "sessions": day.sessions}
    return found


def old_items() -> list[tuple[str, str]]:
    keys = [(item["pk"]["S"], item["sk"]["S"]) for item in pages(dynamodb().scan, TableName=schema.activity_table())]
    return [(pk, sk) for pk, sk in keys if sk == "member" or sk.startswith("L#") or pk.startswith("m#")]


def run(capsys) -> str:
    assert migrate_identity.main([]) == 0
    return capsys.readouterr().out.splitlines()[-1]


def test_migrated__workspace_of_the_version_before__counts_people_once_and_what_had_waited(tables, capsys):
    put_workspace()
    assert run(capsys) == "All of it is done."
    # The visits of v1 are Ann's, in one session with hers; the tablet was Cid's when it was used.
    assert figures() == {
        "acme": {"events": 65, "people": 2, "sessions": 2},
        "bolt": {"events": 3, "people": 2, "sessions": 2},
    }
    assert old_items() == []


def test_migrated__a_second_time__finds_nothing_to_do(moto, capsys):
    put_workspace()
    run(capsys)
    before = list(pages(dynamodb().scan, TableName=schema.activity_table()))
    assert run(capsys) == "There was nothing to do."
    assert list(pages(dynamodb().scan, TableName=schema.activity_table())) == before


def test_migrated__while_events_come_in__places_those_that_waited_before_and_since(moto, capsys):
    put_workspace()
    group("adot", "bolt")
    send(of("adot", 502), of("uann", 6, "new"), of("aeve", 601))
    group("aeve", "globex")
    run(capsys)
    found = figures()
    assert found["bolt"] == {"events": 6, "people": 3, "sessions": 3}
    assert found["acme"]["events"] == 66
    assert found["globex"]["events"] == 2


def test_own_log__without_places__is_placed_by_the_night_after_more_events_came_in(moto):
    put_workspace()
    group("adot", "bolt")
    send(of("adot", 502))
    assert figures()["bolt"]["events"] == 2
    for id_ in unsettled.all_ids():
        recorder().settle(id_)
    assert figures()["bolt"]["events"] == 5


def test_people__known_after_the_migration__take_along_what_they_did_before(moto, capsys):
    put_workspace()
    run(capsys)
    group("adot", "acme")
    relations = Relations()
    relations.aliases.add(("ubob", "uann"))
    recorder().record(relations)
    assert figures()["acme"] == {"events": 67, "people": 2, "sessions": 3}


def test_migrated__killed_at_any_call__is_finished_by_the_next_run(moto, capsys):
    put_workspace()
    group("adot", "bolt")
    send(of("adot", 502))
    tables = Tables()
    with killed_at(0) as calls:
        run(capsys)
    expected = figures()
    assert expected["bolt"]["events"] == 6
    for at in range(1, calls[0] + 1, STEP):
        tables.bring_back()
        with killed_at(at), pytest.raises(Killed):
            migrate_identity.main([])
        assert run(capsys) in ("All of it is done.", "There was nothing to do.")
        assert figures() == expected, at
        assert old_items() == [], at
        assert run(capsys) == "There was nothing to do.", at


@contextmanager
def killed_at(number: int) -> Iterator[list[int]]:
    """Kill the process after its n-th call, of which nobody learns; answers how many it has made."""
    calls = [0]

    def before(**_: object) -> None:
        if 0 < number <= calls[0]:
            raise Killed

    def after(**_: object) -> None:
        calls[0] += 1
        if calls[0] == number:
            raise Killed

    events = dynamodb().meta.events
    events.register("before-call.dynamodb", before)
    events.register("after-call.dynamodb", after)
    try:
        yield calls
    finally:
        events.unregister("before-call.dynamodb", before)
        events.unregister("after-call.dynamodb", after)
