"""The merges of the workspace's accounts: one small item (table Settings), which processes remember for some seconds.

A process that does not know of a merge yet cannot write to the account that was given up: its item says so, and the
error has the process read the merges again.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from healthscore import process
from healthscore.core.identity.merges import NO_MERGES, Merges
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.errors import MergedError
from healthscore.storage.retries import retried

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthscore.storage.writes import Write

T = TypeVar("T")
SECONDS = 10.0
"""How long a warm process uses the merges that it has read."""
_KEY = codec.key(schema.SETTINGS_PK, schema.MERGES)


class StoredMerges(NamedTuple):
    """The merges as they were read."""

    merges: Merges
    version: str | None
    """None where there are none."""

    def put(self, changed: Merges) -> Write:
        """The put of changed merges, on condition that they are as they were read."""
        item = {**_KEY, "v": codec.text(secrets.token_urlsafe(8)), "merges": codec.json_text(changed.to_json())}
        return writes.put(schema.settings_table(), item, conditions.version_is(self.version))


def read() -> StoredMerges:
    """The present merges.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    item = reads.get(schema.settings_table(), _KEY)
    if item is None:
        return StoredMerges(NO_MERGES, None)
    return StoredMerges(Merges.from_json(codec.json_of(item, "merges")), codec.text_of(item, "v"))


@retried("too many writers at once for the merges")
def change(changed: Callable[[Merges], Merges]) -> None:
    """Change the merges; nothing is written where nothing changes.

    Raises:
        StorageUnavailableError: they may not be changed.
    """
    stored = read()
    after = changed(stored.merges)
    if after != stored.merges:
        writes.apply(stored.put(after))
    known.forget()


class KnownMerges:
    """The merges as a process knows them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._merges: Merges | None = None
        self._until = 0.0
        process.remember(self)

    def at_hand(self) -> Merges:
        """The merges as they were some seconds ago, or later.

        Raises:
            StorageUnavailableError: they have to be read, and cannot be.
        """
        merges = self._merges
        if merges is None or self._clock() >= self._until:
            merges = read().merges
            self._merges, self._until = merges, self._clock() + SECONDS
        return merges

    def forget(self) -> None:
        """Read the merges again when they are asked for."""
        self._merges = None


known = KnownMerges()
"""Those of this process."""


def merged_error() -> MergedError:
    """The error of a write to an account that was given up; the process reads the merges again."""
    known.forget()
    return MergedError("the account was merged into another one")


def following(work: Callable[[], T]) -> T:
    """Do work that goes by the merges at hand; once more where they turn out to be old.

    Raises:
        MergedError: there was yet another merge meanwhile.
    """
    try:
        return work()
    except MergedError:
        return work()
