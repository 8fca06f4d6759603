"""Retention may be raised and lowered: a day expires as a whole, whatever order DynamoDB deletes its items in."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from healthscore.core.model import Event
from healthscore.core.time import start_of_day
from healthscore.services import erasure
from healthscore.services.ingestion.events import ingest
from healthscore.settings import Settings
from healthscore.storage import codec, reads, schema, writes
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.day_logs import commit_own, commit_shard, log_items, rollups, whole_days
from healthscore.storage.day_logs.commit_own import OwnEntries
from healthscore.storage.day_logs.log_items import LogKey
from tests.support import own_logs
from tests.support.events import MIDNIGHT

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
DAY = NOW.date()
SHORT, LONG = 30, 400


def send(first: int, number: int, retention: int, account: str = "acme") -> None:
    """Events of one day, under a retention; enough of them are sealed into blocks."""
    events = [
        Event(f"e{n}", account, f"name {n % 7}", NOW - timedelta(seconds=n), f"user {n % 5}", session_id=f"s{n}")
        for n in range(first, first + number)
    ]
    for start in range(0, number, 50):
        ingest(events[start : start + 50], Settings(retention_days=retention), NOW)


def items(pk: str = "a#acme", prefixes: tuple[str, ...] = ("D#", "S#")) -> list[dict]:
    found = pages(dynamodb().query, **reads.partition(schema.activity_table(), pk))
    return [item for item in found if item["sk"]["S"].startswith(prefixes)]


def expire(at: datetime, *, most: int | None = None, reverse: bool = False) -> int:
    """Delete what has expired at an instant, as DynamoDB may: so many items, from one end or the other."""
    found = dynamodb().scan(TableName=schema.activity_table())["Items"]
    gone = [item for item in found if "ttl" in item and int(item["ttl"]["N"]) <= at.timestamp()]
    gone.sort(key=lambda item: item["sk"]["S"], reverse=reverse)
    writes.delete_all(schema.activity_table(), [codec.key_of(item) for item in gone[:most]])
    commit_shard.sealed_parts.forget()
    return len(gone[:most])


def expiries() -> set[int]:
    return {codec.number_of(item, "ttl") for item in items()}


def counted() -> int:
    found = rollups.rollups("acme", DAY, DAY, consistent=True)
    return found[0].events if found else 0


@pytest.mark.parametrize("order", list(itertools.permutations([SHORT, LONG, 90])), ids=str)
def test_retention__moved_up_and_down__keeps_head_and_blocks_together(tables, order):
    for number, retention in enumerate(order):
        send(number * 100, 100, retention)
    so_far = [max(order[: number + 1]) for number in range(3)][-1]
    assert expiries() == {log_items.expiry(DAY, so_far)}
    for days in sorted({*order, 500}):
        expire(NOW + timedelta(days=days + 36))
        whole = days < so_far
        assert counted() == (300 if whole else 0)
        assert len(whole_days.read_day("a#acme", DAY)) == (300 if whole else 0)


def test_retention__raised_in_an_own_log__keeps_heads_and_blocks_of_both_logs_together(tables):
    own_logs.tell(grouped=[("uann", 0, "acme")])
    for number, retention in enumerate((SHORT, LONG)):
        entries = [
            own_logs.acted(f"e{n}", "uann", n % 50, name=f"name {n}") for n in range(number * 100, number * 100 + 100)
        ]
        terms = own_logs.TERMS._replace(retention_days=retention)
        for start in range(0, 100, 25):
            commit_own.commit([OwnEntries("uann", MIDNIGHT.date(), entries[start : start + 25])], terms)
    expected = {log_items.expiry(MIDNIGHT.date(), LONG)}
    for pk in ("u#uann", "a#acme"):
        assert {codec.number_of(item, "ttl") for item in items(pk)} == expected, pk
    assert len(items("u#uann", ("S#",))) > 1
    assert len(own_logs.in_account("acme")) == 200


@pytest.mark.parametrize("reverse", [False, True], ids=["heads first", "blocks first"])
def test_day__deleted_item_by_item__is_read_written_and_erased_at_every_moment(tables, reverse):
    """DynamoDB deletes what has expired within days, and in any order."""
    send(0, 300, SHORT)
    late = NOW + timedelta(days=SHORT + 36)
    number = len(items())
    assert number > 4
    for _ in range(number):
        assert expire(late, most=1, reverse=reverse) == 1
        left = whole_days.read_day("a#acme", DAY)
        assert rollups.rollup_until("acme", DAY, start_of_day(DAY, UTC) + timedelta(days=1)) is None or left
    assert counted() == 0


@pytest.mark.parametrize("lost", ["first", "last", "all"])
def test_log__whose_blocks_have_expired_before_its_head__is_read_written_and_erased(tables, lost):
    """As an earlier version left them: the head was written again after the setting was raised, the blocks were not."""
    send(0, 300, SHORT)
    blocks = items(prefixes=("S#",))
    gone = {"first": blocks[:1], "last": blocks[-1:], "all": blocks}[lost]
    writes.delete_all(schema.activity_table(), [codec.key_of(item) for item in gone])
    commit_shard.sealed_parts.forget()
    left = len(whole_days.read_day("a#acme", DAY))
    assert left < 300
    assert rollups.rollup_until("acme", DAY, NOW - timedelta(seconds=150)) is not None or left < 300
    send(1000, 100, LONG)
    assert len(whole_days.read_day("a#acme", DAY)) == counted() == left + 100
    send(1000, 100, LONG)
    assert counted() == left + 100
    erasure.erase_user("acme", "user 1", NOW, lambda: True)
    assert "uuser 1" not in {entry.person for entry in whole_days.read_day("a#acme", DAY)}
    assert counted() == left + 100
    assert erasure.erase_account("acme", NOW, lambda: True)
    assert items() == []
    assert log_items.read_heads(LogKey("a#acme", DAY).pk, DAY) == {}
