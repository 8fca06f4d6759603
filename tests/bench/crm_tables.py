"""Syncs a large HubSpot account into DynamoDB Local, with crashes: exact, and without writes where nothing is new.

    python -m tests.bench.crm_tables --companies 100000

The account is that of `tests.bench.crm`: its data lags, it refuses calls beyond its limits, and some calls fail. The
reader crashes at calls of the tables that a seed chooses, between any two writes; the next one continues when the lock
has expired. Three runs: everything for the first time, a day of changes, and everything again. Tests run a small
account.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from healthscore.core import account as account_value
from healthscore.integrations.crm.hubspot import HubSpot, HubSpotOptions
from healthscore.services.crm_sync import sync
from healthscore.services.crm_sync.session import Session
from healthscore.services.notifications.outbox import Outbox
from healthscore.services.notifications.rate_limit import RateLimit
from healthscore.storage import schema
from healthscore.storage.accounts import accounts
from healthscore.storage.client import dynamodb
from healthscore.storage.crm import companies as crm_companies
from healthscore.storage.crm import connections
from healthscore.storage.errors import StorageUnavailableError
from tests.bench import engine
from tests.bench.crm import Account, facts_of, trouble
from tests.support import dynamodb_local
from tools.fakes.hubspot import FakeHubSpot

if TYPE_CHECKING:
    from collections.abc import Iterator

PROVIDER = "hubspot"
_LOGGER = Logger(service="bench", level="CRITICAL")
_BATCH = 25


@dataclass(frozen=True)
class Figures:
    """The results of a run."""

    companies: int
    """Companies that the last process read."""
    changed: int
    """Those of them whose facts changed."""
    wrong: int
    """Accounts whose facts differ from those in the CRM."""
    crashes: int
    calls: int
    """Calls of the CRM."""
    read: dict[str, int]
    """Records that the CRM returned."""
    crm_seconds: float
    """Of the account's own time, without the waits for the lock of a crashed reader."""
    most_in_10_seconds: int
    most_searches_in_a_second: int
    table_calls: dict[str, int]
    table_calls_a_company: float
    """Divided by the number of all companies."""
    wall_seconds: float


class Crash(BaseException):
    """Ends the reader's process."""


