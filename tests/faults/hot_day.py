"""Hot days: one account, many writers at once, small batches.

`python -m tests.faults.hot_day --events 100000 --writers 32` prints what each event cost: write units by the sizes of
the items written, puts that lost a race included, on DynamoDB Local. First one writer sends a day alone, who never
meets another: what an event costs on any day. Then all of them send day after day, each within `--seconds` or as fast
as they can, into as many shards as the day before has made the product choose.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from threading import Lock, local
from typing import TYPE_CHECKING, Any

import pytest

from healthscore.core.day_log import log as day_log
from healthscore.core.model import Event
from healthscore.core.time import DAY as ONE_DAY
from healthscore.core.time import end_of_day
from healthscore.services.ingestion.events import ingest
from healthscore.settings import Settings
from healthscore.storage import schema, writes
from healthscore.storage.client import dynamodb
from healthscore.storage.day_logs import commit_shard, log_items, rollups
from healthscore.storage.day_logs.log_items import SealedCache
from healthscore.storage.errors import StorageUnavailableError
from tests.conftest import fresh_tables
from tests.support import dynamodb_local
from tests.support.events import DAY, naive_rollup

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCOUNT = "acme"
SETTINGS = Settings()
UNIT_BYTES = 1024


@dataclass(frozen=True)
class HotDay:
    """A day of one account."""

    events: int
    per_batch: int = 1
    people: int = 500
    date: date = DAY


@dataclass(frozen=True)
class Cost:
    """What a day's events cost."""

    day: HotDay
    writers: int
    shards: int
    seconds: float
    puts: int
    lost: int
    units: int
    exact: bool

    @property
    def per_event(self) -> float:
        """Write units."""
        return self.units / self.day.events

    def line(self) -> str:
        """The figures as a line of a table."""
        day = f"{self.day.date} {self.writers:7} {self.shards:5} {self.day.events:7} {self.day.per_batch:9}"
        cost = f"{self.seconds:7.0f} {self.puts:7} {self.lost:6} {self.units:7} {self.per_event:9.3f}"
        return f"{day} {cost}  {'exact' if self.exact else 'WRONG'}"


HEADLINE = (
    f"{'day':10} {'writers':>7} {'shards':>5} {'events':>7} {'per batch':>9} {'seconds':>7} {'puts':>7} {'lost':>6} "
    f"{'units':>7} {'per event':>9}"
)


