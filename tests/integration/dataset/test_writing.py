"""Nights of the dataset: staged, merged, committed by the manifest, and the same however often they are killed."""

from __future__ import annotations

import gzip
import re
from datetime import date, timedelta
from hashlib import sha256

import pytest

from healthscore.core.dataset import layout
from healthscore.dataset import bucket as objects_of
from healthscore.dataset import files as made_files
from healthscore.dataset import writing
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.nights import manifests
from tests.integration.dataset.rows import (
    AS_OF,
    LATER,
    MINUTE,
    NIGHT,
    NOW,
    Killer,
    ids_in_bucket,
    leave,
    objects,
    publish,
    rows_of,
    scored,
)


def test_publish__rows_of_several_workers__are_one_file_in_the_order_of_their_places(tables, bucket, tmp_path):
    ids = [f"account {number}" for number in range(20)]
    first = leave([scored(id_, 40, name=f"Näme of {id_}", arr=12.5) for id_ in ids[:12]])
    second = leave([scored(id_, None) for id_ in ids[12:]], scan_part=1)
    manifest = publish(first, second)
    assert {*objects()} == manifest.names
    (part,) = manifest.parts
    assert (part.rows, part.bytes) == (20, len(objects()[part.name]))
    rows = rows_of(objects()[part.name], tmp_path)
    assert [row["account_id"] for row in rows] == sorted(ids, key=layout.place)
    third = next(row for row in rows if row["account_id"] == "account 3")
    assert (third["night"], third["score"], third["name"], third["arr"]) == (NIGHT, 40, "Näme of account 3", 12.5)
    assert (third["as_of"], third["events"], third["renewal_date"]) == (AS_OF, 40, None)
    assert next(row for row in rows if row["account_id"] == "account 15")["score"] is None
    assert manifests.newest() == manifests.of_night(NIGHT) == manifest


def test_publish__more_rows_than_a_part_holds__divides_them_by_their_ids(tables, bucket, tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "ROWS_A_PART", 10)
    ids = [f"account {number}" for number in range(35)]
    manifest = publish(leave(scored(id_) for id_ in ids))
    assert len(manifest.parts) == 4
    found = ids_in_bucket(tmp_path)
    for number, part in enumerate(manifest.parts):
        of_part = {id_ for id_ in ids if layout.part_of(id_, 4) == number}
        assert found[part.name] == found[manifest.book[number].name] == of_part
        assert manifest.book[number].rows == part.rows


