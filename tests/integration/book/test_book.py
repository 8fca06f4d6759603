"""The book of accounts over HTTP, beside the same list put in order in memory."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from healthscore import process
from healthscore.dataset import bucket, erasing, reader
from healthscore.services.ingestion.events import ingest
from healthscore.settings import DatasetSettings, Settings
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts, merging
from tests.integration.book import asking
from tests.integration.book.asking import ask, forget, found, ids, lines, listed, naive, publish
from tests.support.books import NIGHT, NOW, Drawn, write
from tests.support.events import event

NAMES = [
    "Acme Corp",
    "acme logistics",
    "Ärger & Söhne",
    "Zoë's café",
    "日本 Trading",
    "Northwind",
    "north sea",
    "Straße 7",
    "ΣΊΣΥΦΟΣ",
    "Ёлка",
    "İstanbul Ticaret",
    "مرحبا",
    "한국 무역",
    "ガラス",
    'a "quoted", name',
    "50% _off_",
]
OWNERS = ["ann", "bob", "Ann", "Åsa"]
SORTED_BY = ["score", "last_seen_at", "name", "arr", "owner", "renewal_date", "created_at", "band", "account_id"]
PARTS = [
    "a",
    "ACM",
    "soh",
    "cafe",
    "日",
    "north",
    "th s",
    "strasse",
    "σισυφοσ",
    "елк",
    "istan",
    "%",
    "_",
    '"',
    "!",
    "7",
]
EXAMPLES = count()
IDS = [f"a{number}" for number in range(12)] + ["Acme/1", "ä b", "日本", "north"]


def drawn_account(account_id: str) -> st.SearchStrategy[Drawn]:
    profiles = st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(NAMES),
            "owner": st.sampled_from(OWNERS),
            "plan": st.sampled_from(["free", "pro"]),
            "arr": st.sampled_from([0, 0.5, 1200, 1200, 10**9]),
            "renewal_date": st.sampled_from(["2026-12-24", "2027-01-01"]),
            "created_at": st.sampled_from(["2020-01-01", "2026-11-20T10:00:00.123Z"]),
            "attributes": st.sampled_from([{}, {"segment": "pro"}, {"segment": "smb", "stage": "live"}]),
        },
    )
    scores = st.one_of(st.none(), st.sampled_from([0, 39, 40, 69, 70, 100, 100]))
    seen = st.one_of(st.none(), st.sampled_from([1, 20, 20, 4000]).map(lambda hours: NIGHT - timedelta(hours=hours)))
    before = st.one_of(st.none(), st.sampled_from([10, 50, 95]))
    return st.builds(Drawn, st.just(account_id), profiles, scores, before, seen)


def drawn_accounts(more: str = "") -> st.SearchStrategy[list[Drawn]]:
    chosen = st.lists(st.sampled_from([account_id + more for account_id in IDS]), unique=True)
    return chosen.flatmap(lambda drawn: st.tuples(*map(drawn_account, drawn)).map(list))


FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "band": st.sampled_from(["healthy", "at_risk", "critical"]),
        "owner": st.sampled_from([*OWNERS, "nobody"]),
        "trend": st.sampled_from(["improving", "declining", "steady", "unknown"]),
        "segment": st.sampled_from(["pro", "smb"]),
        "arr.min": st.sampled_from(["0", "0.5", "1200"]),
        "arr.max": st.sampled_from(["0", "1200", "1200.5"]),
        "score.min": st.sampled_from(["40", "69.5"]),
        "renewal_date.max": st.sampled_from(["2026-12-24", "2026-12-31"]),
        "created_at.min": st.sampled_from(["2026-11-20", "2026-11-20T10:00:00.124Z"]),
        "created_at.max": st.sampled_from(["2026-11-20", "2026-11-20T10:00:00.123Z"]),
        "owner.known": st.sampled_from(["true", "false"]),
        "last_seen_at.known": st.sampled_from(["true", "false"]),
        "q": st.sampled_from(PARTS),
    },
)


def fits(line, filters):
    return all(_fits(line, name, wanted) for name, wanted in filters.items())


def _fits(line, name, wanted):
    if name == "q":
        return found(line, wanted)
    name, _, end = name.partition(".")
    value = line[name]
    if end == "known":
        return (value is not None) == (wanted == "true")
    if value is None or not end:
        return value == wanted
    if name == "created_at":
        value = value if "." in value else value.replace("Z", ".000Z")
        wanted = wanted if "T" in wanted else wanted + ("T00:00:00.000Z" if end == "min" else "T23:59:59.999Z")
    if name in {"arr", "score"}:
        wanted = float(wanted)
    return value >= wanted if end == "min" else value <= wanted


@st.composite
def orders(draw):
    chosen = draw(st.lists(st.sampled_from(SORTED_BY), min_size=1, max_size=3, unique=True))
    return [draw(st.sampled_from(["", "-"])) + name for name in chosen]


@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_pages__of_any_book_with_any_filters_and_order__are_the_list_put_in_order(moto, read_key, data):
    """Some accounts are of the night alone, some have changed since, some are new, and some are gone."""
    before = data.draw(drawn_accounts(), label="before the night")
    there = {drawn.account_id for drawn in before}
    for drawn in before:
        write(drawn)
    if data.draw(st.booleans(), label="a night"):
        publish()
    for drawn in data.draw(drawn_accounts(), label="since"):
        write(drawn)
        there.add(drawn.account_id)
    gone = data.draw(st.lists(st.sampled_from(IDS), unique=True, max_size=2), label="gone")
    for account_id in there & {*gone}:
        forget(account_id)
    try:
        for _ in range(4):
            filters = data.draw(FILTERS, label="filters")
            sort = data.draw(orders(), label="sort")
            limit = data.draw(st.integers(1, 7), label="limit")
            expected = naive(lines(), lambda line, filters=filters: fits(line, filters), sort)
            assert listed(**filters, sort=",".join(sort), limit=limit) == expected
    finally:
        for account_id in there - {*gone}:
            forget(account_id)


def come_go_and_move(data, more, gone):
    """What happens between two pages of a walk."""
    for drawn in data.draw(drawn_accounts(more), label="written between two pages"):
        if drawn.account_id not in gone:
            write(drawn)
    for account_id in data.draw(st.lists(st.sampled_from(IDS), unique=True, max_size=1), label="erased"):
        if accounts.get(account_id + more) is not None:
            forget(account_id + more)
            gone.add(account_id + more)
    if data.draw(st.integers(0, 3), label="a night between two pages") == 0:
        publish(uuid4().hex)


@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_walk__while_accounts_come_go_and_move__shows_each_that_stays_exactly_once(moto, read_key, data):
    more = f"-{next(EXAMPLES)}"  # an id that begins again within a minute of its erasure is another story
    for drawn in data.draw(drawn_accounts(more), label="before the night"):
        write(drawn)
    if data.draw(st.booleans(), label="a night"):
        publish()
    for drawn in data.draw(drawn_accounts(more), label="since"):
        write(drawn)
    sort, limit = data.draw(orders(), label="sort"), data.draw(st.integers(1, 5), label="limit")
    began = naive(lines(), lambda _: True, sort)
    there = [line["account_id"] for line in began]
    gone, shown = set(), []
    try:
        for page in asking.walk(sort=",".join(sort), limit=limit):
            now = {line["account_id"]: line for line in lines()}
            assert [now[line["account_id"]] for line in page] == page
            shown += [line["account_id"] for line in page]
            come_go_and_move(data, more, gone)
        assert [account_id for account_id in shown if account_id not in gone] == [
            account_id for account_id in there if account_id not in gone
        ]
        assert len(set(shown)) == len(shown)
    finally:
        for line in lines():
            forget(line["account_id"])


@pytest.mark.parametrize("few", [500, 1])
def test_walk__most_of_whose_accounts_do_not_fit_any_more__goes_on_with_those_that_do(moto, read_key, monkeypatch, few):
    monkeypatch.setattr(reader, "_FEW", few)
    for number in range(40):
        write(Drawn(f"a{number:02}", {"owner": "ann"}))
    publish()
    walk = asking.walk(owner="ann", limit=2)
    assert [line["account_id"] for line in next(walk)] == ["a00", "a01"]
    for number in range(38):
        write(Drawn(f"a{number:02}", {"owner": "bob"}))
    assert [line["account_id"] for page in walk for line in page] == ["a38", "a39"]


@pytest.mark.usefixtures("tables")
class TestOnBothEngines:
    def test_pages__of_sixty_accounts__hold_each_once_in_every_order(self, read_key):
        for i in range(60):
            write(Drawn(f"a{i}", {"name": f"Name {i % 7}", "arr": i % 5, "owner": "ann"}, i % 50 * 2))
            if i == 40:
                publish()
        for sort in ("score", "-score", "name,-arr", "-owner,arr,-name"):
            assert listed(sort=sort, limit=25) == naive(lines(), lambda _: True, sort.split(",")), sort
        assert [row["score"] for row in listed(band="critical", sort="score", limit=7)] == sorted(
            line["score"] for line in lines() if line["score"] < 40
        )

    def test_account__created_by_its_first_event__is_in_the_book_and_found(self, read_key):
        ingest([event("e1")], Settings(), now=NOW, time_left=lambda: 9.0)
        assert listed() == lines()
        assert [line["account_id"] for line in listed()] == ["acme"]
        assert ids(q="AC") == ids(q="cm") == ["acme"]
        assert ids(q="x") == []

    def test_account__merged_into_another__is_out_at_once(self, read_key):
        write(Drawn("old", {"name": "Old"}))
        write(Drawn("new", {}))
        publish()
        merging.begin("old", "new", ())
        assert [(line["account_id"], line["name"]) for line in listed()] == [("new", "Old")]


def test_name__that_is_changed__is_found_by_its_new_name_alone(moto, read_key):
    write(Drawn("x1", {"name": "Old Mill"}))
    publish()
    write(Drawn("x1", {"name": "New Mill"}))
    assert [len(ids(q=q)) for q in ("old", "new", "mill", "x1")] == [0, 1, 1, 1]


def test_filter__of_several_values__matches_any_of_them(moto, read_key):
    for owner in ("ann", "bob", "cid"):
        write(Drawn(owner, {"owner": owner}))
    assert ids(owner=["ann", "cid"]) == ["ann", "cid"]


def test_account__erased_a_moment_ago__is_out_at_once_also_of_past_nights(moto, read_key):
    write(Drawn("acme", {}))
    write(Drawn("bolt", {}))
    night = publish()["night"]
    forget("acme")
    assert ids() == ids(night=night) == ["bolt"]


def test_account__that_begins_again_after_its_erasure__is_back(moto, read_key):
    write(Drawn("acme", {"name": "Acme"}))
    publish()
    forget("acme")
    write(Drawn("acme", {}))
    assert [(line["account_id"], line["name"]) for line in listed()] == [("acme", None)]


def test_night__is_shown__as_it_was(moto, read_key):
    write(Drawn("acme", {"name": "Acme"}))
    night = publish()["night"]
    write(Drawn("acme", {"name": "New"}))
    write(Drawn("bolt", {}))
    assert [line["name"] for line in listed(night=night)] == ["Acme"]
    assert [line["name"] for line in listed(sort="account_id")] == ["New", None]
    assert ask(night=night)[1]["night"] == night


def test_attributes__that_the_settings_name__are_in_the_book_at_once(moto, read_key):
    write(Drawn("acme", {"attributes": {"region": "emea", "size": 5}}))
    publish()
    write(Drawn("bolt", {"attributes": {"region": "apac"}}))
    assert [line["attributes"] for line in listed()] == [None, None]
    settings = workspace.settings().settings
    workspace.save_settings(replace(settings, dataset=DatasetSettings(("region",))), NOW)
    expected = {"acme": {"region": "emea"}, "bolt": {"region": "apac"}}
    assert {line["account_id"]: line["attributes"] for line in listed()} == expected


@pytest.mark.parametrize(
    ("name", "value"), [("MOST_LOADED", 0), ("SCHEMA", 99)], ids=["of too many accounts", "of an earlier version"]
)
def test_night__that_is_read_in_another_way__has_the_same_accounts(moto, read_key, monkeypatch, name, value):
    monkeypatch.setattr(reader, name, value)
    for number in range(5):
        write(Drawn(f"a{number}", {"name": NAMES[number]}))
    publish()
    write(Drawn("a1", {"name": "Changed"}))
    assert listed(sort="-name", limit=2) == naive(lines(), lambda _: True, ["-name"])
    assert ids(q="cha") == ["a1"]


def test_night__that_there_is_not__is_404(moto, read_key):
    status, body = ask(night="2026-01-01")
    assert (status, body["code"]) == (404, "night_not_found")


def contents() -> bytes:
    """All that the bucket holds, but for Parquet."""
    return b"".join(gzip.decompress(bucket.get(key).data) for key in bucket.keys("") if key.endswith(".gz"))


def test_walk__with_an_account_that_is_erased_meanwhile__goes_on_without_it(moto, read_key):
    for number in range(4):
        write(Drawn(f"a{number}", {}))
    pages = asking.walk(limit=1, sort="account_id")
    assert [line["account_id"] for line in next(pages)] == ["a0"]
    assert b'"a2"' in contents()
    forget("a2")
    now = datetime.now(UTC)
    assert erasing.erase_pending(now, now, lambda: True)
    assert b'"a2"' not in contents()
    assert b'"a3"' in contents()
    assert [line["account_id"] for page in pages for line in page] == ["a1", "a3"]


@pytest.mark.parametrize("what", ["what had changed is not kept any more", "its night was made again"])
def test_walk__that_cannot_go_on__is_410(moto, read_key, what):
    for number in range(3):
        write(Drawn(f"a{number}", {}))
    publish("first")
    cursor = ask(limit=1)[1]["next_cursor"]
    write(Drawn("a1", {"name": "Changed"}))
    if what == "its night was made again":
        publish("second")
    else:
        bucket.delete(bucket.keys("exports/"))
    process.forget()  # else the files of the night are still here
    status, body = ask(limit=1, cursor=cursor)
    assert (status, body["code"]) == (410, "cursor_expired")


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
        {"sort": "score,name,arr,owner"},
        {"sort": "name,-name"},
        {"sort": ""},
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "٣"},
        {"limit": "1e2"},
        {"owner": " "},
        {"owner.known": "yes"},
        {"owner.min": "a"},
        {"arr.min": "much"},
        {"arr.min": "1e400"},
        {"score": "nan"},
        {"renewal_date.min": "2026-02-30"},
        {"created_at.max": "today"},
        {"churned": "1"},
        {"q": "x" * 201},
        {"q": "a\x00"},
        {"night": "yesterday"},
        {"cursor": ""},
        {"cursor": "abc"},
        {"cursor": "é"},
        {"page": "2"},
        {"arr.": "1"},
        {"arr.mean": "1"},
        {"as_of": "2026-11-20"},
    ],
    ids=str,
)
def test_book__asked_for_what_there_is_not__is_400(three, query):
    status, body = ask(**query)
    assert (status, body["code"], body["success"]) == (400, "invalid_request", False)


@pytest.mark.parametrize("query", [{"size.min": "2"}, {"sort": "size"}], ids=str)
def test_book__asked_for_a_column_that_there_is_not__names_those_that_there_are(three, query):
    assert "name, owner, segment" in ask(**query)[1]["message"]


def test_cursor__changed_in_any_character__is_400(three):
    _, page = ask(limit=1)
    cursor = page["next_cursor"]
    for place in range(0, len(cursor), 5):
        other = "A" if cursor[place] != "A" else "B"
        status, body = ask(limit=1, cursor=cursor[:place] + other + cursor[place + 1 :])
        assert (status, body["code"]) == (400, "invalid_request"), place
        assert ask(limit=1, cursor=cursor[:place])[0] == 400


@pytest.mark.parametrize(
    "query", [{"sort": "-score"}, {"sort": "name"}, {"band": "critical"}, {"q": "name"}, {"arr.min": "0"}], ids=str
)
def test_cursor__of_another_question__is_400(three, query):
    _, page = ask(limit=1)
    assert ask(limit=1, cursor=page["next_cursor"], **query)[0] == 400


def test_cursor__with_another_limit__goes_on(three):
    _, page = ask(limit=1)
    assert [row["account_id"] for row in ask(limit=2, cursor=page["next_cursor"])[1]["accounts"]] == ["a1", "a2"]
