"""Notes about ids: which accounts their events name, and that their records name ids to settle."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from types import SimpleNamespace
from uuid import uuid4

import pytest

from healthscore.services.ingestion import events as ingest
from healthscore.settings import Settings
from healthscore.storage import reads, retries, schema, side_by_side
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import commit_day, settle
from healthscore.storage.errors import ConditionFailedError, StorageUnavailableError
from healthscore.storage.people import calls as kept_calls
from healthscore.storage.people import ids, unsettled
from healthscore.storage.schema import activity_pk
from tests.integration.nightly.nights import Inline
from tests.support import day_logs, interleaving
from tests.support.events import MIDNIGHT, event
from tests.support.own_logs import acted, commit, in_account, tell

ANN = "uann"


@pytest.fixture
def in_process(moto, monkeypatch):
    monkeypatch.setattr(side_by_side, "ThreadPoolExecutor", Inline)
    monkeypatch.setattr(retries, "time", SimpleNamespace(sleep=lambda _seconds: None))
    interleaving.watch(dynamodb())


def named(account_id, *events):
    """Commit events that name their account."""
    day_logs.commit(events, pk=activity_pk(account_id))


def overtaken(work, other, calls_before, calls_after):
    """Do work, and after so many calls of it something else; the work dies after so many calls more."""
    alone = []

    def choose(alive):
        alone.append(alive == 1)
        return int(alive == 2 and len(alone) > calls_before)

    interleaving.run([work, other], choose, lambda: "after" if sum(alone) == calls_after else None)


def noted(id_):
    people = ids.read([id_], [(id_, "acme")])
    return people.noted == {(id_, "acme")}, people.records[id_].is_named


def test_note_naming__before_events_name_an_account__notes_the_pair_and_the_account_knows_the_id(tables):
    people = ids.read([ANN], [(ANN, "acme")])
    ids.note_naming(people, [(ANN, "acme")])
    assert noted(ANN) == (True, True)
    assert settle.naming(ANN) == ["acme"]
    members = dynamodb().query(**reads.partition(schema.activity_table(), activity_pk("acme")))["Items"]
    assert [item["sk"]["S"] for item in members] == [schema.member_key(ANN)]


def test_note_naming__whose_record_has_changed__raises_and_is_made_by_the_next(tables):
    people = ids.read([ANN], [(ANN, "acme")])
    tell(grouped=[(ANN, 0, "bolt")])
    with pytest.raises(ConditionFailedError):
        ids.note_naming(people, [(ANN, "acme")])
    assert noted(ANN) == (True, False)  # as after a crash between the two
    ids.note_naming(ids.read([ANN], [(ANN, "acme")]), [(ANN, "acme")])
    assert noted(ANN) == (True, True)


def test_event__whose_writer_crashed_between_the_notes__is_labelled_all_the_same(in_process):
    """What becomes known meanwhile finds the id unnamed; the next delivery finds it known."""
    for calls_before in range(8):
        run = uuid4().hex
        device, ann, acme = f"av-{run}", f"uann-{run}", f"acme-{run}"
        work = functools.partial(named, acme, event("e1", 0, anonymous_id=device[1:]))
        fates = iter([None] * calls_before + ["after"])
        interleaving.run([work], choose=lambda _: 0, kill=lambda fates=fates: next(fates, None))
        tell(identified=[(device, 0, ann)])
        work()
        assert [one.who for one in in_account(acme)] == [ann], calls_before


def test_event__whose_writer_crashed_before_its_last_look__is_labelled_once_it_is_sent_again(in_process):
    """What becomes known between the first look and the put has passed the event by."""
    answers = set()
    for calls_before, calls_after in itertools.product(range(4, 8), range(1, 6)):
        run = uuid4().hex
        device, ann, acme = f"av-{run}", f"uann-{run}", f"acme-{run}"
        work = functools.partial(
            ingest.ingest, [event("e1", 0, account_id=acme, anonymous_id=device[1:])], Settings(), MIDNIGHT
        )
        overtaken(work, functools.partial(tell, identified=[(device, 0, ann)]), calls_before, calls_after)
        answers.add(work().accepted)
        assert [one.who for one in in_account(acme)] == [ann], (calls_before, calls_after)
    assert answers == {0, 1}


def test_request__of_which_one_account_cannot_be_committed__looks_at_the_others_people_again(tables, monkeypatch):
    commit_day_log = commit_day.commit

    def commit_or_fail(pk, *arguments, **named):
        if pk == activity_pk("bolt"):
            raise StorageUnavailableError("gone for a moment")
        tell(identified=[("av", 0, ANN)])
        return commit_day_log(pk, *arguments, **named)

    monkeypatch.setattr(commit_day, "commit", commit_or_fail)
    of_both = [event(f"e {account}", 0, account_id=account, anonymous_id="v") for account in ("acme", "bolt")]
    with pytest.raises(StorageUnavailableError):
        ingest.ingest(of_both, Settings(), MIDNIGHT)
    assert [one.who for one in in_account("acme")] == [ANN]


def test_request__of_many_accounts_and_people__looks_them_up_all_at_once(moto):
    calls = Counter()
    dynamodb().meta.events.register("before-call.dynamodb", lambda model, **_: calls.update([model.name]))
    events = [event(f"e{n}", n, account_id=f"account {n}", user_id=f"user {n}") for n in range(40)]
    assert ingest.ingest(events, Settings(), MIDNIGHT).accepted == 40
    assert calls["BatchGetItem"] <= 5  # logs, the days before, people and pairs, and people again
    assert calls["BatchWriteItem"] == 4  # 80 notes, 25 a call


def test_unsettled_note__of_a_record_that_names_ids__is_there_until_they_are_settled(tables, monkeypatch):
    commit(acted("e1", ANN))
    tell(grouped=[(ANN, 0, "acme")])
    assert list(unsettled.all_ids()) == []
    with monkeypatch.context() as accident:
        accident.setattr(settle, "own_days", _unavailable)
        with pytest.raises(StorageUnavailableError):
            tell(grouped=[(ANN, 0, "bolt")])
    assert list(unsettled.all_ids()) == [ANN]
    tell(grouped=[(ANN, 0, "bolt")])
    assert list(unsettled.all_ids()) == []
    assert [len(in_account(account)) for account in ("acme", "bolt")] == [0, 1]


def test_unsettled_note__of_somebody_who_did_nothing__is_not_put(tables):
    puts = []
    dynamodb().meta.events.register("before-parameter-build.dynamodb", lambda params, **_: puts.append(str(params)))
    tell(grouped=[(ANN, 0, "acme")], identified=[("av", 0, ANN)], aliases=[("uann.old", ANN)])
    assert not any("m#" in one for one in puts)


def _unavailable(*_, **__):
    raise StorageUnavailableError("gone for a moment")


def test_kept_calls__more_than_are_looked_through__the_newest_are(moto, monkeypatch):
    monkeypatch.setattr(kept_calls, "MOST_READ", 3)
    tell(grouped=[(ANN, minute, f"account {minute}") for minute in range(9)])
    tell(identified=[("aphone", minute, f"uof{minute}") for minute in range(9)])
    assert [account_id for _, account_id in kept_calls.grouped([ANN])[ANN]] == ["account 8", "account 7", "account 6"]
    assert [user for _, user in kept_calls.identified(["aphone"])["aphone"]] == ["uof8", "uof7", "uof6"]
    tell(grouped=[(ANN, 0.5, "late")])
    groups = ids.read([ANN]).records[ANN].groups
    assert [account_id for _, account_id in groups] == ["account 0", "late", *(f"account {n}" for n in range(1, 9))]
