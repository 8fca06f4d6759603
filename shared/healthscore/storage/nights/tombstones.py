"""Tombstones: which accounts were erased, and when (table Settings), for everybody who writes rows of the dataset.

A tombstone holds a keyed hash of the id, and outlives every row that the account may have. It is put before an erasure
looks for rows, and read after a writer has taken rows in hand: at least one of the two sees the other. Until no file
has the account any more, an item beside it holds the id itself, for the erasure to go on.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.time import from_millis, millis
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.errors import ConditionFailedError, StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

KEPT = timedelta(days=3_700)
"""How long a tombstone is kept: longer than the template lets a night be kept."""
_SECRET = codec.key(schema.SETTINGS_PK, schema.TOMBSTONE_KEY)
MARKED_WITHIN = timedelta(minutes=1)
"""Time from the beginning of a request to its mark, and between the clocks of two machines, at most."""


class Tombstones(NamedTuple):
    """The accounts that were erased."""

    key: str
    """What is hashed before an id."""
    erased: dict[str, datetime]
    """By an id's hash: rows that were recorded before this instant are not to be written."""

    def hides(self, account_id: str, recorded_at: datetime) -> bool:
        """Whether a row of an account must not be written."""
        erased_at = self.erased.get(hashed(self.key, account_id))
        return erased_at is not None and recorded_at < erased_at


class Pending(NamedTuple):
    """An account whose erasure from the dataset is not finished."""

    account_id: str
    erased_at: datetime


def hashed(key: str, account_id: str) -> str:
    """The hash of an id under a key, as hexadecimal digits; DuckDB's `sha256(key || account_id)` is the same."""
    return sha256(f"{key}{account_id}".encode()).hexdigest()


def put(account_id: str, marked_at: datetime) -> None:
    """Put the tombstone of an account, which is marked, before anything else of it is erased.

    Args:
        account_id: the account.
        marked_at: the instant that its mark names, aware. Whoever has read the account without a mark had done so less
            than `MARKED_WITHIN` after that.

    Raises:
        StorageUnavailableError: it may not be there; calling again does no harm.
    """
    at = marked_at + MARKED_WITHIN
    tombstone = codec.key(schema.TOMBSTONES_PK, f"{hashed(_secret(), account_id)}#{millis(at)}")
    expires = codec.number(int((at + KEPT).timestamp()))
    pending = codec.key(schema.DATASET_ERASURES_PK, f"{millis(at)}#{account_id}")
    writes.put_all(schema.settings_table(), [{**tombstone, "ttl": expires}, pending])


def read() -> Tombstones:
    """All tombstones, read consistently.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    erased: dict[str, datetime] = {}
    request = reads.partition(schema.settings_table(), schema.TOMBSTONES_PK, consistent=True)
    for item in pages(dynamodb().query, **request):
        id_hash, _, at = codec.text_of(item, "sk").partition("#")
        erased[id_hash] = max(from_millis(int(at)), erased.get(id_hash, from_millis(0)))
    return Tombstones(_secret() if erased else "", erased)


def pending() -> list[Pending]:
    """The erasures that are not finished, oldest first, read consistently.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    request = reads.partition(schema.settings_table(), schema.DATASET_ERASURES_PK, consistent=True)
    found = []
    for item in pages(dynamodb().query, **request):
        at, _, account_id = codec.text_of(item, "sk").partition("#")
        found.append(Pending(account_id, from_millis(int(at))))
    return found


def finish(done: Sequence[Pending]) -> None:
    """Note that no file has these accounts any more.

    Raises:
        StorageUnavailableError: some may still be noted as pending.
    """
    keys = [codec.key(schema.DATASET_ERASURES_PK, f"{millis(one.erased_at)}#{one.account_id}") for one in done]
    writes.delete_all(schema.settings_table(), keys)


def prepare() -> None:
    """Make the workspace's secret for these hashes, if it has none yet, before anything is marked for erasure.

    Raises:
        StorageUnavailableError: it may not be there.
    """
    if reads.get(schema.settings_table(), _SECRET) is None:
        item = {**_SECRET, "secret": codec.text(secrets.token_hex(32))}
        with suppress(ConditionFailedError):  # another request has made one
            writes.apply(writes.put(schema.settings_table(), item, conditions.ABSENT))


def _secret() -> str:
    item = reads.get(schema.settings_table(), _SECRET)
    if item is None:
        raise StorageUnavailableError("the secret of tombstones is gone")
    return codec.text_of(item, "secret")