class CrashInjector:
    """Counts the calls of the tables, and crashes the reader at some of them."""

    def __init__(self, seed: int, every: int) -> None:
        self._random = random.Random(seed)
        self._every = every
        self._lock = Lock()
        self._left = 0
        self.calls: Counter[str] = Counter()
        self.crashes = 0

    def begin(self) -> None:
        """Choose after how many calls the next process crashes."""
        self._left = self._random.randint(self._every // 2, self._every)

    def note(self, model: Any, **_: object) -> None:
        """Count a call before it is made; the process may crash here."""
        with self._lock:
            self.calls[model.name] += 1
            self._left -= 1
            if self._left:
                return
            self.crashes += 1
        raise Crash

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Observe the calls of the product's client."""
        events = dynamodb().meta.events
        events.register("before-call.dynamodb", self.note)
        try:
            yield
        finally:
            events.unregister("before-call.dynamodb", self.note)


class Reader:
    """Runs the sync function, process after process, until a run is complete."""

    def __init__(self, account: Account, seed: int, crash_every: int) -> None:
        self._account, self._seed, self._every = account, seed, crash_every

    def run(self) -> Figures:
        """Sync until it is complete: after a crash or a storage error, another process continues later."""
        fake, injector = self._account.fake, CrashInjector(self._seed, self._every)
        fake.calls.clear()
        fake.read.clear()
        fake.burst.most = fake.searches.most = 0
        began, started, waited, figures = fake.clock.now(), time.perf_counter(), timedelta(0), Counter[str]()
        with injector.watching():
            while True:
                injector.begin()
                try:
                    result = self._process()
                except (Crash, StorageUnavailableError):
                    fake.clock.sleep(sync.LEASE.total_seconds() + 1)
                    waited += sync.LEASE
                    continue
                figures.update({name: result.get(name, 0) for name in ("companies", "changed")})
                if result["state"] == "complete":
                    break
        calls = dict(injector.calls)
        return Figures(
            companies=figures["companies"],
            changed=figures["changed"],
            wrong=self._wrong(),
            crashes=injector.crashes,
            calls=len(fake.calls),
            read=dict(fake.read),
            crm_seconds=(fake.clock.now() - began - waited).total_seconds(),
            most_in_10_seconds=fake.burst.most,
            most_searches_in_a_second=fake.searches.most,
            table_calls=calls,
            table_calls_a_company=round(sum(calls.values()) / len(self._account.companies), 2),
            wall_seconds=round(time.perf_counter() - started, 1),
        )

    def _process(self) -> dict[str, Any]:
        fake, connection = self._account.fake, connections.connection(PROVIDER)
        assert connection is not None
        connector = HubSpot(HubSpotOptions(), fake.token, fake.url, fake.clock)
        session = Session(
            provider=PROVIDER,
            connector=connector,
            writing=False,
            outbox=Outbox(_Topic(), "topic", None, _LOGGER, RateLimit(10**6)),  # type: ignore[arg-type]
            logger=_LOGGER,
            clock=fake.clock.now,
            keep_going=lambda: True,
            alerting=connection.read_once,
        )
        try:
            return sync.run(session)
        finally:
            connector._api._client.close()

    def _wrong(self) -> int:
        expected, records = self._account.expected(), 0
        found = {}
        for record in crm_companies.all_companies(PROVIDER):
            records += record.account_id is not None
        for account in accounts.scan(0, 1):
            if isinstance(account, account_value.Account) and account.crm is not None:
                found[account.account_id] = facts_of(account.crm)
        named = {self._account.domain(name): facts for name, facts in expected.items()}
        return sum(found.get(name) != facts for name, facts in named.items()) + abs(len(named) - records)


class _Topic:
    """An SNS client that drops its messages."""

    def publish_batch(self, PublishBatchRequestEntries: list[Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"Successful": [{"Id": entry["Id"]} for entry in PublishBatchRequestEntries]}


def put_accounts(names: list[str], now: str) -> None:
    """Create one account for each name."""
    table = schema.accounts_table()
    items = [{"account_id": {"S": name}, "since": {"S": now}} for name in names]
    for start in range(0, len(items), _BATCH):
        puts: list[Any] = [{"PutRequest": {"Item": item}} for item in items[start : start + _BATCH]]
        left: dict[str, Any] = {table: puts}
        while left:
            left = dynamodb().batch_write_item(RequestItems=left)["UnprocessedItems"]


def run(companies: int, changes: int, *, seed: int = 1, crash_every: int) -> Iterator[tuple[str, Figures]]:
    """Sync everything, a day of changes, and everything again; yields the figures of each."""
    with FakeHubSpot() as fake:
        account = Account(fake, companies, seed)
        fake.clock.sleep(7200)
        fake.lag, fake.before = timedelta(seconds=40), trouble(seed)
        put_accounts([account.domain(name) for name in account.companies], fake.clock.now().isoformat())
        connections.connect(PROVIDER, HubSpotOptions().to_json(), fake.clock.now())
        reader = Reader(account, seed, crash_every)
        yield "everything, for the first time", reader.run()
        # The next full run is due a day after the first began, with the waits for the locks of crashed readers.
        account.a_day(changes, hours=16)
        fake.clock.sleep(60)
        yield "a day of changes", reader.run()
        fake.clock.sleep(12 * 3600)
        yield "everything, once more", reader.run()


def main() -> int:
    """Print the figures of each run."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.crm_tables", description="Sync a large account.")
    parser.add_argument("--companies", type=int, default=100_000)
    parser.add_argument("--crashes", type=int, default=20, help="about so many in the first run")
    given = parser.parse_args()
    wrong = 0
    with dynamodb_local.running() as endpoint:
        os.environ.update(engine.environment(endpoint))
        engine.fresh_tables()
        every = max(7 * given.companies // given.crashes, 50)
        for name, figures in run(given.companies, given.companies // 20, crash_every=every):
            wrong += figures.wrong
            print(name, flush=True)  # noqa: T201
            for field in figures.__dataclass_fields__:
                print(f"  {field:26} {getattr(figures, field)}", flush=True)  # noqa: T201
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
