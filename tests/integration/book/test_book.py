"""The book of accounts over HTTP, beside the same list put in order in memory."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from functions.api import handler as api_function
from healthscore.api.book import account_line
from healthscore.core.book import Sort
from healthscore.http.api_keys import CachedKeys, key_hash
from healthscore.services import book as service
from healthscore.services.ingestion.events import ingest
from healthscore.settings import Settings
from healthscore.storage import workspace
from healthscore.storage.accounts import book as storage
from healthscore.storage.client import dynamodb
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.workspace import ApiKey
from tests.support.books import NIGHT, NOW, Drawn, line, naive, plain, write, written
from tests.support.events import event
from tests.support.gateway import gateway_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthscore.core.book import AccountRow

NAMES = ["Acme Corp", "acme logistics", "Ärger & Söhne", "Zoë's café", "日本 Trading", "Northwind", "north sea"]
OWNERS = ["ann", "bob", "Ann"]
SORTS = [f"{sign}{sort.value}" for sort in Sort for sign in ("", "-")]


@pytest.fixture
def read_key(monkeypatch):
    monkeypatch.setattr(api_function, "find_key", CachedKeys(workspace.find_key))
    workspace.add_key(ApiKey(key_hash("local-read"), "read", "test", NOW, "read"))


def ask(**query: Any) -> tuple[int, dict[str, Any]]:
    asked = gateway_event(
        "GET", "/v1/accounts", key="local-read", query={name: str(value) for name, value in query.items()}
    )
    response = api_function.handler(asked, None)
    return response["statusCode"], json.loads(response["body"])


def walk(**query: Any) -> Iterator[list[dict[str, Any]]]:
    """Page after page, to the end."""
    cursor: dict[str, Any] = {}
    while True:
        status, page = ask(**query, **cursor)
        assert status == 200, page
        assert len(page["accounts"]) <= int(query.get("limit", 50))
        yield page["accounts"]
        if page["next_cursor"] is None:
            return
        cursor = {"cursor": page["next_cursor"]}


def listed(**query: Any) -> list[dict[str, Any]]:
    return [account for page in walk(**query) for account in page]


def drawn_accounts() -> st.SearchStrategy[list[Drawn]]:
    ids = st.lists(st.sampled_from([f"a{i}" for i in range(12)] + ["Acme/1", "ä b", "日本", "north"]), unique=True)
    profiles = st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(NAMES),
            "owner": st.sampled_from(OWNERS),
            "plan": st.sampled_from(["free", "pro"]),
            "arr": st.sampled_from([0, 0.5, 1200, 1200, 10**9]),
            "attributes": st.sampled_from([{}, {"segment": "pro"}, {"segment": "smb"}]),
        },
    )
    scores = st.one_of(st.none(), st.sampled_from([0, 39, 40, 69, 70, 100, 100]))
    seen = st.one_of(st.none(), st.sampled_from([1, 20, 20, 4000]).map(lambda hours: NIGHT - timedelta(hours=hours)))
    before = st.one_of(st.none(), st.sampled_from([10, 50, 95]))
    one = st.tuples(profiles, scores, before, seen)
    return ids.flatmap(
        lambda drawn: st.tuples(*(one.map(lambda rest, id_=id_: Drawn(id_, *rest)) for id_ in drawn)).map(list)
    )


FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "band": st.sampled_from(["healthy", "at_risk", "critical"]),
        "owner": st.sampled_from([*OWNERS, "nobody"]),
        "trend": st.sampled_from(["improving", "declining", "steady", "unknown"]),
        "segment": st.sampled_from(["pro", "smb"]),
        "q": st.sampled_from(
            ["a", "ACM", "soh", "cafe", "日", "north", "north w", "sea n", "corp acme", "acme/", "!", "ä b"]
        ),
    },
)


def fits(row: AccountRow, filters: dict[str, str]) -> bool:
    shown = account_line(row)
    plainly = all(shown[name] == value for name, value in filters.items() if name != "q")
    return plainly and ("q" not in filters or found(row, filters["q"]))


def found(row: AccountRow, q: str) -> bool:
    if plain(row.account_id).startswith(plain(q)):
        return True
    spaced = "".join(character if character.isalnum() else " " for character in plain(row.name or ""))
    asked = "".join(character if character.isalnum() else " " for character in plain(q)).split()
    return bool(asked) and all(any(word.startswith(part) for word in spaced.split()) for part in asked)


@pytest.mark.parametrize("at_once", [None, 2], ids=["as it is", "with indexes followed"])
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_pages__of_any_book_with_any_filters_and_order__are_the_list_put_in_order(
    moto, read_key, monkeypatch, at_once, data
):
    if at_once is not None:  # so that even small books are read as large ones are
        for module, name in ((service, "OWNED"), (service, "FOUND"), (storage, "FEW"), (storage, "MANY")):
            monkeypatch.setattr(module, name, at_once)
    book = data.draw(drawn_accounts(), label="book")
    for drawn in book:
        write(drawn)
    try:
        for _ in range(3):
            filters = data.draw(FILTERS, label="filters")
            sort = data.draw(st.sampled_from(SORTS), label="sort")
            limit = data.draw(st.integers(1, 7), label="limit")
            expected = naive(
                book,
                lambda row, filters=filters: fits(row, filters),
                Sort(sort.removeprefix("-")),
                descending=sort.startswith("-"),
            )
            assert listed(**filters, sort=sort, limit=limit) == [account_line(row) for row in expected]
    finally:
        for drawn in book:
            forget(drawn.account_id)


def forget(account_id: str) -> None:
    assert erasing.mark(account_id, NOW)
    assert erasing.erase(account_id, NOW, lambda: True)[1]


@pytest.mark.usefixtures("tables")
class TestOnBothEngines:
    def test_pages__of_a_sixty_accounts__hold_each_once_in_every_order(self, read_key):
        book = [Drawn(f"a{i}", {"name": f"Name {i % 7}", "arr": i % 5, "owner": "ann"}, i % 50 * 2) for i in range(60)]
        for drawn in book:
            write(drawn)
        for sort in SORTS:
            expected = naive(book, lambda _: True, Sort(sort.removeprefix("-")), descending=sort.startswith("-"))
            assert listed(sort=sort, limit=25) == [account_line(row) for row in expected], sort
        assert [row["score"] for row in listed(band="critical", sort="score", limit=7)] == sorted(
            drawn.score for drawn in book if drawn.score < 40
        )

    def test_account__created_by_its_first_event__is_in_the_book_and_found(self, read_key):
        ingest([event("e1")], Settings(), now=NOW, time_left=lambda: 9.0)
        assert listed() == [account_line(line(Drawn("acme", {})))]
        assert listed(q="AC") == listed(q="acme") == listed()
        assert listed(q="cme") == []

    def test_name__that_is_changed__is_found_by_its_new_words_alone(self, read_key):
        write(Drawn("x1", {"name": "Old Mill"}))
        write(Drawn("x1", {"name": "New Mill"}))
        assert [len(listed(q=q)) for q in ("old", "new", "mill", "x1")] == [0, 1, 1, 1]


def test_written__for_books_of_many__is_what_writing_leaves(moto):
    drawn = Drawn("acme", {"name": "Acme Corp", "owner": "ann", "plan": "pro", "arr": 9}, 50, None, NIGHT)
    write(drawn)
    for table, expected in written(drawn):
        key = {name: expected[name] for name in ("account_id", "pk", "sk") if name in expected}
        item = dynamodb().get_item(TableName=table, Key=key)["Item"]
        assert {name: item[name] for name in expected} == expected


@pytest.fixture
def three(moto, read_key):
    for i in range(3):
        write(Drawn(f"a{i}", {"name": f"Name {i}"}, 10 * i))


@pytest.mark.parametrize(
    "query",
    [
        {"band": "green"},
        {"trend": "down"},
        {"sort": "age"},
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "٣"},
        {"limit": "1e2"},
        {"owner": " "},
        {"q": "x" * 201},
        {"q": "a\x00"},
        {"cursor": ""},
        {"cursor": "abc"},
        {"cursor": "é"},
        {"page": "2"},
    ],
    ids=str,
)
def test_book__asked_for_what_there_is_not__is_400(three, query):
    status, body = ask(**query)
    assert (status, body["code"], body["success"]) == (400, "invalid_request", False)


def test_cursor__changed_in_any_character__is_400(three):
    _, page = ask(limit=1)
    cursor = page["next_cursor"]
    for place in range(len(cursor)):
        other = "A" if cursor[place] != "A" else "B"
        status, body = ask(limit=1, cursor=cursor[:place] + other + cursor[place + 1 :])
        assert (status, body["code"]) == (400, "invalid_request"), place
        assert ask(limit=1, cursor=cursor[:place])[0] == 400


@pytest.mark.parametrize("query", [{"sort": "-score"}, {"sort": "name"}, {"band": "critical"}, {"q": "name"}], ids=str)
def test_cursor__of_another_question__is_400(three, query):
    _, page = ask(limit=1)
    assert ask(limit=1, cursor=page["next_cursor"], **query)[0] == 400


def test_cursor__with_another_limit__goes_on(three):
    _, page = ask(limit=1)
    assert [row["account_id"] for row in ask(limit=2, cursor=page["next_cursor"])[1]["accounts"]] == ["a1", "a2"]


def test_pages__while_others_come_go_and_move__hold_those_that_stay_exactly_once(three):
    """Between any two pages an account is added, one goes, and one moves; the rest stays put."""
    for i in range(10, 30):
        write(Drawn(f"stays{i}", {"name": f"Stays {i}"}, 50))
    pages = walk(sort="score", limit=4)
    seen = []
    for number, page in enumerate(pages):
        seen += [row["account_id"] for row in page]
        write(Drawn(f"new{number}", {"name": "New"}, number * 9))
        write(Drawn("a1", {"name": "Moves"}, 100 - number * 9))
        if number == 1:
            forget("a2")
    assert [account_id for account_id in seen if account_id.startswith("stays")] == [f"stays{i}" for i in range(10, 30)]


def test_page__of_few_that_fit_among_many__is_short_and_goes_on(three, monkeypatch):
    monkeypatch.setattr(service, "LOOKED_AT", 2)
    for i in range(20):
        write(Drawn(f"b{i:02d}", {"name": f"B {i:02d}", "plan": "pro" if i == 15 else "free"}, 50))
    pages = list(walk(segment="pro", sort="name", limit=5))
    assert len(pages) > 3
    assert [row["account_id"] for page in pages for row in page] == ["b15"]
