"""Which days a log has, and everything in one of them."""

from __future__ import annotations

from healthscore.core.day_log.codec import entry
from healthscore.core.day_log.log import EMPTY_HEAD, encode_head
from healthscore.core.time import DAY as ONE_DAY
from healthscore.storage import schema, writes
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import log_items, rollups, whole_days
from healthscore.storage.day_logs.log_items import LogKey
from tests.support.day_logs import ACME, commit_entries
from tests.support.events import DAY, event


def empty(day):
    """Take everything out of a day, as where all that counted in it counts elsewhere now."""
    version = log_items.read_heads(ACME, day)[0].version
    log = encode_head(day, EMPTY_HEAD)
    writes.apply(log_items.head_put(LogKey(ACME, day), log, None, read_version=version, version="-", expires=2**31))


def test_days__of_a_log__are_those_with_entries(tables):
    for back in (3, 1, 2):
        commit_entries(ACME, [entry(event("e1"))], day=DAY - back * ONE_DAY)
    commit_entries(schema.activity_pk("acme2"), [entry(event("e1"))])
    empty(DAY - 2 * ONE_DAY)
    assert whole_days.days(ACME) == [DAY - 3 * ONE_DAY, DAY - ONE_DAY]
    assert whole_days.days("a#nobody") == []


def test_read_day__of_a_sealed_log__has_every_entry(tables):
    entries = [entry(event(f"e{i}", i)) for i in range(600)]
    commit_entries(ACME, entries)
    commit_entries(ACME, [entry(event("last", 601))])
    assert log_items.read_heads(ACME, DAY)[0].head.blocks > 2
    assert whole_days.read_day(ACME, DAY) == [*entries, entry(event("last", 601))]
    assert whole_days.read_day(ACME, DAY - ONE_DAY) == []


def test_rollups__of_a_day_that_is_empty_now__leave_it_out(tables):
    commit_entries(ACME, [entry(event("e1"))])
    commit_entries(ACME, [entry(event("e1"))], day=DAY - 2 * ONE_DAY)
    empty(DAY)
    assert [one.day for one in rollups.rollups("acme", DAY - ONE_DAY, DAY, consistent=True)] == []
    assert rollups.last_rollup_before("acme", DAY + ONE_DAY, consistent=True).day == DAY - 2 * ONE_DAY


def test_tables__of_tests__keep_items_whose_time_is_up(tables):
    """Tests live in a past of their own: DynamoDB Local would delete under their hands what expires in it."""
    found = dynamodb().describe_time_to_live(TableName=schema.activity_table())
    assert found["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED"
