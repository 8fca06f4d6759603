"""Rows that a worker leaves for the night's end: one file of JSON lines an invocation."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.dataset import layout
from healthscore.core.dataset.columns import AccountNight, row
from healthscore.core.time import parse_instant
from healthscore.dataset import bucket
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.nights import tombstones
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from healthscore.core.account import Account
    from healthscore.core.model import Snapshot

_FAST = 3
"""The level of gzip: the file is read once, some minutes later."""


class Worker(NamedTuple):
    """One invocation of a night: what it leaves has a name that follows from its task, so a repetition replaces it."""

    run: str
    """The run, by a name unlike any other."""
    scan_part: int
    """Which part of the accounts."""
    number: int
    """The how-many-th worker on that part, from 0."""

    @property
    def name(self) -> str:
        """Its name among all workers."""
        return f"{self.run}#{self.scan_part}#{self.number}"

    @property
    def key(self) -> str:
        """The key of its file."""
        return layout.staging_name(*self)


class Staging:
    """The rows of one worker, compressed in memory: about 100 bytes each."""

    def __init__(
        self, worker: Worker, night: date, as_of: datetime, recorded_at: datetime, *, attributes: Sequence[str]
    ) -> None:
        """Begin an empty file.

        Args:
            worker: whose rows these are.
            night: the night's day in the workspace's time zone.
            as_of: the instant that the night scores, aware.
            recorded_at: an instant before the worker has read any account, aware.
            attributes: names of the attributes that the workspace has chosen for its dataset.
        """
        self.worker = worker
        self._night, self._as_of, self._recorded_at, self._attributes = night, as_of, recorded_at, attributes
        self._data = io.BytesIO()
        self._lines = gzip.GzipFile(fileobj=self._data, mode="wb", compresslevel=_FAST, mtime=0)

    def add(self, account: Account, snapshot: Snapshot | None) -> None:
        """Add an account's row, with its newest score, if it has one."""
        of = AccountNight(account, self._night, self._as_of, self._recorded_at, snapshot, self._attributes)
        self._lines.write(line(of))

    def leave(self) -> None:
        """Put the file into the bucket. Rows of accounts that were erased meanwhile are taken out again.

        Raises:
            StorageUnavailableError: it is not known whether it is there.
        """
        self._lines.close()
        bucket.put(self.worker.key, self._data.getvalue())
        remove_erased(self.worker.key, tombstones.read())


def line(of: AccountNight) -> bytes:
    """The row of an account and a night as a line of JSON."""
    return json.dumps(row(of), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def remove_erased(key: str, erased: tombstones.Tombstones) -> None:
    """Take the rows of erased accounts out of a staging file.

    Raises:
        StorageUnavailableError: some may be left.
    """
    if not erased.erased:
        return
    for _ in attempts(f"{key} changes too often"):
        found = bucket.get(key)
        if found is None:
            return
        lines = gzip.decompress(found.data).splitlines(keepends=True)
        kept = [line for line in lines if not _hidden(line, erased)]
        if len(kept) == len(lines):
            return
        try:
            bucket.put_if_unchanged(key, gzip.compress(b"".join(kept), _FAST, mtime=0), found.etag)
        except ConditionFailedError:
            continue
        return


def _hidden(line: bytes, erased: tombstones.Tombstones) -> bool:
    of = json.loads(line)
    return erased.hides(of["account_id"], parse_instant(of["recorded_at"]))
