"""Copy lost items from a restored table back into the table in use.

    python -m tools.restore --source RESTORED --target IN-USE            what the target does not have
    python -m tools.restore --source RESTORED --target IN-USE --replace  everything, over what the target has
    python -m tools.restore … --partition acme                           one partition key only

Uses the AWS credentials and region of the shell. It deletes nothing in either table, and may be interrupted and
repeated. docs/operations.md says when to use `--replace`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import ConditionFailedError, StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Copied:
    """How many items were copied."""

    written: int
    kept: int
    """Items that the target has already; they were not changed."""


def copy(source: str, target: str, *, partition: str | None = None, replace: bool = False) -> Copied:
    """Copy items from one table to another with the same keys.

    Args:
        source: the restored table.
        target: the table in use.
        partition: copies the items of this partition key alone.
        replace: whether items that the target has are overwritten.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now.
    """
    key = _partition_key(source)
    condition = {} if replace else {"ConditionExpression": "attribute_not_exists(#pk)"}
    names = {} if replace else {"ExpressionAttributeNames": {"#pk": key}}
    written = kept = 0
    for item in _items(source, key, partition):
        try:
            call(dynamodb().put_item, TableName=target, Item=item, **condition, **names)
        except ConditionFailedError:
            kept += 1
        else:
            written += 1
    return Copied(written, kept)


def _partition_key(table: str) -> str:
    schema = call(dynamodb().describe_table, TableName=table)["Table"]["KeySchema"]
    return next(part["AttributeName"] for part in schema if part["KeyType"] == "HASH")


def _items(table: str, key: str, partition: str | None) -> Iterator[dict[str, Any]]:
    if partition is None:
        return pages(dynamodb().scan, TableName=table, ConsistentRead=True)
    return pages(
        dynamodb().query,
        TableName=table,
        KeyConditionExpression="#pk = :pk",
        ExpressionAttributeNames={"#pk": key},
        ExpressionAttributeValues={":pk": {"S": partition}},
        ConsistentRead=True,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit status: 0, or 1 with the reason on standard error.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.restore", description="Copy lost items back.")
    parser.add_argument("--source", required=True, help="the restored table")
    parser.add_argument("--target", required=True, help="the table in use")
    parser.add_argument("--partition", help="copy the items of this partition key alone")
    parser.add_argument("--replace", action="store_true", help="overwrite what the target has")
    options = parser.parse_args(arguments)
    try:
        copied = copy(options.source, options.target, partition=options.partition, replace=options.replace)
    except (BotoCoreError, ClientError, StorageUnavailableError) as error:
        print(f"The tables could not be used: {error.__cause__ or error}", file=sys.stderr)
        return 1
    print(f"{copied.written} items written, {copied.kept} left as they are in {options.target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
