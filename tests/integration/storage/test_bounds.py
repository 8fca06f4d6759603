"""Whatever a stranger sends, no item outgrows DynamoDB, and what was filled is still scored, changed and erased."""

from __future__ import annotations

import dataclasses
import json
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.account import RECENT_NIGHTS
from healthscore.core.day_log import log as day_log
from healthscore.core.day_log.first_seen import MILESTONES_BYTES, NAMES_BYTES, OTHERS, beyond, merge_first_seen
from healthscore.core.day_log.log import BLOCK_BYTES
from healthscore.core.health import assess, snapshot
from healthscore.core.identity.record import IdRecord
from healthscore.core.model import CrmFacts, Event
from healthscore.services import erasure, scoring
from healthscore.services.ingestion.events import ingest
from healthscore.services.ingestion.relations import Recorder
from healthscore.settings import Settings
from healthscore.storage import codec, reads, schema, workspace, writes
from healthscore.storage.accounts import accounts, more_names
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import rollups
from healthscore.storage.erasure import pending_users
from healthscore.storage.erasure.pending_users import MOST
from healthscore.storage.errors import NoRoomError
from healthscore.storage.people import ids
from tests.support import own_logs
from tests.support.events import MIDNIGHT

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
WIDE = "\U0001f600"
"""A character of four bytes, which event names may have."""
MOST_BYTES = 400 * 1024


def name(number: int) -> str:
    return f"{number:06}" + WIDE * 194


def did(account_id: str, event: str, at: datetime = NOW, user: str = "ann") -> Event:
    return Event(f"{event[:6]}@{at:%d}{user}", account_id, event, at, user_id=user)


def send(*events: Event) -> None:
    ingest(events, workspace.settings().settings, NOW)


def item(account_id: str) -> dict:
    return reads.get(schema.accounts_table(), codec.account_key(account_id)) or {}


def size(stored: dict) -> int:
    return sum(len(key.encode()) + len(str(next(iter(value.values()))).encode()) for key, value in stored.items())


def milestones(account_id: str, *names: str) -> dict[str, datetime]:
    """The milestones that an account has reached if these are configured."""
    settings = dataclasses.replace(workspace.settings().settings, milestones=names)
    account = accounts.get(account_id)
    facts = scoring.gather_facts(account, NOW, settings, consistent=True)
    return {one.name: one.at for one in facts.milestones}


NAMES = st.lists(st.tuples(st.integers(0, 80), st.integers(0, 10**12)), max_size=60)


@given(NAMES, st.data())
def test_first_seen__any_names_in_any_order_and_any_batches__are_all_known_within_the_room(numbered, data):
    seen = [(name(number), at) for number, at in data.draw(st.permutations(numbered))]
    kept: dict[str, int] = {}
    others: dict[str, int] = {}
    while seen:
        batch = [seen.pop() for _ in range(data.draw(st.integers(1, len(seen))))]
        kept = merge_first_seen(kept, batch, ("000007",)) or kept
        for one, at in beyond(kept, batch).items():
            others[one] = min(at, others.get(one, at))
    known = dict(others)
    for one, at in kept.items():
        known[one] = min(at, known.get(one, at))
    expected: dict[str, int] = {}
    for number, at in numbered:
        expected[name(number)] = min(at, expected.get(name(number), at))
    assert {one: at for one, at in known.items() if one != OTHERS} == expected
    assert len(json.dumps(kept, ensure_ascii=False).encode()) <= NAMES_BYTES + MILESTONES_BYTES
    assert min(known.values(), default=0) == min(expected.values(), default=0)
    assert (OTHERS in kept) == bool(others)


def test_names__beyond_the_room_of_the_account__are_found_when_they_become_milestones(tables):
    send(*(did("acme", name(number), NOW - timedelta(days=1)) for number in range(200)))
    send(*(did("acme", name(number), NOW - timedelta(days=3)) for number in range(150, 300)))
    assert len(codec.text_of(item("acme"), "names").encode()) <= NAMES_BYTES + MILESTONES_BYTES
    found = milestones("acme", name(0), name(160), name(250), "never")
    days = {0: 1, 160: 3, 250: 3}
    assert found == {name(number): NOW - timedelta(days=ago) for number, ago in days.items()}
    assert accounts.get("acme").known_since == NOW - timedelta(days=3)


def test_names__crash_before_they_are_kept__are_made_good_by_the_repetition(tables, monkeypatch):
    events = [did("acme", name(number)) for number in range(120)]
    with monkeypatch.context() as patch:
        patch.setattr(more_names, "_keep", lambda *_: pytest.fail("died here"))
        with pytest.raises(pytest.fail.Exception):
            send(*events)
    send(*events)
    assert milestones("acme", name(119), name(118)).keys() == {name(119), name(118)}


def _wide(length: int, seed: object) -> str:
    """A text of characters of three bytes that does not compress, as ids may have them."""
    chosen = random.Random(str(seed))
    return "".join(chr(chosen.randint(0x4E00, 0x9FA5)) for _ in range(length))


