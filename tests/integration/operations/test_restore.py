"""What was lost comes back from a restored table, as docs/operations.md says."""

from __future__ import annotations

import os

import pytest

from healthscore.storage import schema
from healthscore.storage.client import dynamodb, pages
from tests.integration.operations.conftest import TONIGHT
from tools.restore import main

VARIABLES = ("ACCOUNTS_TABLE", "ACTIVITY_TABLE", "HISTORY_TABLE", "SETTINGS_TABLE")


@pytest.fixture
def restored(product) -> dict[str, str]:
    """A workspace, and its tables restored beside it under other names."""
    product.send("acme", 0, 1, 2, 3)
    product.send("globex", 1)
    product.night(TONIGHT)
    return {variable: restore(os.environ[variable]) for variable in VARIABLES}


def restore(table: str) -> str:
    """Restore a table under another name; the emulation knows of no other second than the present."""
    dynamodb().update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    name = f"{table}-restored"
    dynamodb().restore_table_to_point_in_time(SourceTableName=table, TargetTableName=name, UseLatestRestorableTime=True)
    return name


def lose(variable: str, *, keeping: str = "") -> None:
    """Delete the items of a table that do not belong to an account."""
    table = os.environ[variable]
    names = [part["AttributeName"] for part in dynamodb().describe_table(TableName=table)["Table"]["KeySchema"]]
    for item in list(pages(dynamodb().scan, TableName=table)):
        key = {name: item[name] for name in names}
        if not keeping or keeping not in key[names[0]]["S"]:
            dynamodb().delete_item(TableName=table, Key=key)


def copy_back(restored: dict[str, str], variable: str, *options: str) -> None:
    assert main(["--source", restored[variable], "--target", os.environ[variable], *options]) == 0


def test_restored_tables__in_place_of_the_lost__answer_the_same(product, restored, monkeypatch):
    """The functions find their tables by the environment alone."""
    before = product.health("acme"), product.ask("GET", "/v1/accounts/acme/history")
    for variable in VARIABLES:
        lose(variable)
        monkeypatch.setenv(variable, restored[variable])
    assert (product.health("acme"), product.ask("GET", "/v1/accounts/acme/history")) == before


def test_copied_back__lost_items__answer_as_before_beside_what_came_since(product, restored):
    before = product.health("acme"), product.health("globex")
    for variable in VARIABLES[:3]:
        lose(variable, keeping="globex")
    product.send("initech", 0)
    for variable in VARIABLES:
        copy_back(restored, variable)
    assert (product.health("acme"), product.health("globex")) == before
    assert product.health("initech")["account_id"] == "initech"


def test_copied_back__items_that_are_still_there__stay_as_they_are_now(product, restored, capsys):
    product.send("acme", 4)
    now = product.health("acme")
    copy_back(restored, "ACTIVITY_TABLE")
    assert product.health("acme") == now
    assert capsys.readouterr().out.startswith("0 items written")


def test_copied_back__with_replace__one_account_is_as_it_was_and_others_as_they_are(product, restored):
    before = product.health("acme")
    product.send("acme", 4, 5)
    product.send("globex", 4)
    globex = product.health("globex")
    copy_back(restored, "ACTIVITY_TABLE", "--replace", "--partition", schema.activity_pk("acme"))
    # The days that came since are no part of what was restored, and stay.
    assert product.health("acme")["components"]["activity"]["facts"]["events"] == 5
    assert product.health("globex") == globex
    assert before["components"]["activity"]["facts"]["events"] == 3


def test_copied_back__table_that_is_not_there__says_so(product, capsys):
    assert main(["--source", "nowhere", "--target", os.environ["ACTIVITY_TABLE"]]) == 1
    assert "could not be used" in capsys.readouterr().err
