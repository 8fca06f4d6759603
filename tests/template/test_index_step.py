"""Upgrades of the tables' indexes: one change a table and deployment, until the stack is as the template says."""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import Any
from uuid import uuid4

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.template.sam_cli import NEEDS_SAM, SAM, run
from tools import ROOT
from tools.index_step import Table, changes_of, main, running_tables, step
from tools.local.cloudformation import load

EARLIER = json.loads((ROOT / "tests/golden/tables/accounts-2026-11-22.json").read_text(encoding="utf-8"))
"""The indexes of the accounts' table of a version that people run, and the types of its keys."""
NAMES = ("by-a", "by-b", "by-c", "by-d")


def index(name: str, key: str = "a", shown: tuple[str, ...] = ()) -> dict[str, Any]:
    projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": [*shown]} if shown else {"ProjectionType": "ALL"}
    return {"IndexName": name, "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}], "Projection": projection}


def definition(indexes: list[dict[str, Any]]) -> dict[str, Any]:
    """A table as a template has it."""
    keys = dict.fromkeys(["id", *(key["AttributeName"] for one in indexes for key in one["KeySchema"])])
    described: dict[str, Any] = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in keys],
    }
    return described | ({"GlobalSecondaryIndexes": indexes} if indexes else {})


def template_of(**tables: dict[str, Any]) -> dict[str, Any]:
    return {
        "Resources": {name: {"Type": "AWS::DynamoDB::Table", "Properties": given} for name, given in tables.items()}
    }


def deployed(template: dict[str, Any]) -> dict[str, Table]:
    """What runs once a template is deployed."""
    return {
        name: Table(
            resource["Properties"].get("GlobalSecondaryIndexes", []),
            {one["AttributeName"]: one["AttributeType"] for one in resource["Properties"]["AttributeDefinitions"]},
        )
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::DynamoDB::Table"
    }


def shapes(table: Table) -> dict[str, str]:
    return {one["IndexName"]: json.dumps(one, sort_keys=True) for one in table.indexes}


INDEXES = st.lists(
    st.builds(index, st.sampled_from(NAMES), st.sampled_from("abc"), st.sampled_from([(), ("x",)])),
    max_size=4,
    unique_by=lambda one: one["IndexName"],
)


@given(before=st.tuples(INDEXES, INDEXES), after=st.tuples(INDEXES, INDEXES))
def test_deployments__from_any_indexes_to_any__change_one_a_table_and_end_as_the_template(before, after):
    wanted = template_of(One=definition(after[0]), Two=definition(after[1]))
    running = deployed(template_of(One=definition(before[0]), Two=definition(before[1])))
    for _ in range(9):
        template, made, left = step(wanted, running)
        now = deployed(template)
        for name, table in now.items():
            was, is_now = shapes(running[name]), shapes(table)
            assert len([one for one in was.keys() | is_now.keys() if was.get(one) != is_now.get(one)]) <= 1
            keys = {key["AttributeName"] for one in table.indexes for key in one["KeySchema"]}
            assert table.attributes.keys() == {"id"} | keys
        assert len({change.table for change in made}) == len(made)
        running = now
        if not left:
            break
    assert template == wanted
    assert changes_of(wanted, running) == []


def test_step__of_indexes_that_come_and_go__adds_before_it_takes_away():
    running = deployed(template_of(One=definition([index("old"), index("older")])))
    _, made, left = step(template_of(One=definition([index("new")])), running)
    assert [str(change) for change in made] == ["One gets the index new"]
    assert [str(change) for change in left] == ["One loses the index old", "One loses the index older"]


def test_step__of_a_new_stack__is_the_template():
    wanted = template_of(One=definition([index("a"), index("b")]))
    assert step(wanted, {}) == (wanted, [], [])


