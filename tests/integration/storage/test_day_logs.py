"""Day logs on the real table, on moto and on DynamoDB Local."""

from __future__ import annotations

import functools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from healthscore.core.day_log.codec import entry
from healthscore.core.time import DAY as ONE_DAY
from healthscore.storage import schema
from healthscore.storage.accounts import accounts
from healthscore.storage.client import CONCURRENCY, dynamodb
from healthscore.storage.day_logs import commit_day as daylogs
from healthscore.storage.day_logs import commit_shard
from healthscore.storage.day_logs import rollups as activity
from healthscore.storage.day_logs.log_items import NO_HEAD, SealedCache
from healthscore.storage.errors import StorageUnavailableError
from tests.support.day_logs import ACME, TERMS, commit
from tests.support.events import DAY, MIDNIGHT, event, naive_rollup


def on(day, one):
    """The event, moved to the same time of another day."""
    return replace(one, at=one.at + (day - DAY))


class Calls:
    """Counts the client's calls by operation, and what they consumed."""

    def __init__(self) -> None:
        self.made: list[str] = []
        dynamodb().meta.events.register("before-call.dynamodb", self._count)

    def _count(self, model, **_):
        self.made.append(model.name)


def test_commit__to_a_new_account__creates_it_with_its_first_seen_times(tables):
    committed = commit([event("e1", 5, name="login"), event("e2", 3, name="login"), event("e3", 9, name="export")])
    assert (committed.accepted, committed.duplicates) == (3, 0)
    account = accounts.get("acme")
    assert account.since == MIDNIGHT
    assert account.first_seen == {"login": MIDNIGHT + timedelta(minutes=3), "export": MIDNIGHT + timedelta(minutes=9)}


def test_commit__of_the_same_events_again__changes_nothing(tables):
    events = [event(f"e{i}", i) for i in range(50)]
    commit(events)
    again = commit(events)
    assert (again.accepted, again.duplicates) == (0, 50)
    assert activity.rollups("acme", DAY, DAY, consistent=True) == [naive_rollup(events)]


def test_commit__to_a_day_of_five_thousand_events__is_one_put(tables):
    for start in range(0, 5_000, 500):
        commit([event(f"e{i}", i / 4, user_id=f"u{i % 50}") for i in range(start, start + 500)])
    commit([event("one more", 1400)])
    calls = Calls()
    commit([event(f"late{i}", 1400 + i) for i in range(5)])
    assert calls.made == ["BatchGetItem", "PutItem"]
    assert activity.rollups("acme", DAY, DAY, consistent=True)[0].events == 5_006


def test_commit__in_a_process_that_knows_nothing_of_the_day__reads_its_blocks_once(tables, monkeypatch):
    events = [event(f"e{i}", i / 4) for i in range(3_000)]
    for start in range(0, 3_000, 500):
        commit(events[start : start + 500])
    monkeypatch.setattr(commit_shard, "sealed_parts", SealedCache())
    calls = Calls()
    committed = commit([*events[::7], event("new", 1200)])
    assert (committed.accepted, committed.duplicates) == (1, len(events[::7]))
    assert calls.made.count("Query") == 1
    assert activity.rollups("acme", DAY, DAY, consistent=True) == [naive_rollup([*events, event("new", 1200)])]


def test_commit__by_many_writers_at_once__loses_and_doubles_nothing(tables):
    events = [event(f"e{i}", i, user_id=f"u{i % 7}", name=f"n{i % 5}") for i in range(400)]
    batches = [events[start : start + 20] for start in range(0, 400, 10)]
    with ThreadPoolExecutor(8) as pool:
        waiting = functools.partial(commit, terms=TERMS._replace(sleep=time.sleep))  # or all of them lose for ever
        committed = list(pool.map(waiting, batches))
    assert sum(one.accepted for one in committed) == 400
    assert activity.rollups("acme", DAY, DAY, consistent=True) == [naive_rollup(events)]
    assert len(accounts.get("acme").first_seen) == 5


def test_commit__with_reads_that_are_out_of_date__reads_again(tables):
    stale = daylogs.read([(ACME, DAY)], TERMS.now)
    commit([event("e1", 1)])
    assert commit([event("e1", 1), event("e2", 2)], reading=stale).accepted == 1


