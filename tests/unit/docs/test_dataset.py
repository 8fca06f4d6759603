"""The page about the dataset: its columns are those of the code, and its queries run."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from healthscore.core.account import Account
from healthscore.core.dataset.columns import COLUMNS, SCHEMA, AccountNight, Type, row
from healthscore.core.model import Band, Component, Snapshot
from healthscore.core.scoring.standard import band

PAGE = (Path(__file__).parents[3] / "docs" / "dataset.md").read_text(encoding="utf-8")
WORDS = {
    Type.TEXT: "text",
    Type.WHOLE: "whole number",
    Type.NUMBER: "number",
    Type.FLAG: "true or false",
    Type.DAY: "day",
    Type.INSTANT: "instant",
}
NIGHT = date(2026, 11, 28)
MIDNIGHT = datetime(2026, 11, 28, tzinfo=UTC)


def account_night(account_id: str, night: date, score: int, **profile: object) -> dict:
    at = datetime.combine(night, MIDNIGHT.timetz())
    scores = dict.fromkeys(Component, score)
    account = Account(account_id, MIDNIGHT - timedelta(days=90), profile, None, {}, None, ())
    return row(AccountNight(account, night, at, at, Snapshot(night, at, score, band(score), scores, {})))


@pytest.fixture
def account_nights(tmp_path):
    """Two accounts of which one is on its way down, for 31 nights, as a view that the page's queries read."""
    rows = []
    for number in range(31):
        night = NIGHT - timedelta(days=number)
        renewal = (NIGHT + timedelta(days=20)).isoformat()
        rows.append(account_night("falls", night, 71 + number // 2, renewal_date=renewal, plan="pro", arr=100))
        rows.append(account_night("stays", night, 69 if number else 90, renewal_date=renewal))
    lines = tmp_path / "rows.ndjson"
    lines.write_text("\n".join(map(json.dumps, rows)))
    columns = {column.name: column.type.value for column in COLUMNS}
    with duckdb.connect() as database:
        parquet = tmp_path / "rows.parquet"
        database.read_json(str(lines), columns=columns, format="newline_delimited").write_parquet(str(parquet))
        database.execute(f"CREATE VIEW account_nights AS FROM '{parquet}'")
        yield database


def test_columns__of_the_page__are_those_of_the_code():
    table = ["| column | what it holds | |", "|---|---|---|"]
    table += [f"| `{column.name}` | {column.about} | {WORDS[column.type]} |" for column in COLUMNS]
    assert "\n".join(table) in PAGE
    assert f"The present `schema` is {SCHEMA}." in PAGE


def test_queries__of_the_page__find_what_they_say(account_nights):
    fallen, by_week, changed = (
        account_nights.execute(query).fetchall() for query in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    )
    assert [(account[0], account[-2:]) for account in fallen] == [("falls", (86, 71))]
    assert {segment for segment, *_ in by_week} == {"pro", None}
    assert changed == [("stays", "at_risk", Band.HEALTHY.value, 69, 90)]


def test_row__of_a_filled_account__names_no_end_user():
    profile = {"name": "Acme", "owner": "Kim", "owner_email": "kim@example.com", "champions": ["ada"]}
    text = json.dumps(account_night("acme", NIGHT, 50, **profile, attributes={"contact": "bea"}))
    assert not [name for name in ("ada", "bea", "example.com") if name in text]


def test_row__with_attributes_that_the_workspace_has_chosen__keeps_those_that_are_known():
    account = Account("acme", MIDNIGHT, {"attributes": {"region": "Köln", "tier": 2, "note": "x"}}, None, {}, None, ())
    of = AccountNight(account, NIGHT, MIDNIGHT, MIDNIGHT, None, ("tier", "region", "size"))
    assert row(of)["attributes"] == '{"tier":2,"region":"Köln"}'
    assert row(replace(of, attributes=("size",)))["attributes"] is None
