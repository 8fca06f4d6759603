"""Erasing accounts from the dataset: whoever is killed where, no object has an erased account in the end."""

from __future__ import annotations

import functools
from datetime import timedelta
from types import SimpleNamespace

import pytest

from healthscore.dataset import bucket as objects_of
from healthscore.dataset import erasing, writing
from healthscore.storage import retries, side_by_side
from healthscore.storage.client import dynamodb
from healthscore.storage.nights import manifests, tombstones
from tests.integration.dataset.rows import (
    LATER,
    MINUTE,
    NIGHT,
    NOW,
    Killer,
    ids_in_bucket,
    leave,
    objects,
    publish,
    scored,
)
from tests.integration.nightly.nights import Inline
from tests.support import interleaving

DAY = timedelta(days=1)
ERASED_AT = NOW + MINUTE


def bury(account_id, at=ERASED_AT):
    tombstones.prepare()
    tombstones.put(account_id, at - tombstones.MARKED_WITHIN)


def erase(now=LATER):
    return erasing.erase_pending(now, now + 15 * MINUTE, lambda: True)


@pytest.fixture
def three_nights(tables, bucket):
    for number in range(3):
        night = NIGHT - number * DAY
        worker = leave([scored(id_, night=night) for id_ in ("acme", "bolt", "cora")], run=f"of {night}", night=night)
        publish(worker, run=worker.run, night=night)


def test_erase__account__is_in_no_night_and_the_others_are_in_each(three_nights, tmp_path):
    bury("acme")
    assert erase()
    assert list(ids_in_bucket(tmp_path).values()) == [{"bolt", "cora"}] * 9
    found = [night.manifest for night in manifests.every()]
    assert {*objects()} == {name for manifest in found for name in manifest.names}
    assert [part.rows for one in found for part in (*one.parts, *one.book, one.summary)] == [2] * 9
    assert tombstones.pending() == []


def test_erase__from_many_nights__keeps_no_more_than_one_nights_files_on_disk(three_nights, monkeypatch):
    fetch, on_disk = objects_of.fetch, []

    def fetch_and_count(keys, folder):
        found = fetch(keys, folder)
        on_disk.append(len({path.name for path in folder.glob("*.parquet")}))
        return found

    monkeypatch.setattr(objects_of, "fetch", fetch_and_count)
    bury("acme")
    assert erase()
    assert set(on_disk) == {1}


def test_erase__account_that_is_in_no_night__writes_none(three_nights):
    before = objects()
    bury("nobody")
    assert erase()
    assert objects() == before


def test_erase__rows_recorded_since__stay(three_nights, tmp_path):
    """The id has begun again."""
    tomorrow = NIGHT + DAY
    worker = leave([scored("acme", night=tomorrow)], run="new", night=tomorrow, recorded_at=ERASED_AT + MINUTE)
    publish(worker, run="new", night=tomorrow)
    bury("acme")
    assert erase()
    assert {key for key, ids in ids_in_bucket(tmp_path).items() if "acme" in ids} == manifests.of_night(tomorrow).names


def test_erase__rows_that_workers_have_left__are_taken_out(tables, bucket, tmp_path):
    worker = leave([scored("acme"), scored("bolt")])
    bury("acme")
    assert erase()
    assert list(ids_in_bucket(tmp_path).values()) == [{"bolt"}]
    publish(worker, now=LATER)
    assert list(ids_in_bucket(tmp_path).values()) == [{"bolt"}] * 3


def test_leave__account_that_is_erased_just_before__takes_its_row_out(tables, bucket, tmp_path, monkeypatch):
    put = objects_of.put

    def put_late(key, data):
        bury("acme")
        assert erase(NOW + 2 * MINUTE)  # it finds no file yet
        put(key, data)

    with monkeypatch.context() as late:
        late.setattr(objects_of, "put", put_late)
        leave([scored("acme"), scored("bolt")])
    assert list(ids_in_bucket(tmp_path).values()) == [{"bolt"}]


def test_publish__row_of_an_erased_account_that_a_dead_worker_has_left__leaves_it_out(tables, bucket, tmp_path):
    worker = leave([scored("acme"), scored("bolt")])  # it died before it could look, and the erasure has passed by
    bury("acme")
    publish(worker, now=LATER)
    assert list(ids_in_bucket(tmp_path).values()) == [{"bolt"}] * 3


