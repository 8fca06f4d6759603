"""What an earlier version kept for its book is deleted: by the night, by a merge, and by an erasure."""

from __future__ import annotations

import pytest
from aws_lambda_powertools import Logger

from healthscore.core.time import parse_instant
from healthscore.services import merging
from healthscore.services.nightly.plan import plan_run
from healthscore.services.nightly.process import process_scan_part
from healthscore.storage import codec, schema
from healthscore.storage.accounts import accounts, earlier_book
from healthscore.storage.client import dynamodb
from healthscore.storage.erasure import accounts as erasing
from tests.support.earlier_book import IDS, put_accounts

WORDS = {"acme": ("acme", "corp"), "mueller": ("mueller", "muller", "sohne"), "tokyo": ("tokyo", "東京電力")}
"""The words that lead to accounts, as that version wrote them."""
LOGGER = Logger(service="test")
NOW = parse_instant("2026-12-01T10:00:00Z")


@pytest.fixture(autouse=True)
def earlier(tables):
    put_accounts()
    for account_id, words in WORDS.items():
        for word in words:
            item = codec.key(f"w#{word[0]}", f"{word}\x1f{account_id}")
            dynamodb().put_item(TableName=schema.activity_table(), Item=item)


def run_night() -> None:
    totals = process_scan_part(plan_run({}, NOW), 0, 1, keep_going=lambda: True, logger=LOGGER).totals
    assert totals.failed == 0


def words() -> set[str]:
    """The words that are left, with the accounts to which they lead."""
    items = dynamodb().scan(TableName=schema.activity_table())["Items"]
    return {item["sk"]["S"] for item in items if item["pk"]["S"].startswith("w#")}


def attributes(account_id: str) -> set[str]:
    item = dynamodb().get_item(TableName=schema.accounts_table(), Key=codec.account_key(account_id)).get("Item", {})
    return item.keys() & {*earlier_book.ATTRIBUTES}


def test_night__after_the_upgrade__deletes_all_that_the_earlier_book_kept():
    assert words()
    run_night()
    assert words() == set()
    assert {account_id: attributes(account_id) for account_id in IDS} == {account_id: set() for account_id in IDS}


def test_night__of_an_account_renamed_since_the_upgrade__deletes_the_words_of_its_former_name():
    accounts.save_profile("acme", lambda profile: {**profile, "name": "Zenith"}, NOW)
    run_night()
    assert words() == set()


def test_delete__of_an_account_that_has_changed_since_it_was_read__leaves_it_for_another_time():
    earlier_book.delete("acme", '{"name":"Acme"}')
    assert "who" in attributes("acme")
    assert "acme\x1facme" in words()


def test_erasure__before_the_first_night__deletes_the_words_with_the_account():
    erasing.mark("mueller", NOW)
    assert erasing.erase("mueller", NOW, lambda: True)[1]
    assert not [word for word in words() if word.endswith("mueller")]
    assert "acme\x1facme" in words()


def test_merge__before_the_first_night__deletes_the_words_of_the_account_that_is_given_up():
    merging.merge("mueller", "acme", NOW, lambda: 60.0)
    assert not [word for word in words() if word.endswith("mueller")]
    assert attributes("mueller") == set()
