"""Measures a night of many accounts: `python -m tests.night --accounts 100000`.

Fills DynamoDB Local with copies of a few accounts that have lived for a month, and lets a process of its own do all the
tasks of the state machine, one after the other, as its workers would, with the dataset on the embedded S3. Says how
long that took, how much of it was the worker's own work, the most memory that it ever held, and what the files take.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from aws_lambda_powertools import Logger

from healthscore.core.model import Event
from healthscore.services.ingestion.events import ingest
from healthscore.services.nightly.dataset import Invocation, publish_task
from healthscore.services.nightly.finish import finish_task
from healthscore.services.nightly.plan import plan_run, plan_scan_parts
from healthscore.services.nightly.process import process_scan_part, process_task
from healthscore.services.notifications.outbox import Outbox
from healthscore.services.notifications.rate_limit import RateLimit
from healthscore.storage import schema, workspace
from healthscore.storage.client import dynamodb, pages
from tests.support import dynamodb_local
from tools.local import aws, template
from tools.local.environment import variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

ROOT = Path(__file__).parents[1]
PROTOTYPES = 50
DAYS_BETWEEN = (3, 4, 6, 9, 14)
"""A prototype is active every so many days."""
BATCH, WRITERS = 25, 4
TONIGHT = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0) - timedelta(days=1)
LOGGER = Logger(service="night", level="ERROR", stream=sys.stderr)  # a worker's output is its result


class Topic:
    """Stands in for SNS, and counts messages."""

    def __init__(self) -> None:
        self.published = 0

    def publish_batch(self, PublishBatchRequestEntries: list[Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        self.published += len(PublishBatchRequestEntries)
        return {"Successful": [{"Id": entry["Id"]} for entry in PublishBatchRequestEntries]}


class Units:
    """Counts the read and write units that DynamoDB says it took, and what indexes took of these.

    DynamoDB Local counts four times for transactions what it counts for plain writes. That is twice what AWS asks for,
    and for indexes four times as much.
    """

    def __init__(self) -> None:
        self.taken = {"read": 0.0, "write": 0.0, "index": 0.0}
        self._lock = Lock()

    def watch(self) -> None:
        events = dynamodb().meta.events
        events.register("provide-client-params.dynamodb", self._ask)
        events.register("after-call.dynamodb", self._count)

    def _ask(self, params: dict[str, Any], model: Any, **_: object) -> None:
        if "ReturnConsumedCapacity" in model.input_shape.members:
            params["ReturnConsumedCapacity"] = "INDEXES"

    def _count(self, model: Any, parsed: dict[str, Any], **_: object) -> None:
        kind = "read" if model.name in {"Query", "Scan", "GetItem", "BatchGetItem"} else "write"
        too_often, of_indexes = (2, 4) if model.name == "TransactWriteItems" else (1, 1)
        consumed = parsed.get("ConsumedCapacity", [])
        with self._lock:
            # A transaction answers with one entry for each table.
            for entry in consumed if isinstance(consumed, list) else [consumed]:
                indexes = sum(one["CapacityUnits"] for one in entry.get("GlobalSecondaryIndexes", {}).values())
                self.taken[kind] += (entry["CapacityUnits"] - indexes) / too_often + indexes / of_indexes
                self.taken["index"] += indexes / of_indexes if kind == "write" else 0


def live(account_id: str, gap: int) -> None:
    """A month in the life of an account, up to the night before last, which has scored it."""
    days = [TONIGHT - timedelta(days=age) for age in range(2, 31, gap)]
    events = [
        Event(f"{account_id}-{day:%d}-{number}", account_id, "report_opened", day + timedelta(minutes=number), "ann")
        for day in days
        for number in range(6)
    ]
    ingest(events, workspace.settings().settings, TONIGHT)


def everything(table: str) -> Iterator[dict[str, Any]]:
    return pages(dynamodb().scan, TableName=table)


def copies(
    items: Iterable[tuple[str, dict[str, Any]]], prototype: str, account_id: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """An account's items, each with its table, as another account's: the id is replaced wherever it is text."""
    for table, item in items:
        yield (
            table,
            {
                name: {"S": value["S"].replace(prototype, account_id)} if "S" in value else value
                for name, value in item.items()
            },
        )


def fill(accounts: int) -> None:
    """Put accounts into the tables, as copies of the prototypes that are there."""
    kept: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for table in (schema.accounts_table(), schema.activity_table(), schema.history_table()):
        for item in everything(table):
            text = " ".join(value["S"] for name, value in item.items() if name in {"account_id", "pk", "sk"})
            found = next((name for name in map(named, range(PROTOTYPES)) if name in text), None)
            if found is not None:
                kept.setdefault(found, []).append((table, item))
    puts = (
        put
        for number in range(accounts)
        for put in copies(kept[named(number % PROTOTYPES)], named(number % PROTOTYPES), f"customer-{number:07}")
    )
    under_way: deque[Future[None]] = deque()
    with ThreadPoolExecutor(WRITERS) as pool:
        while batch := list(islice(puts, BATCH)):
            under_way.append(pool.submit(write, batch))
            if len(under_way) >= 2 * WRITERS:
                under_way.popleft().result()
        for last in under_way:
            last.result()


def write(batch: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Put items into their tables, all in one call."""
    unprocessed: dict[str, Any] = {}
    for table, item in batch:
        unprocessed.setdefault(table, []).append({"PutRequest": {"Item": item}})
    while unprocessed:
        unprocessed = dynamodb().batch_write_item(RequestItems=unprocessed)["UnprocessedItems"]


