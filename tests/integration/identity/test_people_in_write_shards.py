"""People of an account whose day is split into shards: what becomes known of them moves their events between shards."""

from __future__ import annotations

import functools
from collections import Counter
from types import SimpleNamespace
from uuid import uuid4

import pytest

from healthscore.core.day_log import log as day_log
from healthscore.core.day_log import shards as write_shards
from healthscore.core.day_log.shards import shard_of
from healthscore.core.identity.calls import Alias, GroupCall, Identification
from healthscore.core.time import DAY as ONE_DAY
from healthscore.services.ingestion.events import Ingested
from healthscore.settings import Settings
from healthscore.storage import retries, side_by_side
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import commit_day as daylogs
from healthscore.storage.day_logs import commit_gated, log_items, rollups
from healthscore.storage.day_logs.terms import Terms
from healthscore.storage.schema import activity_pk
from tests.integration.identity.calls import NOW, START, entries_of, record, tracked
from tests.integration.nightly.nights import Inline
from tests.support import interleaving
from tests.support.events import DAY

PEOPLE = 6
TODAY = DAY + ONE_DAY
NOON = 36 * 60
"""Minutes from `MIDNIGHT` to the middle of `TODAY`."""


@pytest.fixture
def in_process(moto, monkeypatch):
    monkeypatch.setattr(write_shards, "SHARD_BATCHES", 1)
    monkeypatch.setattr(side_by_side, "ThreadPoolExecutor", Inline)
    monkeypatch.setattr(retries, "time", SimpleNamespace(sleep=lambda _seconds: None))
    interleaving.watch(dynamodb())


class Hot:
    """An account whose day, after one of many narrow batches, is in shards."""

    def __init__(self):
        run = uuid4().hex[:8]
        self.people = [f"u{number}-{run}" for number in range(PEOPLE)]
        self.device = f"av-{run}"
        self.account, self.elsewhere = f"acme-{run}", f"bolt-{run}"
        self.yesterday = [tracked(f"y{i}", person, i, self.account) for i, person in enumerate(self.people)]
        for one in self.yesterday:
            record(one)
        log = activity_pk(self.account)
        self.shards = daylogs.read([(log, TODAY)], NOW).head(log, TODAY).head.shards
        assert self.shards > 1

    def event(self, name, person, minute=NOON):
        return tracked(name, person, minute, self.account)

    def of_two_shards(self):
        """Two users of whom one would lie in another shard as the other, and which of them stands for both."""
        for one in self.people:
            for other in self.people:
                if (
                    one < other
                    and len({shard_of(self.event("e", user).entry, self.shards) for user in (one, other)}) == 2
                ):
                    return one, other
        raise AssertionError("all people are in one shard")

    def today(self):
        (found,) = rollups.rollups(self.account, TODAY, TODAY, consistent=True)
        return found


def test_day__of_people_who_are_joined__has_each_person_and_session_once(in_process):
    hot = Hot()
    one, other = hot.of_two_shards()
    record(hot.event("e1", one), hot.event("e2", other, NOON + 20), hot.event("e3", hot.device, NOON + 40))
    assert (hot.today().people, hot.today().sessions) == (3, 3)
    record(Alias(one, START, other))
    record(Identification(hot.device, START, one))
    assert (hot.today().people, hot.today().sessions, hot.today().session_ms) == (1, 1, 40 * 60_000)
    heads = log_items.read_heads(activity_pk(hot.account), TODAY)
    assert [bool(head.head.tail) for head in heads.values()].count(True) == 1


@pytest.mark.parametrize("joined", ["device", "user"])
def test_event__sent_again_after_its_relabelling__is_found(in_process, joined):
    hot = Hot()
    one, other = hot.of_two_shards()
    person = hot.device if joined == "device" else one
    sent = hot.event("e1", person)
    record(sent)
    record(Identification(person, START, other) if joined == "device" else Alias(one, START, other))
    assert record(sent, hot.event("e2", person)) == Ingested(1, 1)
    assert (hot.today().events, hot.today().people) == (2, 1)