def test_day__of_the_longest_ids_and_names__has_blocks_that_fit(tables):
    events = [
        Event(_wide(100, n), "acme", _wide(200, f"n{n}"), NOW, _wide(200, f"u{n}"), page=_wide(200, f"p{n}"))
        for n in range(500)
    ]
    send(*events)
    send(*events)
    request = reads.partition(schema.activity_table(), schema.activity_pk("acme"), prefix=schema.BLOCKS_PREFIX)
    blocks = [len(codec.binary_of(one, "l")) for one in dynamodb().query(**request)["Items"]]
    assert len(blocks) > 2
    assert max(blocks) <= BLOCK_BYTES + 100
    assert rollups.rollups("acme", NOW.date(), NOW.date(), consistent=True)[0].events == 500


def facts_of(account, at: datetime):
    return scoring.gather_facts(account, at, workspace.settings().settings, consistent=True)


def fill(account_id: str) -> None:
    """Fill each part of an account's item as far as hostile senders and an admin may."""
    send(*(did(account_id, name(number)) for number in range(150)))
    for call in range(4):
        traits = {f"attributes.{call}-{n}-" + WIDE * 190: WIDE * 200 for n in range(40)}
        accounts.save_traits(
            account_id, {"name": WIDE * 200, "owner": WIDE * 200, "plan": WIDE * 200, **traits}, 1, NOW
        )
    champions = [f"{n:03}" + WIDE * 197 for n in range(100)]
    attributes = {"segment": WIDE * 3900}
    signals = {"features": {f"{n:02}": [f"{n}{WIDE * 120}"] for n in range(20)}}
    for cadence in range(1, 60):
        few = {"champions": champions[:cadence], "expected_cadence_days": cadence}
        accounts.save_profile(account_id, lambda _, few=few: few, NOW)
    full = {"champions": champions, "attributes": attributes, "signals": signals}
    accounts.save_profile(account_id, lambda _: full, NOW)
    texts = {MOST: WIDE * 197}
    for number in range(MOST):
        pending_users.begin(account_id, f"{number:03}{texts[MOST]}")
    account = accounts.get(account_id)
    assert account is not None
    for ago in range(RECENT_NIGHTS, 0, -1):
        account = accounts.get(account_id)
        at = NOW - timedelta(days=ago)
        taken = snapshot(assess(account_id, facts_of(account, at), (), None))
        accounts.save_score(account, taken)


@pytest.mark.no_cover  # it would double its time, and shorter tests reach the same lines
def test_account__filled_to_its_budgets__is_scored_changed_and_erased(tables):
    longest = [name(number) for number in range(50)]
    workspace.save_settings(Settings(milestones=tuple(longest)), NOW)
    fill("acme")
    assert 200_000 < size(item("acme")) < MOST_BYTES - 20_000
    send(did("acme", "one more"))
    accounts.save_traits("acme", {"attributes.more": "x" * 200}, 2, NOW)
    accounts.save_profile("acme", lambda stored: {**stored, "name": WIDE * 200}, NOW)
    accounts.save_crm("acme", CrmFacts(received_at=NOW, open_tickets=3))
    facts = facts_of(accounts.get("acme"), NOW)
    assert len(facts.milestones) == 50
    accounts.save_score(accounts.get("acme"), snapshot(assess("acme", facts, (), None)))
    erasure.erase_user("acme", "ann", NOW, lambda: True)
    assert accounts.get("acme").pending_user_erasures == ()
    assert erasure.erase_account("acme", NOW, lambda: True)
    left = reads.partition(schema.activity_table(), schema.activity_pk("acme"))
    assert dynamodb().query(**left)["Items"] == []