@pytest.mark.sam
@NEEDS_SAM[1]
def test_step__without_changes__is_to_sam_what_the_template_is(document, tmp_path):
    path = tmp_path / "step.json"
    path.write_text(json.dumps(step(document, {})[0]))
    program = "import sys; from samcli.yamlhelper import yaml_parse as p; a, b = map(open, sys.argv[1:]); "
    program += "print(p(a.read()) == p(b.read()))"
    assert run(str(SAM / "python"), "-c", program, str(ROOT / "template.yaml"), str(path)) == "True\n"


def settled(client: Any, table: str) -> dict[str, Any]:
    """A table once its indexes are as they were asked for: until then, DynamoDB takes no other change."""
    while True:
        described: dict[str, Any] = client.describe_table(TableName=table)["Table"]
        if all(one["IndexStatus"] == "ACTIVE" for one in described.get("GlobalSecondaryIndexes", [])):
            return described
        time.sleep(0.05)


@pytest.mark.dynamodb_local
def test_upgrade__from_an_earlier_version__is_taken_by_dynamodb_step_by_step(dynamodb_local_endpoint, resources):
    """Each step is one UpdateTable, as CloudFormation makes it."""
    wanted = {"Resources": {"AccountsTable": resources["AccountsTable"]}}
    name = f"upgrade-{uuid4().hex}"
    with closing(boto3.client("dynamodb", endpoint_url=dynamodb_local_endpoint)) as client:
        keys = {"AttributeDefinitions": EARLIER["AttributeDefinitions"], "KeySchema": EARLIER["KeySchema"]}
        indexes = {"GlobalSecondaryIndexes": EARLIER["GlobalSecondaryIndexes"]}
        client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **keys, **indexes)
        for _ in range(9):
            described = settled(client, name)
            types = {one["AttributeName"]: one["AttributeType"] for one in described["AttributeDefinitions"]}
            running = {"AccountsTable": Table(described.get("GlobalSecondaryIndexes", []), types)}
            template, made, left = step(wanted, running)
            for change in made:
                given = template["Resources"]["AccountsTable"]["Properties"]
                update = {"Delete": {"IndexName": change.name}}
                if change.is_added:
                    (added,) = [one for one in given["GlobalSecondaryIndexes"] if one["IndexName"] == change.name]
                    update = {"Create": added}
                client.update_table(
                    TableName=name,
                    AttributeDefinitions=given["AttributeDefinitions"],
                    GlobalSecondaryIndexUpdates=[update],
                )
            if not left:
                break
        there = {one["IndexName"] for one in settled(client, name)["GlobalSecondaryIndexes"]}
        client.delete_table(TableName=name)
    assert there == {one["IndexName"] for one in resources["AccountsTable"]["Properties"]["GlobalSecondaryIndexes"]}


@pytest.fixture
def stack(moto):
    """A running stack of two tables, one of which has an index too many."""
    with closing(boto3.client("cloudformation")) as client:
        running = template_of(One=definition([index("a"), index("b")]), Two=definition([]))
        for resource in running["Resources"].values():
            resource["Properties"]["BillingMode"] = "PAY_PER_REQUEST"
        client.create_stack(StackName="here", TemplateBody=json.dumps(running))
        yield "here"
        client.delete_stack(StackName="here")


def test_running_tables__of_a_stack__have_the_indexes_that_are_there(stack):
    assert {name: shapes(table).keys() for name, table in running_tables(stack).items()} == {
        "One": {"a", "b"},
        "Two": set(),
    }


def test_running_tables__without_such_a_stack__are_none(moto):
    assert running_tables("nowhere") == {}


def test_command__with_two_changes__writes_the_first_and_says_what_is_left(stack, tmp_path, capsys):
    wanted, path = template_of(One=definition([]), Two=definition([])), tmp_path / "template.json"
    path.write_text(json.dumps(wanted))
    assert main(["--stack", stack, "--template", str(path), "--into", str(tmp_path / "step.json")]) == 0
    said = capsys.readouterr().out
    assert "With this deployment One loses the index a." in said
    assert "  One loses the index b\n" in said
    written = load((tmp_path / "step.json").read_text())
    assert [one["IndexName"] for one in written["Resources"]["One"]["Properties"]["GlobalSecondaryIndexes"]] == ["b"]
