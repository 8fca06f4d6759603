"""The book and a night as CSV."""

from __future__ import annotations

import csv
import io
import urllib.request
from datetime import UTC, datetime

import pytest

from healthscore.core.dataset.question import SHOWN
from healthscore.dataset import book as dataset_book
from healthscore.dataset import bucket, erasing
from healthscore.storage.nights import tombstones
from tests.integration.book.asking import ask, forget, listed, publish, respond
from tests.support.books import NIGHT, Drawn, write

NAMES = ["=1+1", "+x", "-x", "@x", 'Acme, "Ltd"', "Müller", "two\u00a0words", "'quoted"]


@pytest.fixture
def accounts(moto, read_key):
    for number, name in enumerate(NAMES):
        profile = {"name": name, "arr": 1.5 * number, "owner": "ann" if number % 2 else "bob"}
        write(Drawn(f"a{number}", profile, 10 * number, None, NIGHT))
    write(Drawn("b", {}))


def rows_of(text: str):
    assert text.startswith("\ufeff")
    assert text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def cell(value):
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case str() if value[0] in "=+-@":
            return f"'{value}"
    return str(value)


@pytest.mark.parametrize("asked", [{"format": "csv"}, {}], ids=["by the query", "by the header"])
def test_csv__of_what_is_filtered_and_sorted__has_every_column_and_no_formula(accounts, asked):
    headers = {} if asked else {"accept": "text/csv"}
    answer = respond(headers=headers, sort="-name", **{"owner.known": "true"}, **asked)
    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["headers"]["Cache-Control"] == "no-store"
    found = rows_of(answer["body"])
    assert [*found[0]] == [*SHOWN]
    expected = listed(sort="-name", **{"owner.known": "true"})
    assert found == [{name: cell(line[name]) for name in SHOWN} for line in expected]


def test_csv__too_large_for_an_answer__is_elsewhere(accounts, monkeypatch):
    monkeypatch.setattr(dataset_book, "MOST_ROWS", 3)
    answer = respond(format="csv", sort="account_id")
    assert (answer["statusCode"], answer["body"]) == (303, "")
    with urllib.request.urlopen(answer["headers"]["Location"]) as response:
        text = response.read().decode()
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert [row["account_id"] for row in rows_of(text)] == [*(f"a{number}" for number in range(8)), "b"]


@pytest.mark.parametrize("query", [{"limit": 5}, {"cursor": "x"}, {"arr.min": "x"}, {"format": "xml"}], ids=str)
def test_csv__asked_for_what_there_is_not__is_400(accounts, query):
    assert ask(**{"format": "csv", **query})[0] == 400


def test_export__of_a_night_as_csv__is_a_link_to_it(accounts):
    night = publish()["night"]
    write(Drawn("later", {}))
    status, found = ask("/v1/export", format="csv")
    assert (status, found["night"], found["rows"], found["urls"]) == (200, night, 9, [found["url"]])
    with urllib.request.urlopen(found["url"]) as response:
        assert len(rows_of(response.read().decode())) == 9
    assert ask("/v1/export", format="csv", night="2026-01-01")[0] == 404


def test_export__of_an_account_that_is_erased__is_gone_with_it(accounts):
    publish()
    ask("/v1/export", format="csv")
    assert bucket.keys("exports/csv-") != []
    forget("a1")
    now = datetime.now(UTC)
    assert erasing.erase_pending(now, now, lambda: True)
    assert bucket.keys("exports/csv-") == []


def test_export__of_an_account_that_is_erased_meanwhile__is_refused_and_leaves_no_file(accounts, monkeypatch):
    publish()
    put = bucket.put

    def put_late(key, data):
        forget("a1")
        for one in tombstones.pending():
            tombstones.finish([one])
        put(key, data)

    monkeypatch.setattr(bucket, "put", put_late)
    assert ask("/v1/export", format="csv")[0] == 503
    assert bucket.keys("exports/csv-") == []