def fill_with_names(account_id: str, most: int) -> None:
    names = {name(number): 1_700_000_000_000 + number for number in range(350)}
    room = most - size(item(account_id)) - len(codec.dumps(names).encode())
    names |= {f"{number:0190}": 1_600_000_000_000 + number for number in range(room // 207 - 1)}
    update = {"names": codec.json_text(names)}
    writes.apply(writes.update(schema.accounts_table(), codec.account_key(account_id), sets=update))


def test_account__filled_to_the_brim_by_an_earlier_version__is_scored_changed_and_erased(tables):
    """Five hundred names of two hundred characters left no byte free."""
    for account_id in ("scored", "changed", "erased"):
        send(did(account_id, "login"))
        try:
            fill_with_names(account_id, MOST_BYTES)
        except NoRoomError:
            fill_with_names(account_id, 320_000)  # the embedded engine adds what an update replaces
    send(did("scored", "one more"))
    more_names.fit_item(accounts.get("scored"))
    assert size(item("scored")) < 60_000
    assert milestones("scored", name(349), name(0), "one more").keys() == {name(349), name(0), "one more"}
    accounts.save_profile("changed", lambda _: {"name": "Acme", "owner": "x" * 200}, NOW)
    assert erasure.erase_account("erased", NOW, lambda: True)


def test_item__that_would_outgrow_its_table__is_a_permanent_fault(tables):
    """Alone and in a transaction: sent again, it fails again."""
    large = {**codec.key("a#x", "y"), "z": codec.text("z" * MOST_BYTES)}
    put = writes.put(schema.activity_table(), large)
    other = writes.put(schema.activity_table(), codec.key("a#x", "z"))
    for attempt in ((put,), (put, other)):
        with pytest.raises(NoRoomError):
            writes.apply(*attempt)
    update = writes.update(schema.activity_table(), codec.key("a#x", "y"), sets={"z": large["z"]})
    for attempt in ((update,), (update, other)):
        with pytest.raises(NoRoomError):
            writes.apply(*attempt)


def test_record__without_room_for_more_calls__takes_events_and_keeps_what_it_says(tables, monkeypatch):
    own_logs.tell(grouped=[("uann", 0, "acme")])
    monkeypatch.setattr(ids, "RECORD_BYTES", 10)
    own_logs.commit(own_logs.acted("e1", "uann", 5))
    own_logs.tell(grouped=[("uann", 10, "a longer name")], aliases=[("uold", "uann")])
    own_logs.commit(own_logs.acted("e2", "uann", 15))
    assert len(own_logs.in_account("acme")) == 2
    assert [account_id for _, account_id in ids.read(["uann"]).records["uann"].groups] == ["acme"]


def filled_record(id_: str, most: int = ids.RECORD_BYTES) -> None:
    """Put a record that is as large as calls may make it."""
    record = IdRecord(id_, described={id_: {"name": [""]}})
    room = most - len(codec.dumps(record.to_json()).encode())
    record.described = {id_: {"name": ["x" * room]}}
    item = {**ids.id_key(id_), "v": codec.text("1"), "d": codec.json_text(record.to_json())}
    writes.apply(writes.put(schema.activity_table(), item))


def test_record__that_calls_have_filled__has_room_for_what_events_and_settlements_note(tables):
    """The longest id, which the record itself is to name: events of an earlier version wait in its log."""
    ann = "u" + WIDE * 200
    filled_record(ann)
    of_old = day_log.append(
        MIDNIGHT.date(), day_log.NOTHING_SEALED, day_log.Head(), [own_logs.acted("e0", ann)], 0, salt=b""
    )
    log = {"v": codec.text("1"), "l": codec.binary(of_old.log), "ttl": codec.number(2**40)}
    head = codec.key(schema.person_pk(ann), schema.day_key(MIDNIGHT.date()))
    writes.apply(writes.put(schema.activity_table(), {**head, **log}))
    own_logs.commit(own_logs.acted("e1", ann, 5))
    record = ids.read([ann]).records[ann]
    assert record.has_events
    assert record.unsettled == [ann]
    ids.read_naming([(ann, "acme")])
    stored = reads.get(schema.activity_table(), ids.id_key(ann))
    assert ids.RECORD_BYTES < size(stored) < MOST_BYTES - 10_000
    Recorder(Settings(), MIDNIGHT, lambda: 60.0).settle(ann)
    assert ids.read([ann]).records[ann].unsettled == []


def test_calls__about_people_of_large_records__are_recorded_in_transactions_that_dynamodb_takes(tables):
    """Of 4 MB each: thirty records of 390 KB do not fit into one."""
    people = [f"u{number:02}" for number in range(30)]
    for id_ in people:
        filled_record(id_, ids.RECORD_BYTES - 1_000)
    own_logs.tell(grouped=[(id_, 0, "acme") for id_ in people])
    assert all(record.groups for record in ids.read(people).records.values())
    own_logs.commit(*(own_logs.acted(f"e {id_}", id_, 5) for id_ in people))
    assert len(own_logs.in_account("acme")) == len(people)


def full_account(account_id: str) -> None:
    """An account whose item has next to no room, whatever has filled it."""
    send(did(account_id, "login"))
    room = 400_000 - size(item(account_id))
    writes.apply(writes.put(schema.accounts_table(), {**item(account_id), "filler": codec.text("z" * room)}))


def test_events__that_an_account_has_no_room_for__do_not_stop_the_others(tables):
    full_account("full")
    batch = [
        did("acme", "login"),
        did("full", "login", user="bob"),
        did("full", "x" * 12_000),
        did("full", "export"),
        did("acme", "export", NOW - timedelta(days=2)),
        did("full", "login"),
    ]
    settings = workspace.settings().settings
    first = ingest(batch, settings, NOW)
    assert (first.accepted, first.duplicates, first.no_room_for) == (4, 1, (2,))
    again = ingest(batch, settings, NOW)
    assert (again.accepted, again.duplicates, again.no_room_for) == (0, 5, (2,))
    logged = rollups.rollups("full", NOW.date(), NOW.date(), consistent=True)[0]
    assert logged.events == 3


def test_user_erasures__more_than_the_item_has_room_for__finish_earlier_ones_first(tables):
    send(did("acme", "login"))
    for number in range(MOST):
        pending_users.begin("acme", f"u{number}")
    with pytest.raises(pending_users.TooManyPendingError):
        pending_users.begin("acme", "ann")
    pending_users.begin("acme", "u3")
    erasure.erase_user("acme", "ann", NOW, lambda: True)
    assert accounts.get("acme").pending_user_erasures == ()