def test_commit__whose_answer_is_lost__recognises_its_own_work(tables):
    commit([event("e0")])
    client = dynamodb()
    lost = []

    def lose(parsed, http_response, **_):
        if not lost:
            lost.append(parsed)
            http_response.status_code = 400
            parsed["Error"] = {"Code": "ConditionalCheckFailedException", "Message": "as a repeated put would say"}

    client.meta.events.register("after-call.dynamodb.PutItem", lose)
    committed = commit([event("e1", 1), event("e2", 2)])
    assert lost
    assert (committed.accepted, committed.duplicates) == (2, 0)


def test_commit__against_endless_races__gives_up_with_an_answer(tables, monkeypatch):
    commit([event("e0")])
    rival = iter(range(1_000))

    def race(params, **_):
        if params["Item"]["l"]["B"] and not racing:
            racing.append(True)
            commit([event(f"rival{next(rival)}", 1)])
            racing.clear()

    racing: list[bool] = []
    dynamodb().meta.events.register("provide-client-params.dynamodb.PutItem", race)
    with pytest.raises(StorageUnavailableError):
        daylogs.commit(
            ACME,
            DAY,
            [entry(event("mine", 2))],
            stored=NO_HEAD,
            first_seen="{}",
            terms=TERMS,
        )


def test_read__of_more_days_than_one_call_takes__finds_them_all(tables):
    days = [DAY - i * ONE_DAY for i in range(130)]
    for day in days[::10]:
        commit([on(day, event("e1"))], day=day)
    other = schema.activity_pk("other")
    reading = daylogs.read([(ACME, day) for day in days] + [(other, DAY)], TERMS.now)
    assert {key.day for key, stored in reading.heads.items() if stored.version} == set(days[::10])
    assert reading.first_seen[other] is None
    assert reading.first_seen[ACME] is not None


def test_rollups__of_a_window__read_only_its_days_and_not_their_logs(tables):
    for back in range(0, 400, 4):
        day = DAY - back * ONE_DAY
        commit([on(day, event(f"e{back}-{i}")) for i in range(3)], day=day)
    client = dynamodb()
    answers = []
    client.meta.events.register("after-call.dynamodb.Query", lambda parsed, **_: answers.append(parsed))
    rollups = activity.rollups("acme", DAY - 30 * ONE_DAY, DAY, consistent=True)
    assert [rollup.day for rollup in rollups] == [DAY - back * ONE_DAY for back in range(28, -1, -4)]
    assert len(answers) == 1
    assert answers[0]["ScannedCount"] == 8
    assert all(set(item) == {"sk", "r"} for item in answers[0]["Items"])


def test_last_rollup_before__a_long_silence__reads_one_item(tables):
    for back in (200, 300, 390):
        day = DAY - back * ONE_DAY
        commit([on(day, event("e1"))], day=day)
    assert activity.last_rollup_before("acme", DAY - 30 * ONE_DAY, consistent=True).day == DAY - 200 * ONE_DAY
    assert activity.last_rollup_before("acme", DAY - 390 * ONE_DAY, consistent=True) is None


@pytest.mark.parametrize("count", [3, 600], ids=["tail only", "with blocks"])
def test_rollup_until__an_instant__counts_up_to_and_including_it(tables, count):
    events = [event(f"e{i}", i, user_id="ann") for i in range(count)]
    commit(events)
    assert activity.rollup_until("acme", DAY, MIDNIGHT + timedelta(minutes=1)) == naive_rollup(events[:2])
    assert activity.rollup_until("acme", DAY, MIDNIGHT + timedelta(minutes=1, milliseconds=-1)) == naive_rollup(
        events[:1]
    )
    assert activity.rollup_until("acme", DAY, MIDNIGHT - timedelta(milliseconds=1)) is None
    assert activity.rollup_until("nobody", DAY, MIDNIGHT) is None


def test_items__of_a_day__expire_when_no_score_can_need_them(tables):
    commit([event(f"e{i}") for i in range(200)])
    client = dynamodb()
    items = [item for item in client.scan(TableName=schema.activity_table())["Items"] if item["pk"]["S"] == ACME]
    expected = int((MIDNIGHT.astimezone(UTC) + timedelta(days=400 + 35)).timestamp())
    assert len(items) > 1
    assert {item["ttl"]["N"] for item in items} == {str(expected)}


def test_the_clients_pool__has_room_for_every_call_under_way(tables):
    assert dynamodb().meta.config.max_pool_connections >= CONCURRENCY
