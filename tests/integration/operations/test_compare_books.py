"""The upgrade to the book on the dataset: over what an earlier version has stored, both books are the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from healthscore.services.nightly.dataset import Invocation, publish_as_it_stands
from healthscore.storage import codec, schema
from healthscore.storage.client import dynamodb
from tests.support.earlier_book import BOOK, IDS, put_accounts
from tools.compare_books import FIELDS, book, differences, earlier_book, main
from tools.local.stack import LocalStack


@pytest.fixture
def stack(monkeypatch):
    """A stack of today with what an earlier version has stored, right after the deployment."""
    with LocalStack(port=0, report=lambda _line: None) as stack:
        put_accounts()
        now = datetime.now(UTC)
        publish_as_it_stands("upgrade", Invocation(now, now + timedelta(minutes=15), lambda: True))
        stack.serve()
        monkeypatch.setenv("HEALTHSCORE_KEY", "local-read")
        yield stack


def test_books__over_what_an_earlier_version_stored__are_the_same(stack, capsys):
    answered = stack.call("GET", "/v1/accounts?limit=200", "local-read")
    assert [{name: line[name] for name in ("account_id", *FIELDS)} for line in answered["accounts"]] == [
        {name: line[name] for name in ("account_id", *FIELDS)} for line in BOOK
    ]
    assert main(["--url", stack.url, "--table", schema.accounts_table()]) == 0
    assert capsys.readouterr().out == "Both books have the same 6 accounts.\n"


def test_books__that_differ__are_named_by_account_and_field(stack, capsys):
    stack.call("PUT", "/v1/accounts/acme", "local-admin", {"name": "Acme Ltd"})
    assert main(["--url", stack.url, "--table", schema.accounts_table()]) == 1
    assert "acme: name was 'Acme Corp' and is 'Acme Ltd'" in capsys.readouterr().err


def test_differences__of_books_of_other_accounts__name_them():
    row = dict.fromkeys(FIELDS)
    assert differences({"a": row, "b": row}, {"b": row, "c": row}) == [
        "a is in the earlier book alone",
        "c is in the book of today alone",
    ]


def test_earlier_book__of_a_stack_that_never_had_one__is_empty(stack):
    for account_id in IDS:
        dynamodb().delete_item(TableName=schema.accounts_table(), Key=codec.account_key(account_id))
    assert earlier_book(schema.accounts_table()) == {}
    assert book(stack.url, "local-read").keys() == {*IDS}
