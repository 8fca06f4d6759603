"""DynamoDB Local with the template's tables, and meters on the product's client."""

from __future__ import annotations

import contextlib
import os
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3

from healthscore.storage.client import dynamodb
from tools.local import aws, template
from tools.local.environment import environment as aws_environment
from tools.local.environment import variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
STACK = "bench"
_UNIT_BYTES = 1024
_OVERCOUNTED = 4
"""How many times what it counts for an index otherwise, the engine counts for one in a transaction."""


def environment(endpoint: str) -> dict[str, str]:
    """The variables under which the product finds its tables at an endpoint."""
    return aws_environment(os.environ, endpoint, None) | variables(_stack())


def fresh_tables() -> None:
    """Create the template's tables in the engine that the environment names."""
    drop_tables()
    aws.create_tables(_stack().tables, expiring=False)


def drop_tables() -> None:
    """Delete all tables of the benchmarks."""
    client = boto3.client("dynamodb")
    for table in client.list_tables()["TableNames"]:
        if table.startswith(f"{STACK}-"):
            client.delete_table(TableName=table)
    client.close()


def _stack() -> template.Stack:
    return template.read(ROOT / "template.yaml", stack=STACK)


@dataclass
class Meter:
    """Counts the units that calls consume."""

    reads: float = 0.0
    writes: float = 0.0
    index_writes: float = 0.0
    """Those of the writes that went to indexes."""
    calls: int = 0
    by_call: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _lock: Lock = field(default_factory=Lock)

    def add(self, call: str, units: float, of_indexes: float = 0.0) -> None:
        """Count the units of a call, and those of them that indexes took; safe between threads."""
        with self._lock:
            self.calls += 1
            self.index_writes += of_indexes
            self.by_call[call] += units
            if call in _READS:
                self.reads += units
            else:
                self.writes += units


@contextlib.contextmanager
def metered() -> Iterator[Meter]:
    """Count the units that calls of the product's client consume.

    The units are the engine's own figures, except for transactions, which it counts differently from AWS: for these,
    each item's size is rounded up to whole units and doubled, and indexes cost what they cost otherwise.
    """
    meter = Meter()

    def ask(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> dict[str, Any]:
        context["bench_params"] = params
        return {**params, "ReturnConsumedCapacity": "INDEXES"}

    def count(parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", {})
        tables = consumed if isinstance(consumed, list) else [consumed]
        indexes = [index for table in tables for index in table.get("GlobalSecondaryIndexes", {}).values()]
        of_indexes = 0 if model.name in _READS else sum(index["CapacityUnits"] for index in indexes)
        if model.name == "TransactWriteItems":
            of_indexes /= _OVERCOUNTED
            units = sum(_transaction_units(part) for part in context["bench_params"]["TransactItems"]) + of_indexes
        else:
            units = sum(table.get("CapacityUnits", 0) for table in tables)
        meter.add(model.name, units, of_indexes)

    with _hooked(("provide-client-params.dynamodb", ask), ("after-call.dynamodb", count)):
        yield meter


def _transaction_units(part: dict[str, Any]) -> int:
    ((kind, write),) = part.items()
    # An update costs by the size of the item after it.
    item = write["Item"] if kind == "Put" else _item(write["TableName"], write["Key"])
    return 2 * max(1, -(-item_bytes(item) // _UNIT_BYTES))


def _item(table: str, key: dict[str, Any]) -> dict[str, Any]:
    """The current item, read by an unmetered client."""
    client = boto3.client("dynamodb")
    try:
        return client.get_item(TableName=table, Key=key).get("Item", {})
    finally:
        client.close()


@contextlib.contextmanager
def _hooked(*hooks: tuple[str, Callable[..., Any]]) -> Iterator[None]:
    events = dynamodb().meta.events
    for name, hook in hooks:
        events.register(name, hook)
    try:
        yield
    finally:
        for name, hook in hooks:
            events.unregister(name, hook)


_READS = {"GetItem", "BatchGetItem", "Query", "Scan"}


def item_bytes(item: dict[str, Any]) -> int:
    """Size in bytes of an item of strings, numbers and binaries: its attributes' names and values."""
    total = 0
    for name, value in item.items():
        ((kind, content),) = value.items()
        size = len(content) // 2 + 2 if kind == "N" else len(content if kind == "B" else content.encode())
        total += len(name.encode()) + size
    return total


@contextlib.contextmanager
def recorded() -> Iterator[list[partial[Any]]]:
    """Record every call, so that the bare client can repeat it without any of our code."""
    client = dynamodb()
    calls: list[partial[Any]] = []

    def keep(params: dict[str, Any], model: Any, **_: Any) -> None:
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in model.name).lstrip("_")
        calls.append(partial(getattr(client, name), **params))

    with _hooked(("provide-client-params.dynamodb", keep)):
        yield calls