def test_erase__while_somebody_writes_a_night__is_done_only_after_that(three_nights, tmp_path):
    lock = manifests.lock(NIGHT, NOW, LATER + MINUTE)
    bury("acme")
    assert not erase()
    assert tombstones.pending() != []
    manifests.unlock(lock)
    assert erase()
    assert not any("acme" in ids for ids in ids_in_bucket(tmp_path).values())


def test_erase__no_time__goes_on_with_the_next_call(three_nights, tmp_path):
    bury("acme")
    time = iter([True, True, False])
    assert not erasing.erase_pending(LATER, LATER + MINUTE, lambda: next(time))
    assert sum("acme" in ids for ids in ids_in_bucket(tmp_path).values()) == 3  # all of one night
    assert erase()
    assert not any("acme" in ids for ids in ids_in_bucket(tmp_path).values())


def test_tombstones__hide_rows_as_the_files_do(tables):
    bury("acme", at=ERASED_AT)
    bury("acme", at=ERASED_AT - DAY)
    found = tombstones.read()
    assert found.hides("acme", ERASED_AT - MINUTE)
    assert not found.hides("acme", ERASED_AT)
    assert not found.hides("bolt", NOW)
    assert "acme" not in str(found.erased)


@pytest.fixture
def in_process(moto, bucket, monkeypatch):
    monkeypatch.setattr(side_by_side, "ThreadPoolExecutor", Inline)
    monkeypatch.setattr(retries, "time", SimpleNamespace(sleep=lambda _seconds: None))


def forget(night):
    """Have the bucket empty and the night gone."""
    objects_of.delete(objects())
    for _ in (one for one in manifests.every() if one.day == night):
        manifests.drop(manifests.lock(night, LATER, LATER))


def test_erase__killed_at_any_call_and_made_again__leaves_nothing(in_process, tmp_path):
    for at in range(1, 200):
        gone = f"acme {at}"
        publish(leave([scored(id_) for id_ in (gone, "bolt")]))
        leave([scored(id_) for id_ in (gone, "bolt")], run="under way")
        bury(gone)
        killer = Killer(at)
        with killer.watching():
            erase()
        assert erase(LATER + timedelta(hours=1))
        assert list(ids_in_bucket(tmp_path).values()) == [{"bolt"}] * 4, at
        assert tombstones.pending() == []
        forget(NIGHT)
        if not killer.dead:
            break
    assert at > 12


def _overtaken(work, other, calls_before, calls_after):
    """Do work, and after so many calls of it something else; the work dies after so many calls more."""
    alone = []

    def choose(alive):
        alone.append(alive == 1)
        return int(alive == 2 and len(alone) > calls_before)

    interleaving.run([work, other], choose, lambda: "after" if sum(alone) == calls_after else None)


@pytest.mark.no_cover  # it makes the same calls again and again
@pytest.mark.parametrize("dies_after", [2, 100])
def test_erase__at_any_call_of_a_night_that_may_die__leaves_nothing_once_it_says_so(in_process, tmp_path, dies_after):
    """The worker stages and the night publishes; the account is erased after any of their calls."""
    interleaving.watch(dynamodb())
    interleaving.watch(objects_of._s3())
    answers = {}

    def night(gone):
        publish(leave([scored(id_) for id_ in (gone, "bolt")]))

    def erasure(gone):
        bury(gone)
        answers[gone] = erase(NOW + 2 * MINUTE)

    for calls_before in range(20):
        gone = f"acme {calls_before}"
        _overtaken(functools.partial(night, gone), functools.partial(erasure, gone), calls_before, dies_after)
        if answers.get(gone):
            of_night = {key: ids for key, ids in ids_in_bucket(tmp_path).items() if not key.startswith("staging/")}
            assert not any(gone in ids for ids in of_night.values()), calls_before
        if gone not in answers:  # the night was over, and the erasure died: it is asked for again
            bury(gone)
        writing.sweep(NIGHT, LATER, LATER + MINUTE)
        assert erase()
        assert not any(gone in ids for ids in ids_in_bucket(tmp_path).values()), calls_before
        assert not any(one.locked for one in manifests.every())
        forget(NIGHT)
    assert set(answers.values()) == {True, False}