def test_gate__of_an_event_whose_user_is_joined_to_another__is_found_in_the_others_shard(in_process):
    """The event was corrected to today; sent again, it is taken for one of tomorrow, as its wrong clock says."""
    hot = Hot()
    one, other = hot.of_two_shards()
    record(hot.event("e0", one))
    sent, wrong = hot.event("e1", one).entry, hot.event("e1", one, NOON - 24 * 60).entry
    terms = Terms.of(Settings(), NOW)
    gate = commit_gated.gate_of(wrong, sent.at)
    assert commit_gated.commit(hot.account, DAY, wrong, gate_day=TODAY, gate=gate, terms=terms)
    record(Alias(one, START, other))
    assert record(tracked("e1", one, NOON, hot.account), hot.event("e2", one)) == Ingested(1, 1)
    assert (hot.today().events, hot.today().people) == (2, 1)
    assert not commit_gated.commit(hot.account, DAY, wrong, gate_day=TODAY, gate=gate, terms=terms)


def test_events__that_name_no_account_of_people_in_several_shards__add_up(in_process):
    hot = Hot()
    record(*(GroupCall(person, START, hot.account) for person in hot.people))
    sent = [tracked(f"e{number}", person, NOON + number) for number, person in enumerate(hot.people)]
    assert record(*sent) == Ingested(PEOPLE, 0)
    assert record(*sent) == Ingested(0, PEOPLE)
    assert (hot.today().events, hot.today().people, hot.today().sessions) == (PEOPLE, PEOPLE, PEOPLE)
    record(*(Alias(person, START, hot.people[0]) for person in hot.people[1:]))
    assert (hot.today().events, hot.today().people, hot.today().sessions) == (PEOPLE, 1, 1)


def overtaken(calls_before: int, hot: Hot, delivery, *calls) -> Counter[int]:
    """Send events; after so many calls of that, other calls come and are done with.

    Returns:
        How often each event of today is in the accounts.
    """
    turns = iter([0] * calls_before)
    interleaving.run(
        [functools.partial(record, *delivery), functools.partial(record, *calls)],
        choose=lambda count: next(turns, count - 1),
        kill=lambda: None,
    )
    found = [one for account in (hot.account, hot.elsewhere) for one in entries_of(activity_pk(account))]
    counted = Counter(one.id for one in found)
    counted.subtract(one.entry.id for one in hot.yesterday)
    return +counted


def test_events__of_people_in_several_shards_one_of_whom_was_elsewhere__count_once(in_process):
    for calls_before in range(3, 16, 2):
        hot = Hot()
        record(*(GroupCall(person, START, hot.account) for person in hot.people))
        sent = [tracked(f"e{number}", person, NOON + number) for number, person in enumerate(hot.people)]
        calls = [GroupCall(hot.people[2], START + 60_000, hot.elsewhere), *sent]
        assert set(overtaken(calls_before, hot, sent, *calls).values()) == {1}, calls_before


def test_event__sent_again_while_its_user_is_joined_to_another__counts_once_and_as_the_others(in_process):
    """The delivery has read who the user is, and the shard; then the user's events move to another shard."""
    for calls_before in range(10):
        hot = Hot()
        one, other = hot.of_two_shards()
        sent = hot.event("e1", one)
        record(sent)
        found = overtaken(calls_before, hot, [sent, hot.event("e2", one)], Alias(one, START, other))
        assert set(found.values()) == {1}, calls_before
        assert (hot.today().events, hot.today().people) == (2, 1), calls_before


def test_event__while_its_day_is_rewritten_and_its_blocks_deleted__is_committed(in_process, monkeypatch):
    """The delivery has read a head whose blocks are gone when it reads them."""
    monkeypatch.setattr(day_log, "HEAD_BYTES", 260)
    for calls_before in range(8):
        hot = Hot()
        one, other = hot.of_two_shards()
        record(*(hot.event(f"e{number}", one, NOON + number) for number in range(20)))
        ingest_cold(monkeypatch)
        found = overtaken(calls_before, hot, [hot.event("last", one)], Alias(one, START, other))
        assert (len(found), set(found.values())) == (21, {1}), calls_before
        assert (hot.today().events, hot.today().people) == (21, 1), calls_before


def ingest_cold(monkeypatch):
    """Have every writer be a process that knows no blocks."""
    monkeypatch.setattr(daylogs.commit_shard, "sealed_parts", log_items.SealedCache(max_entries=0))