class Meter:
    """Counts puts, their units, and those that failed their condition (which cost the same)."""

    def __init__(self, client: Any) -> None:
        self.counts: Counter[str] = Counter()
        self._lock = Lock()
        self._events = client.meta.events
        for operation in ("PutItem", "TransactWriteItems"):
            self._events.register(f"before-parameter-build.dynamodb.{operation}", self._note)
            self._events.register(f"after-call.dynamodb.{operation}", self._count)

    def stop(self) -> None:
        """Count no more."""
        for operation in ("PutItem", "TransactWriteItems"):
            self._events.unregister(f"before-parameter-build.dynamodb.{operation}", self._note)
            self._events.unregister(f"after-call.dynamodb.{operation}", self._count)

    def _note(self, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        puts = [params] if "Item" in params else [one["Put"] for one in params["TransactItems"] if "Put" in one]
        twice = 1 if "Item" in params else 2
        context["units"] = twice * sum(-(-size(put["Item"]) // UNIT_BYTES) for put in puts)

    def _count(self, http_response: Any, context: dict[str, Any], **_: object) -> None:
        with self._lock:
            self.counts["puts"] += 1
            self.counts["units"] += context["units"]
            self.counts["lost"] += http_response.status_code != 200


def size(item: dict[str, dict[str, Any]]) -> int:
    """Bytes of an item as DynamoDB counts them, numbers roughly."""
    values = (value for attribute in item.values() for value in attribute.values())
    lengths = (len(value.encode() if isinstance(value, str) else value) for value in values)
    return sum(len(name) for name in item) + sum(lengths)


class _OfEachWriter(local):
    """Each writer is a process of its own: it has read the sealed blocks that it has read."""

    def __init__(self) -> None:
        own = SealedCache()
        self.get, self.keep = own.get, own.keep


def begin(day: HotDay, shards: int) -> None:
    """Have a day begin in so many shards, whatever the day before was like."""
    log = day_log.encode_head(day.date, day_log.Head(shards=shards))
    put = log_items.head_put(_key(day), log, None, read_version=None, version="-", expires=2**31)
    writes.apply(put)


def live(day: HotDay, writers: int, seconds: float = 0) -> Cost:
    """Have a day sent by writers at once, some batches twice, spread over so many seconds or as fast as they can."""
    starts = range(0, day.events, day.per_batch)
    batches = [_batch(day, start, min(day.per_batch, day.events - start)) for start in starts]
    _send(batches[0])  # the account is there, and its first-seen times
    _send(_day_before(day))  # its people were here before
    deliveries, chance = [*batches, *batches[::50]], Random(0)
    times = sorted(chance.uniform(0, seconds) for _ in deliveries)
    meter, began = Meter(dynamodb()), time.monotonic()

    def send_at_its_time(batch: Sequence[Event], after: float) -> None:
        time.sleep(max(0, began + after - time.monotonic()))
        _send(batch)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(writers) as pool:
        patch.setattr(commit_shard, "sealed_parts", _OfEachWriter())
        list(pool.map(send_at_its_time, deliveries, times))
    took = time.monotonic() - began
    meter.stop()
    expected = naive_rollup([one for batch in batches for one in batch], day.date)
    exact = rollups.rollups(ACCOUNT, day.date, day.date, consistent=True) == [expected]
    exact &= rollups.rollup_until(ACCOUNT, day.date, end_of_day(day.date, UTC)) == expected
    shards, counts = log_items.read_heads(_key(day).pk, day.date)[0].head.shards, meter.counts
    return Cost(day, writers, shards, took, counts["puts"], counts["lost"], counts["units"], exact)


def _key(day: HotDay) -> log_items.LogKey:
    return log_items.LogKey(schema.activity_pk(ACCOUNT), day.date)


def _batch(day: HotDay, start: int, count: int) -> Sequence[Event]:
    """Events of one person, as a browser sends them."""
    person = f"person-{start * 7919 % day.people}"
    return [
        Event(f"e{number}", ACCOUNT, "page_viewed", _time(day, number), user_id=person)
        for number in range(start, start + count)
    ]


def _day_before(day: HotDay) -> Sequence[Event]:
    """An event of each of the people."""
    at = _time(day, 0) - ONE_DAY
    return [Event(f"b{number}", ACCOUNT, "page_viewed", at, user_id=f"person-{number}") for number in range(day.people)]


def _time(day: HotDay, number: int) -> datetime:
    midnight = datetime.combine(day.date, datetime.min.time(), UTC)
    return midnight + timedelta(milliseconds=number * 6151 % (ONE_DAY // timedelta(milliseconds=1)))


def _send(batch: Sequence[Event]) -> None:
    """Send until it is acknowledged, as a client does."""
    while True:
        try:
            ingest(batch, SETTINGS, batch[0].at + ONE_DAY)
        except StorageUnavailableError:
            continue
        return


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.hot_day", description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--writers", type=int, default=32)
    parser.add_argument("--per-batch", type=int, default=1)
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0, help="that a day is sent in; 0: as fast as they can")
    options = parser.parse_args()
    day = HotDay(options.events, options.per_batch)
    print(HEADLINE)  # noqa: T201
    with dynamodb_local.running() as endpoint:
        for days, writers, seconds in ((1, 1, 0), (options.days, options.writers, options.seconds)):
            with pytest.MonkeyPatch.context() as patch:
                for _ in fresh_tables(endpoint, patch):
                    for number in range(days):
                        cost = live(replace(day, date=DAY + number * ONE_DAY), writers, seconds)
                        print(cost.line(), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