def named(prototype: int) -> str:
    return f"prototype-{prototype:02}"


def prepare(accounts: int) -> None:
    for number in range(PROTOTYPES):
        live(named(number), DAYS_BETWEEN[number % len(DAYS_BETWEEN)])
    for age in (3, 2, 1):
        at = TONIGHT - timedelta(days=age)
        process_scan_part(plan_run({"time": at.isoformat()}, TONIGHT), 0, 1, keep_going=lambda: True, logger=LOGGER)
    fill(accounts)


def whole_night() -> dict[str, Any]:
    """What the worker's process does: every task of the state machine, and what it took."""
    topic = Topic()
    at_once = RateLimit(10**6, wait=lambda _: None)
    outbox = Outbox(topic, "arn:aws:sns:us-east-1:123456789012:alerts", None, LOGGER, at_once)  # type: ignore[arg-type]
    units = Units()
    units.watch()
    now = datetime.now(UTC)
    began, cpu = time.monotonic(), time.process_time()
    started = plan_scan_parts({"event": {"time": TONIGHT.isoformat()}, "execution": str(uuid4())}, now)
    for segment in started["numbers"]:
        task = {**started, "segment": segment, "chunk": 0, "resume": None, "done": False}
        while not task["done"]:
            task = process_task(task, now, keep_going=lambda: True, logger=LOGGER)
    of_workers = _taken(began, cpu)
    now = datetime.now(UTC)
    publish_task(started, Invocation(now, now + timedelta(minutes=15), lambda: True))
    after_dataset = _taken(began, cpu)
    result = finish_task(started, outbox, keep_going=lambda: True)
    return {
        "result": result,
        "workers": of_workers,
        "dataset": after_dataset,
        "units": units.taken,
        "segments": started["segments"],
        "published": topic.published,
        **_taken(began, cpu),
    }


def _taken(began: float, cpu: float) -> dict[str, float]:
    return {
        "seconds": time.monotonic() - began,
        "cpu_seconds": time.process_time() - cpu,
        "max_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--work-beside", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.work_beside:
        os.environ["AWS_ENDPOINT_URL_S3"] = chosen.work_beside
        sys.stdout.write(json.dumps(whole_night()))
        return
    stack = template.read(ROOT / "template.yaml", stack="night")
    with dynamodb_local.running() as endpoint, aws.running() as embedded, aws.buckets(stack.buckets):
        os.environ |= {"AWS_ENDPOINT_URL": endpoint, **variables(stack)}
        aws.create_tables(stack.tables, expiring=False)
        began = time.monotonic()
        prepare(chosen.accounts)
        sys.stderr.write(f"{chosen.accounts:,} accounts in the tables after {time.monotonic() - began:,.0f} s\n")
        command = [sys.executable, "-m", "tests.night", "--work-beside", embedded]
        paths = os.pathsep.join([str(ROOT), str(ROOT / "shared")])
        done = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, check=True, stdout=subprocess.PIPE)
        files: Counter[str] = Counter()
        for key, data in aws.objects(os.environ["DATASET_BUCKET"]).items():
            files[key.partition("/")[0]] += len(data)
    took = json.loads(done.stdout)
    scored = took["result"]["scored"]
    rate = scored / took["workers"]["cpu_seconds"]
    read, written, indexes = (took["units"][kind] / scored for kind in ("read", "write", "index"))
    sys.stdout.write(
        f"scored                {scored:,} (failed {took['result']['failed']:,}), {took['segments']} segments\n"
        f"messages sent         {took['published']:,}\n"
        f"seconds               {took['seconds']:,.0f}\n"
        f"worker's CPU seconds  {took['workers']['cpu_seconds']:,.1f}\n"
        f"accounts/CPU second   {rate:,.0f}\n"
        f"units an account      {read:.1f} read, {written:.1f} written, {indexes:.1f} of them by indexes\n"
        f"worker's most memory  {took['workers']['max_rss_mb']:,.0f} MB\n"
        f"the dataset's end     {took['dataset']['cpu_seconds'] - took['workers']['cpu_seconds']:,.1f} CPU seconds, "
        f"{took['dataset']['max_rss_mb']:,.0f} MB\n"
        f"files                 {', '.join(f'{name} {size / 1e6:,.1f} MB' for name, size in files.items())}\n"
    )


if __name__ == "__main__":
    main()
