"""Compare the book of accounts with the indexes that it was read from before.

    python -m tools.compare_books --url https://… --table <AccountsTableName>

Run it after the first deployment of a version whose book is read from the dataset, before the next one takes the first
of the old indexes away (docs/deploy.md). It reads the key of scope `read` from the variable `HEALTHSCORE_KEY`, and the
table with the AWS credentials and region of the shell.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Row = dict[str, Any]
"""What both books show of an account, by field; None where it is not known."""

FIELDS = ("name", "owner", "segment", "plan", "arr", "renewal_date", "score", "band", "trend", "last_seen_at")
TIMEOUT_SECONDS = 30
SHOWN_AT_MOST = 20


def row_of(item: Mapping[str, Any]) -> Row:
    """A row of the earlier book.

    Args:
        item: an account's item, as DynamoDB has it, with what the old indexes were made of.
    """
    row: Row = {**dict.fromkeys(FIELDS), **json.loads(item["who"]["S"])}
    if "state" in item:
        row["band"], row["trend"] = item["state"]["S"].split(" ")
    score, seen = (item[name]["S"].partition("\x1f")[0] if name in item else "" for name in ("by_score", "by_seen"))
    row["score"] = int(score) if score.isdigit() else None
    row["last_seen_at"] = seen if "T" in seen else None
    return row


def earlier_book(table: str) -> dict[str, Row]:
    """The accounts that the earlier book has, by id: those whose items are in its indexes.

    Raises:
        ClientError, BotoCoreError: the table cannot be read.
    """
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    items = (item for page in pages for item in page["Items"])
    return {item["account_id"]["S"]: row_of(item) for item in items if "shard" in item}


def book(url: str, key: str) -> dict[str, Row]:
    """The accounts that the API's book has now, by id.

    Raises:
        urllib.error.URLError: the API refuses to answer, or cannot be reached.
    """
    return {
        line["account_id"]: {name: line[name] for name in FIELDS}
        for page in _pages(url, key)
        for line in page["accounts"]
    }


def _pages(url: str, key: str) -> Iterator[dict[str, Any]]:
    cursor: str | None = ""
    while cursor is not None:
        asked = urllib.parse.urlencode({"limit": 200, **({"cursor": cursor} if cursor else {})})
        request = urllib.request.Request(f"{url}/v1/accounts?{asked}", headers={"Authorization": f"Bearer {key}"})  # noqa: S310  (the operator's own address)
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            page: dict[str, Any] = json.loads(answer.read())
        yield page
        cursor = page["next_cursor"]


def differences(before: Mapping[str, Row], now: Mapping[str, Row]) -> list[str]:
    """What differs between two books, a sentence each."""
    found = [f"{account_id} is in the earlier book alone" for account_id in sorted(before.keys() - now.keys())]
    found += [f"{account_id} is in the book of today alone" for account_id in sorted(now.keys() - before.keys())]
    for account_id in sorted(before.keys() & now.keys()):
        found += [
            f"{account_id}: {name} was {before[account_id][name]!r} and is {now[account_id][name]!r}"
            for name in FIELDS
            if _instant(before[account_id][name]) != _instant(now[account_id][name])
        ]
    return found


def _instant(value: object) -> object:
    """A value without the ways in which both books write the same instant."""
    return value.replace("+00:00", "Z").replace(".000Z", "Z") if isinstance(value, str) else value


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit status: 0 where both books are the same, else 1, with what differs or went wrong on standard error.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tools.compare_books", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--url", required=True, help="the output ApiUrl of the stack")
    parser.add_argument("--table", required=True, help="its output AccountsTableName")
    options = parser.parse_args(arguments)
    try:
        before = earlier_book(options.table)
        now = book(options.url.rstrip("/"), os.environ.get("HEALTHSCORE_KEY", ""))
    except (BotoCoreError, ClientError, urllib.error.URLError) as error:
        print(f"The books cannot be read: {error}", file=sys.stderr)
        return 1
    found = differences(before, now)
    for sentence in found[:SHOWN_AT_MOST]:
        print(sentence, file=sys.stderr)
    if found:
        print(
            f"{len(found)} differences in all. An account that changes meanwhile differs: run it again.",
            file=sys.stderr,
        )
        return 1
    print(f"Both books have the same {len(now)} accounts.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
