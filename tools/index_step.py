"""Write the template of the next deployment: DynamoDB takes one change of an index a table and deployment.

    python -m tools.index_step --stack healthscore --template build/template.yaml --into build/step.json

`make deploy` runs this. Where the tables of the running stack differ from the template by more than one index, the step
has one change a table, new indexes first, and the command says what is left: deploy again. docs/deploy.md says what to
check in between.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tools.local.cloudformation import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Index = dict[str, Any]
"""An index as `GlobalSecondaryIndexes` has it: name, keys and projection."""


class Table(NamedTuple):
    """The indexes of a running table."""

    indexes: Sequence[Index]
    attributes: Mapping[str, str]
    """The type of each attribute that is a key of the table, or of an index."""


class Change(NamedTuple):
    """One change of a table's indexes."""

    table: str
    """The table, by its logical id."""
    name: str
    """The index."""
    is_added: bool

    def __str__(self) -> str:
        return f"{self.table} {'gets' if self.is_added else 'loses'} the index {self.name}"


def changes_of(document: Mapping[str, Any], running: Mapping[str, Table]) -> list[Change]:
    """What a template changes about the indexes of running tables, in the order in which it is to be deployed.

    New indexes come first, so that what reads them can, and then those that go. An index of the same name and another
    shape goes, and comes again.

    Args:
        document: the template.
        running: the tables of the stack, by logical id.
    """
    added, changed, gone = list[Change](), list[Change](), list[Change]()
    for name, table in sorted(running.items()):
        if name not in document["Resources"]:
            continue
        before = {index["IndexName"]: _shape(index) for index in table.indexes}
        after = {index["IndexName"]: _shape(index) for index in _indexes(document, name)}
        added += [Change(name, index, is_added=True) for index in after if index not in before]
        gone += [Change(name, index, is_added=False) for index in before if index not in after]
        for index in before.keys() & after.keys():
            if before[index] != after[index]:
                changed += [Change(name, index, is_added=False), Change(name, index, is_added=True)]
    return [*added, *changed, *gone]


def step(
    document: Mapping[str, Any], running: Mapping[str, Table]
) -> tuple[dict[str, Any], list[Change], list[Change]]:
    """The template of the next deployment.

    Args:
        document: the template that is wanted in the end.
        running: the tables of the stack, by logical id.

    Returns:
        The template, what it changes (one index a table at most), and what is left after it.
    """
    made, left = list[Change](), list[Change]()
    for change in changes_of(document, running):
        (left if change.table in {one.table for one in made} else made).append(change)
    template = copy.deepcopy(dict(document))
    for change in made:
        if any(one.table == change.table for one in left):
            properties = template["Resources"][change.table]["Properties"]
            _set_indexes(properties, running[change.table], change, _indexes(document, change.table))
    return template, made, left


def _set_indexes(properties: dict[str, Any], table: Table, change: Change, wanted: Iterable[Index]) -> None:
    """Give a table the indexes that it has, and one change."""
    indexes = [index for index in table.indexes if index["IndexName"] != change.name]
    if change.is_added:
        indexes += [index for index in wanted if index["IndexName"] == change.name]
    types = dict(table.attributes)
    types |= {one["AttributeName"]: one["AttributeType"] for one in properties["AttributeDefinitions"]}
    keys = [key["AttributeName"] for of in (properties, *indexes) for key in of["KeySchema"]]
    properties["AttributeDefinitions"] = [
        {"AttributeName": name, "AttributeType": types[name]} for name in dict.fromkeys(keys)
    ]
    properties.pop("GlobalSecondaryIndexes", None)
    if indexes:
        properties["GlobalSecondaryIndexes"] = indexes


def _indexes(document: Mapping[str, Any], table: str) -> list[Index]:
    indexes: list[Index] = document["Resources"][table]["Properties"].get("GlobalSecondaryIndexes", [])
    return indexes


def _shape(index: Index) -> str:
    """What makes an index another one: its keys and what it shows."""
    projection = index["Projection"]
    shown = sorted(projection.get("NonKeyAttributes", ()))
    return json.dumps([index["KeySchema"], projection["ProjectionType"], shown], sort_keys=True)


def running_tables(stack: str) -> dict[str, Table]:
    """The tables of a running stack, by logical id; none where there is no such stack.

    Raises:
        ClientError, BotoCoreError: AWS refuses to say, or cannot be reached.
    """
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    try:
        listed = [one for page in pages for one in page["StackResourceSummaries"]]
    except ClientError as error:
        if "does not exist" in str(error):
            return {}
        raise
    dynamodb, tables = boto3.client("dynamodb"), dict[str, Table]()
    for one in listed:
        if one["ResourceType"] == "AWS::DynamoDB::Table" and one.get("PhysicalResourceId"):
            described = dynamodb.describe_table(TableName=one["PhysicalResourceId"])["Table"]
            indexes: list[Index] = [
                {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
                for index in described.get("GlobalSecondaryIndexes", [])
            ]
            types = {one["AttributeName"]: one["AttributeType"] for one in described["AttributeDefinitions"]}
            tables[one["LogicalResourceId"]] = Table(indexes, types)
    return tables


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit status: 0, or 1 with the reason on standard error.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.index_step", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stack", required=True, help="its name")
    parser.add_argument("--template", type=Path, required=True, help="as it is built")
    parser.add_argument("--into", type=Path, required=True, help="the file to write")
    options = parser.parse_args(arguments)
    try:
        running = running_tables(options.stack)
    except (BotoCoreError, ClientError) as error:
        print(f"The stack {options.stack} cannot be read: {error}", file=sys.stderr)
        return 1
    template, made, left = step(load(options.template.read_text(encoding="utf-8")), running)
    options.into.write_text(json.dumps(template, indent=1) + "\n", encoding="utf-8")
    for change in made:
        print(f"With this deployment {change}.")
    if left:
        print("DynamoDB takes one such change a table and deployment. Left after this one:")
        print("\n".join(f"  {change}" for change in left))
        print("Read docs/deploy.md about the upgrade, and then deploy again.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
