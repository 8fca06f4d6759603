"""A hot day: one account, many writers at once, small batches, in lanes and without.

`python -m tests.faults.hot_day --events 100000 --writers 32` prints what each event cost: write units by the sizes of
the items written, puts that lost a race included, on DynamoDB Local or whatever AWS_ENDPOINT_URL names.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

import pytest

from healthscore.core import daylog
from healthscore.core.model import Event
from healthscore.core.timeline import DAY as ONE_DAY
from healthscore.core.timeline import end_of_day
from healthscore.ingest import ingest
from healthscore.settings import Settings
from healthscore.storage import activity, keys, log_items
from healthscore.storage.client import call, dynamodb
from healthscore.storage.errors import StorageUnavailableError
from tests.conftest import _fresh_tables
from tests.support import dynamodb_local
from tests.support.events import DAY, MIDNIGHT, naive_rollup

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCOUNT = "acme"
SETTINGS = Settings()
UNIT_BYTES = 1024


@dataclass
class Cost:
    """What a day's events cost."""

    lanes: int
    events: int
    batches: int
    puts: int
    lost: int
    units: int
    exact: bool

    def line(self) -> str:
        """The figures as a line of a table."""
        figures = f"{self.lanes:5} {self.events:7} {self.batches:8} {self.puts:7} {self.lost:6} {self.units:7}"
        return f"{figures} {self.units / self.events:9.3f}  {'exact' if self.exact else 'WRONG'}"


HEADLINE = f"{'lanes':>5} {'events':>7} {'batches':>8} {'puts':>7} {'lost':>6} {'units':>7} {'per event':>9}"


class Meter:
    """Counts puts, their units, and those that failed their condition (which cost the same)."""

    def __init__(self, client: Any) -> None:
        self.counts: Counter[str] = Counter()
        self._lock = Lock()
        for operation in ("PutItem", "TransactWriteItems"):
            client.meta.events.register(f"before-parameter-build.dynamodb.{operation}", self._note)
            client.meta.events.register(f"after-call.dynamodb.{operation}", self._count)

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


def live(events: int, writers: int, lanes: int, per_batch: int = 1, people: int = 500) -> Cost:
    """Have the events of one day sent by writers at once, some of them twice, into so many lanes."""
    key = log_items.LogKey(keys.activity_pk(ACCOUNT), DAY)
    log = daylog.encode_head(DAY, daylog.Head(lanes=lanes))
    call(dynamodb().put_item, **log_items.head_put(key, log, None, read_version=None, version="-", expires=2**31))
    day = [
        one for start in range(0, events, per_batch) for one in _batch(start, min(per_batch, events - start), people)
    ]
    batches = [day[start : start + per_batch] for start in range(0, events, per_batch)]
    _send(batches[0])  # the account is there, and its first-seen times
    meter = Meter(dynamodb())
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(_send, [*batches, *batches[::50]]))
    expected = naive_rollup(day)
    exact = activity.rollups(ACCOUNT, DAY, DAY, consistent=True) == [expected]
    exact &= activity.rollup_until(ACCOUNT, DAY, end_of_day(DAY, UTC)) == expected
    counts = meter.counts
    return Cost(lanes, events, len(batches), counts["puts"], counts["lost"], counts["units"], exact)


def _batch(start: int, count: int, people: int) -> Sequence[Event]:
    """Events of one person, as a browser sends them."""
    person = f"person-{start * 7919 % people}"
    return [
        Event(f"e{number}", ACCOUNT, "page_viewed", _time(number), user_id=person)
        for number in range(start, start + count)
    ]


def _time(number: int) -> datetime:
    return MIDNIGHT + timedelta(milliseconds=number * 6151 % (ONE_DAY // timedelta(milliseconds=1)))


def _send(batch: Sequence[Event]) -> None:
    """Send until it is acknowledged, as a client does."""
    while True:
        try:
            ingest(batch, SETTINGS, MIDNIGHT + ONE_DAY)
        except StorageUnavailableError:
            continue
        return


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.hot_day", description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--writers", type=int, default=32)
    parser.add_argument("--lanes", type=int, nargs="+", default=[16, 1])
    parser.add_argument("--per-batch", type=int, default=1)
    options = parser.parse_args()
    print(HEADLINE)  # noqa: T201
    with dynamodb_local.running() as endpoint:
        os.environ.setdefault("AWS_ENDPOINT_URL", endpoint)
        for lanes in options.lanes:
            with pytest.MonkeyPatch.context() as patch:
                for _ in _fresh_tables(os.environ["AWS_ENDPOINT_URL"], patch):
                    print(live(options.events, options.writers, lanes, options.per_batch).line(), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
