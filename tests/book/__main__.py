"""Fill DynamoDB Local with accounts, page through the book in every order, and check that it is complete.

PYTHONPATH=shared python -m tests.book --accounts 100000

The accounts have the items that the product's own code writes (a test compares them), put in batches. The function's
handler answers every page, and the engine reports the read units.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from healthscore.core.book import Sort
from healthscore.http.api_keys import Scope
from healthscore.storage.client import dynamodb
from tests.support import dynamodb_local
from tests.support.books import NIGHT, Drawn, line, written
from tests.support.gateway import gateway_event
from tools import ROOT, keys
from tools.local import aws, template
from tools.local.environment import variables

KEY = "local-read"
OWNERS = 400
PAGE = 200
AT_ONCE = 5
"""Accounts of one write: with their search entries they are 25 items."""


def drawn(number: int) -> Drawn:
    """One of the accounts; the same number gives the same account."""
    place = number * 2_654_435_761 % 2**32
    words = ("Acme", "Borealis", "Cobalt", "Delta", "Ember", "Fjord", "Granite", "Harbor")
    return Drawn(
        f"acct-{number:07d}",
        {
            "name": f"{words[place % 8]} {words[place // 8 % 8]} {place % 9973}",
            "owner": f"owner-{place // 64 % OWNERS:03d}",
            "plan": ("free", "pro", "enterprise")[place // 512 % 3],
            "arr": place // 1024 % 50_000,
        },
        None if number % 50 == 0 else place // 2048 % 101,
        None,
        NIGHT - timedelta(minutes=place // 4096 % 50_000),
    )


class Units:
    """Counts the units that calls consume."""

    def __init__(self) -> None:
        self.consumed = 0.0
        events = dynamodb().meta.events
        events.register("before-parameter-build.dynamodb", self._ask)
        events.register("after-call.dynamodb", self._count)

    def _ask(self, params: dict[str, Any], **_: object) -> None:
        params.setdefault("ReturnConsumedCapacity", "TOTAL")

    def _count(self, parsed: dict[str, Any], **_: object) -> None:
        answered = parsed.get("ConsumedCapacity", [])
        for one in answered if isinstance(answered, list) else [answered]:
            self.consumed += one.get("CapacityUnits", 0.0)

    def take(self) -> float:
        """The units consumed since the last call of this method."""
        taken, self.consumed = self.consumed, 0.0
        return taken


def fill(accounts: int) -> None:
    """Write the accounts."""
    with ThreadPoolExecutor(4) as pool:
        for number, _ in enumerate(pool.map(put, range(0, accounts, AT_ONCE)), start=1):
            if number % 1000 == 0:
                print(f"{number * AT_ONCE:,} accounts written", flush=True)


def put(first: int) -> None:
    """Write the accounts of one call."""
    request: dict[str, list[Any]] = {}
    for number in range(first, first + AT_ONCE):
        for table, item in written(drawn(number)):
            request.setdefault(table, []).append({"PutRequest": {"Item": item}})
    while request:
        request = dynamodb().batch_write_item(RequestItems=request).get("UnprocessedItems") or {}


def pages(handler: Any, query: dict[str, str], units: Units) -> tuple[list[dict[str, Any]], list[float]]:
    """All accounts of all pages, and the units that each page took."""
    found: list[dict[str, Any]] = []
    taken: list[float] = []
    cursor: dict[str, str] = {}
    units.take()
    while True:
        response = handler(gateway_event("GET", "/v1/accounts", key=KEY, query={**query, **cursor}), None)
        page = json.loads(response["body"])
        if response["statusCode"] != 200:
            raise SystemExit(f"{query}: {page}")
        taken.append(units.take())
        found += page["accounts"]
        if page["next_cursor"] is None:
            return found, taken
        cursor = {"cursor": page["next_cursor"]}


def check(handler: Any, accounts: int, units: Units) -> bool:
    """Page through the book in every order and by some filters; print the figures."""
    book = [line(drawn(number)) for number in range(accounts)]
    owner = "owner-007"
    walks: list[tuple[dict[str, str], int]] = [
        ({"sort": f"{sign}{sort.value}"}, accounts) for sort in Sort for sign in ("", "-")
    ]
    walks += [
        ({"band": "critical"}, sum(row.band == "critical" for row in book)),
        ({"band": "critical", "sort": "name"}, sum(row.band == "critical" for row in book)),
        ({"owner": owner, "sort": "name"}, sum(row.owner == owner for row in book)),
        ({"q": "acct-00000"}, sum(row.account_id.startswith("acct-00000") for row in book)),
        ({"q": "fjord 77"}, sum({"fjord", "77"} <= _starts(row.name, ("fjord", "77")) for row in book)),
    ]
    right = True
    print(f"{'asked':42} {'accounts':>9} {'pages':>6} {'units/page':>11} {'most':>7} {'s':>6}")
    for query, expected in walks:
        began = time.perf_counter()
        found, taken = pages(handler, {"limit": str(PAGE), **query}, units)
        ids = Counter(row["account_id"] for row in found)
        fits = len(found) == expected == len(ids)
        right = right and fits
        seconds = time.perf_counter() - began
        print(
            f"{json.dumps(query):42} {len(found):9,} {len(taken):6,} {statistics.mean(taken):11.1f} {max(taken):7.1f} "
            f"{seconds:6.1f}{'' if fits else f'  WRONG: expected {expected:,}, {len(ids):,} of them distinct'}",
            flush=True,
        )
    return right


def _starts(name: str | None, beginnings: tuple[str, ...]) -> set[str]:
    words = (name or "").lower().split()
    return {beginning for beginning in beginnings if any(word.startswith(beginning) for word in words)}


def main() -> int:
    """Run the command; the exit status is 0 where every page is as expected."""
    parser = argparse.ArgumentParser(prog="python -m tests.book", description=__doc__.splitlines()[0])
    parser.add_argument("--accounts", type=int, default=100_000)
    accounts = parser.parse_args().accounts
    logging.disable(logging.CRITICAL)
    with dynamodb_local.running() as endpoint:
        os.environ["AWS_ENDPOINT_URL"] = endpoint
        stack = template.read(ROOT / "template.yaml", stack="book")
        aws.create_tables(stack.tables, expiring=False)
        os.environ |= variables(stack)
        from functions.api import handler as api_function  # noqa: PLC0415  (reads its environment)

        keys.add(KEY, Scope.READ, "book", NIGHT)
        units = Units()
        began = time.perf_counter()
        fill(accounts)
        seconds = time.perf_counter() - began
        print(f"{accounts:,} accounts in {seconds:.0f} s, {units.take() / accounts:.1f} units each")
        return 0 if check(api_function.handler, accounts, units) else 1


if __name__ == "__main__":
    sys.exit(main())
