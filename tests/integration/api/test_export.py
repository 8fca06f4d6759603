"""`GET /v1/export`: links by which anybody who has them may read a night for a while."""

from __future__ import annotations

import json
import urllib.request
from datetime import timedelta

import duckdb
import pytest

from functions.insights import handler as function
from healthscore.core.dataset import layout
from healthscore.core.time import format_instant
from healthscore.http.api_keys import CachedKeys, Scope, key_hash
from healthscore.services.nightly.dataset import Invocation, publish_as_it_stands
from healthscore.settings import DatasetSettings, Settings
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.nights import tombstones
from healthscore.storage.workspace import ApiKey
from tests.integration.dataset.rows import AS_OF, NIGHT, leave, publish, scored
from tests.support.gateway import NOW, gateway_event


@pytest.fixture(autouse=True)
def keys(moto, bucket, described_answers, monkeypatch):
    monkeypatch.setattr(function, "find_key", CachedKeys(workspace.find_key))
    for scope in (Scope.READ, Scope.WRITE):
        workspace.add_key(ApiKey(key_hash(scope), scope, "test", NOW, scope))


def ask(key: str = Scope.READ, **query: str) -> tuple[int, dict]:
    response = function.handler(gateway_event("GET", "/v1/export", key=key, query=query), None)
    return response["statusCode"], json.loads(response["body"])


def rows_behind(urls, folder):
    """The accounts and scores in the files behind links, as somebody without any key reads them."""
    for number, url in enumerate(urls):
        with urllib.request.urlopen(url) as answer:
            (folder / f"{number}.parquet").write_bytes(answer.read())
    return sorted(duckdb.read_parquet(f"{folder}/*.parquet").project("account_id, score").fetchall())


def test_export__newest_night__is_a_link_that_anybody_can_read_for_five_minutes(tmp_path):
    before = NIGHT - timedelta(days=1)
    publish(leave([scored("acme", 70, night=before)], run="before", night=before), run="before", night=before)
    publish(leave([scored("acme", 40), scored("bolt", 90)]))
    status, answer = ask()
    assert (status, answer["night"], answer["as_of"]) == (200, NIGHT.isoformat(), format_instant(AS_OF))
    assert (answer["rows"], answer["urls"]) == (2, [answer["url"]])
    assert answer["expires_at"] == format_instant(NOW + timedelta(minutes=5))
    assert "X-Amz-Expires=300" in answer["url"]
    assert rows_behind(answer["urls"], tmp_path) == [("acme", 40), ("bolt", 90)]
    assert ask(night=before.isoformat())[1]["rows"] == 1


def test_export__of_a_workspace_that_has_chosen_attributes__has_them(tmp_path):
    workspace.save_settings(Settings(dataset=DatasetSettings(("region",))), NOW)
    accounts.save_profile("acme", lambda _: {"attributes": {"region": "Köln", "contact": "Ann"}}, NOW)
    publish_as_it_stands("once", Invocation(NOW, NOW + timedelta(minutes=15), lambda: True))
    rows_behind(ask()[1]["urls"], tmp_path)
    rows = duckdb.read_parquet(f"{tmp_path}/*.parquet").project("account_id, attributes").fetchall()
    assert rows == [("acme", '{"region":"Köln"}')]


def test_export__night_of_several_files__has_a_link_for_each(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "ROWS_A_PART", 2)
    publish(leave([scored(f"account {number}", number) for number in range(5)]))
    answer = ask()[1]
    assert (answer["url"], len(answer["urls"])) == (None, 3)
    assert rows_behind(answer["urls"], tmp_path) == [(f"account {number}", number) for number in range(5)]


def test_export__no_such_night__is_404_and_says_what_makes_one():
    assert [(status, answer["code"]) for status, answer in (ask(), ask(night="2026-11-20"))] == [
        (404, "night_not_found")
    ] * 2
    assert "the night 2026-11-20" in ask(night="2026-11-20")[1]["message"]


def test_export__night_that_is_no_day__is_400():
    assert ask(night="yesterday")[0] == 400


def test_export__while_an_account_is_erased__is_503_since_a_file_may_still_have_it():
    publish(leave([scored("acme"), scored("bolt")]))
    tombstones.prepare()
    tombstones.put("acme", NOW)
    assert ask()[0] == 503


def test_export__key_that_may_only_write__is_403():
    assert ask(key=Scope.WRITE)[0] == 403
