"""Accounts for the dataset, what the bucket holds of them, and a process that dies at any call."""

from __future__ import annotations

import contextlib
import gzip
import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb

from healthscore.core.account import Account
from healthscore.core.model import Band, Component, DailyScore, Snapshot
from healthscore.dataset import bucket, night_summary, writing
from healthscore.dataset.staging import Staging, Worker
from healthscore.storage.client import dynamodb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from healthscore.core.dataset.manifest import Manifest

NIGHT = date(2026, 11, 20)
AS_OF = datetime(2026, 11, 20, 2, tzinfo=UTC)
NOW = AS_OF + timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
LATER = NOW + timedelta(hours=1)
"""When no invocation of the night goes on any more."""


Scored = tuple[Account, Snapshot | None]


def account(account_id: str, recent: tuple[DailyScore, ...] = (), **profile: object) -> Account:
    since = AS_OF - timedelta(days=100)
    return Account(account_id, since, dict(profile), crm=None, first_seen={}, latest=None, recent=recent)


def scored(account_id: str, score: int | None = 50, *, night: date = NIGHT, **profile: object) -> Scored:
    """An account as a night leaves it, a point below the night before: so it is one of those that moved."""
    if score is None:
        return account(account_id, **profile), None
    components = dict.fromkeys([Component.ACTIVITY, Component.RECENCY], score)
    facts = {Component.ACTIVITY: {"events": score}, Component.RECENCY: {"last_seen_at": "2026-11-19T10:00:00Z"}}
    snapshot = Snapshot(night, as_of(night), score, Band.AT_RISK, components, facts)
    before = DailyScore(night - timedelta(days=1), score + 1, components)
    return account(account_id, (before,), **profile), snapshot


def leave(
    accounts: Iterable[Scored],
    *,
    run: str = "run",
    scan_part: int = 0,
    night: date = NIGHT,
    recorded_at: datetime = NOW,
) -> Worker:
    """Leave rows of accounts for the night's end."""
    worker = Worker(run, scan_part, 0)
    staging = Staging(worker, night, as_of(night), recorded_at, attributes=())
    for one in accounts:
        staging.add(*one)
    staging.leave()
    return worker


def publish(*workers: Worker, run: str = "run", night: date = NIGHT, now: datetime = NOW) -> Manifest:
    """Make what workers have left the dataset of a night."""
    return writing.publish(run, workers, writing.Night(night, as_of(night)), now, now + 15 * MINUTE)


def as_of(night: date) -> datetime:
    """The instant that a night scores."""
    return datetime.combine(night, AS_OF.timetz())


def objects() -> dict[str, bytes]:
    """Everything in the bucket."""
    return {key: bucket.get(key).data for key in bucket.keys("")}


def rows_of(data: bytes, tmp_path) -> list[dict[str, object]]:
    """The rows of a Parquet file."""
    path = tmp_path / "read.parquet"
    path.write_bytes(data)
    found = duckdb.read_parquet(str(path))
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def ids_in_bucket(tmp_path) -> dict[str, set[str]]:
    """The accounts of which each object of the bucket tells: a night has its rows, its book, and itself in short."""
    found = {}
    for key, data in objects().items():
        if key.endswith(".parquet"):
            found[key] = {str(row["account_id"]) for row in rows_of(data, tmp_path)}
        elif key.startswith("book/") and "summary" not in key:
            found[key] = {*json.loads(gzip.decompress(data))["columns"]["id"]}
        elif key.startswith("book/"):
            found[key] = night_summary.named(json.loads(gzip.decompress(data)))
        else:
            found[key] = {json.loads(line)["account_id"] for line in gzip.decompress(data).splitlines()}
    return found


class Killed(BaseException):
    """The process is gone."""


class Killer:
    """Kills the process before one of its calls to S3 or DynamoDB; after that it makes no further call."""

    def __init__(self, at: int) -> None:
        self._at = at
        self.calls = 0
        self.dead = False

    def _before(self, **_: object) -> None:
        if self.dead:
            raise Killed
        self.calls += 1
        if self.calls == self._at:
            self.dead = True
            raise Killed

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        clients = {"dynamodb": dynamodb(), "s3": bucket._s3()}
        for service, client in clients.items():
            client.meta.events.register(f"before-call.{service}", self._before)
        try:
            yield
        except Killed:
            pass
        finally:
            for service, client in clients.items():
                client.meta.events.unregister(f"before-call.{service}", self._before)