def test_publish__part_of_the_book_that_no_answer_could_hold__is_several(tables, bucket, tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "ROWS_A_PART", 30)
    monkeypatch.setattr(made_files, "MOST_PACKED", 700)
    ids = [f"account {number}" for number in range(50)]
    manifest = publish(leave(scored(id_, name=f"Name of {sha256(id_.encode()).hexdigest()[:32]}") for id_ in ids))
    found = ids_in_bucket(tmp_path)
    assert len(manifest.parts) == 2
    assert len(manifest.book) in {4, 8}
    assert all(part.bytes <= 700 for part in manifest.book)
    for number, part in enumerate(manifest.book):
        assert found[part.name] == {id_ for id_ in ids if layout.part_of(id_, len(manifest.book)) == number}
        assert found[part.name] <= found[manifest.parts[number * 2 // len(manifest.book)].name]


def test_publish__account_that_stands_twice__keeps_the_newer_score(tables, bucket, tmp_path):
    before = NIGHT - timedelta(days=1)
    workers = [
        leave([scored("acme", 30, night=before), scored("bolt", 2)], recorded_at=NOW + MINUTE),
        leave([scored("acme", 80), scored("bolt", 1)], scan_part=1),
        leave([scored("acme", None)], scan_part=2, recorded_at=NOW + 2 * MINUTE),
    ]
    (part,) = publish(*workers).parts
    rows = rows_of(objects()[part.name], tmp_path)
    assert {row["account_id"]: row["score"] for row in rows} == {"acme": 80, "bolt": 2}


def test_publish__the_same_run_again__leaves_the_same_files_also_where_nothing_is_staged_any_more(tables, bucket):
    worker = leave([scored("acme"), scored("bolt")])
    manifest = publish(worker)
    files = objects()
    assert publish(worker, now=LATER) == manifest
    assert objects() == files


def test_publish__worker_that_has_left_nothing__leaves_the_night_as_it_was(tables, bucket):
    manifest = publish(leave([scored("acme")]))
    worker = leave([scored("bolt")], run="another run")
    files = objects()
    for night in (NIGHT, NIGHT + timedelta(days=1)):
        with pytest.raises(writing.NotStagedError):
            publish(worker, worker._replace(scan_part=1), run="another run", night=night, now=LATER)
        assert (manifests.of_night(NIGHT), objects()) == (manifest, files)
    assert [night.day for night in manifests.every()] == [NIGHT]


def test_publish__commit_whose_answer_is_lost__keeps_the_files_that_are_the_night(tables, bucket, monkeypatch):
    worker, commit = leave([scored("acme")]), manifests.commit

    def commit_without_answer(held, manifest):
        commit(held, manifest)
        raise StorageUnavailableError("no answer")

    with monkeypatch.context() as accident:
        accident.setattr(manifests, "commit", commit_without_answer)
        with pytest.raises(StorageUnavailableError):
            publish(worker)
    manifest = manifests.of_night(NIGHT)
    assert manifest.names <= objects().keys()
    assert publish(worker, now=LATER) == manifest
    assert {*objects()} == manifest.names


def test_publish__another_run_of_the_night__replaces_it_as_a_whole(tables, bucket, tmp_path):
    publish(leave([scored("acme"), scored("bolt")]))
    manifest = publish(leave([scored("acme", 90)], run="backfill"), run="backfill", now=LATER)
    assert {*objects()} == manifest.names
    assert list(ids_in_bucket(tmp_path).values()) == [{"acme"}] * 3


def test_publish__while_somebody_else_writes_the_night__is_refused_until_that_one_must_be_over(tables, bucket):
    worker = leave([scored("acme")])
    lock = manifests.lock(NIGHT, NOW, NOW + 15 * MINUTE)
    for now in (NOW, NOW + 15 * MINUTE):
        with pytest.raises(manifests.NightLockedError):
            publish(worker, now=now)
    publish(worker, now=NOW + 16 * MINUTE)
    with pytest.raises(manifests.NightLockedError):
        manifests.unlock(lock)


def contents() -> list[bytes]:
    """What is in the bucket's objects, but for the night that the book names."""
    unpacked = [gzip.decompress(data) if key.endswith(".gz") else data for key, data in sorted(objects().items())]
    return [re.sub(rb'^{"night":"[^"]*"', b"", data) for data in unpacked]


def test_publish__killed_at_any_call_and_run_again__leaves_the_same_files(moto, bucket):
    worker = leave([scored(f"account {number}") for number in range(5)])
    staged = objects()
    publish(worker)
    whole = contents()
    for at in range(1, 100):
        for key in objects():
            objects_of.delete([key])
        for key, data in staged.items():
            objects_of.put(key, data)
        night = date(2026, 1, 1) + timedelta(days=at)
        killer = Killer(at)
        with killer.watching():
            publish(worker, night=night)
        publish(worker, night=night, now=LATER)
        assert contents() == whole
        assert {*objects()} == manifests.of_night(night).names
        assert not next(one for one in manifests.every() if one.day == night).locked
        if not killer.dead:
            break
    assert at > 8


def test_sweep__after_a_writer_that_died__deletes_its_files_and_nights_that_are_over(tables, bucket):
    old = NIGHT - timedelta(days=400)
    publish(leave([scored("acme")], run="old"), run="old", night=old)
    publish(leave([scored("acme")]))
    files = {key: data for key, data in objects().items() if str(NIGHT) in key}
    manifests.lock(NIGHT, NOW, NOW + MINUTE)
    strays = [layout.part_name(NIGHT, 0, "stray"), layout.book_part_name(NIGHT, 0, "stray")]
    for stray in strays:
        objects_of.put(stray, b"what a dead writer left")
    writing.sweep(NIGHT - timedelta(days=399), NOW, NOW + MINUTE)
    assert {*objects()} == {*files, *strays}  # somebody may still be writing the night
    writing.sweep(NIGHT - timedelta(days=399), LATER, LATER + MINUTE)
    assert objects() == files
    assert [(night.day, night.locked) for night in manifests.every()] == [(NIGHT, False)]


def test_sweep__of_several_nights__leaves_the_newest_two_in_the_book(tables, bucket):
    days = [NIGHT - timedelta(days=age) for age in (3, 2, 1, 0)]
    for day in days:
        publish(leave([scored("acme", night=day)], run=f"of {day}", night=day), run=f"of {day}", night=day)
    writing.sweep(days[0], LATER, LATER + MINUTE)
    found = [night.manifest for night in manifests.every()]
    assert [(len(one.parts), len(one.book), one.summary is not None) for one in found] == [
        (1, 0, False),
        (1, 0, False),
        (1, 1, True),
        (1, 1, True),
    ]
    assert {*objects()} == {name for manifest in found for name in manifest.names}
    before = objects()
    writing.sweep(days[0], LATER, LATER + MINUTE)
    assert objects() == before
