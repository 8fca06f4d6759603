"""The book as columns: an owner's accounts, the night's parts, and what has changed since."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from healthscore.api import book_parts
from healthscore.core.time import millis, parse_instant
from healthscore.dataset import bucket, columnar, files
from healthscore.storage.nights import manifests
from tests.integration.book.asking import ask, forget, lines, publish, respond
from tests.support.books import NIGHT, Drawn, write

BANDS = ["healthy", "at_risk", "critical"]
TRENDS = ["improving", "declining", "steady", "unknown"]
PARTS = ["activity", "engagement", "milestones", "recency", "crm"]


def unpacked(found):
    """Columns as the book's own rows, as far as they have them."""
    columns, known = found["columns"], found["dictionaries"]
    assert {len(values) for values in columns.values()} == {found["n"]}
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    for row in rows:
        for name, dictionary in columnar.DICTIONARIES.items():
            row[dictionary] = None if row[dictionary] is None else known[name][row[dictionary]]
        row["band"] = None if row["band"] is None else BANDS[row["band"]]
        row["trend"] = None if row["trend"] is None else TRENDS[row["trend"]]
        row["parts"], row["recent"] = scores(row["parts"]), scores(row["recent"])
    return rows


def scores(text):
    return None if text is None else [None if score == 255 else score for score in base64.b64decode(text)]


def expected(line):
    seen, renewal = line["last_seen_at"], line["renewal_date"]
    return {
        "id": line["account_id"],
        **{name: line[name] for name in ("name", "owner", "segment", "plan", "stage", "arr", "score", "band", "trend")},
        "renewal": None if renewal is None else (date.fromisoformat(renewal) - date(1970, 1, 1)).days,
        "seen": None if seen is None else millis(parse_instant(seen)) // 60_000,
        "card": None if line["score"] is None else "standard-v1",
        "cadence": line["cadence"],
        "recent": scores(line["recent"]),
        "why": None if line["fell"] is None else [PARTS.index(line["fell"]), line["fell_points"]],
        "parts": [line[f"{part}_score"] for part in PARTS],
        "handled": 0,
        "handled_until": None,
        "extra": line["attributes"],
    }


def part(number, **query):
    response = respond(f"/v1/book/parts/{number}", **query)
    assert (response["headers"]["Content-Encoding"], response["headers"]["Cache-Control"]) == ("gzip", "no-store")
    return json.loads(gzip.decompress(base64.b64decode(response["body"])))


def by_id(rows):
    return sorted(rows, key=lambda row: row["id"])


@pytest.fixture
def some(moto, read_key):
    for number in range(5):
        profile = {"owner": "ann" if number % 2 else "bob", "arr": number + 0.5 * (number % 2), "plan": "pro"}
        seen = NIGHT - timedelta(hours=number)
        write(Drawn(f"a{number}", {**profile, "renewal_date": "2027-01-01"}, 20 * number, 50, seen))
    write(Drawn("plain", {}))


def test_book__of_an_owner__is_the_accounts_as_they_are_now(some, monkeypatch):
    publish()
    write(Drawn("a0", {"owner": "ann", "name": "Moved"}))
    monkeypatch.setattr(book_parts, "LIMIT", 2)
    found, cursor = [], {}
    while cursor is not None:
        status, page = ask("/v1/book", owner="ann", **cursor)
        assert status == 200
        found += unpacked(page)
        cursor = page["next_cursor"] and {"cursor": page["next_cursor"]}
    assert found == by_id(expected(line) for line in lines() if line["owner"] == "ann")


def test_book__of_no_owner__is_the_accounts_without_one(some):
    assert [row["id"] for row in unpacked(ask("/v1/book", owner="none")[1])] == ["plain"]
    assert ask("/v1/book", owner="nobody")[1]["n"] == 0


def test_parts__with_what_has_changed__are_the_whole_book(some):
    night = publish()["night"]
    write(Drawn("a1", {"name": "New name"}))
    write(Drawn("new", {}))
    forget("a2")
    status, listed = ask("/v1/book/parts")
    assert (status, listed["night"], [one["n"] for one in listed["parts"]]) == (200, night, [6])
    rows = {row["id"]: row for row in unpacked(part(0, night=night))}
    assert "a2" not in rows
    changed = ask("/v1/book", changed="1")[1]
    assert changed["night"] == night
    assert changed["gone"] == ["a2"]
    rows |= {row["id"]: row for row in unpacked(changed)}
    assert by_id(rows.values()) == by_id(expected(line) for line in lines())


def test_part__of_the_newest_night__is_the_object_that_the_night_has_made(some, monkeypatch):
    publish()
    made = manifests.newest().book[0]
    assert ask("/v1/book/parts")[1]["parts"] == [{"n": 6, "etag": made.checksum}]
    monkeypatch.setattr(columnar, "read", unreachable)
    assert base64.b64decode(respond("/v1/book/parts/0")["body"]) == bucket.get(made.name).data


def unreachable(*_):
    raise AssertionError


def test_part__of_a_night_without_objects__is_made_of_its_rows(some):
    publish()
    made = part(0)
    night = manifests.newest().night
    held = manifests.lock(night, NIGHT, NIGHT)
    manifests.unlock(manifests.commit(held, replace(held.manifest, book=(), summary=None)))
    assert ask("/v1/book/parts")[1]["parts"][0]["etag"] == held.manifest.parts[0].checksum
    assert part(0) == part(0, night=night.isoformat()) == made


def test_part__of_several_of_a_file__is_the_same_made_of_the_rows(some, monkeypatch):
    publish()
    monkeypatch.setattr(files, "MOST_PACKED", manifests.newest().book[0].bytes - 1)
    publish("again")
    listed = ask("/v1/book/parts")[1]["parts"]
    assert len(listed) > len(manifests.newest().parts) == 1
    whole = [row for number in range(len(listed)) for row in unpacked(part(number))]
    assert by_id(whole) == by_id(expected(line) for line in lines())
    forget("a2")
    again = [row for number in range(len(listed)) for row in unpacked(part(number))]
    assert by_id(again) == [row for row in by_id(whole) if row["id"] != "a2"]


def test_book__of_the_one_who_asks__is_400_for_a_key(some):
    status, body = ask("/v1/book", owner="me")
    assert (status, body["code"]) == (400, "invalid_request")
    assert "signed in" in body["message"]


def test_parts__that_there_are_not__are_404(some):
    assert ask("/v1/book/parts")[0] == 404
    publish()
    for number in ("1", "x", "9999999", "-1"):
        assert ask(f"/v1/book/parts/{number}")[0] == 404, number
    assert ask("/v1/book/parts/0", night="2026-01-01")[0] == 404


@pytest.mark.parametrize("query", [{}, {"owner": "ann", "changed": "1"}, {"changed": "2"}, {"owner": ""}], ids=str)
def test_book__asked_for_neither_or_both__is_400(some, query):
    assert ask("/v1/book", **query)[0] == 400
