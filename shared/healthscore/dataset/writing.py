"""Writing a night: of what its workers have left to parts, and the manifest last.

It may be killed anywhere and run again. Before the manifest is put, the night is as it was. After that, the same run
only cleans up. See `storage.nights.manifests` for the lock.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.dataset import layout
from healthscore.core.dataset.columns import SCHEMA
from healthscore.core.dataset.manifest import Manifest
from healthscore.dataset import bucket, files, staging
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.nights import manifests, tombstones
from healthscore.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import date, datetime

    from healthscore.dataset.staging import Worker
    from healthscore.storage.nights.manifests import Lock


BOOK_NIGHTS = 2
"""The newest nights that have objects for the book: somebody may still be reading those of the one before."""


class NotStagedError(Exception):
    """A worker has left no rows: they could not be stored, or have expired."""


class Night(NamedTuple):
    """A night."""

    day: date
    """Its day in the workspace's time zone."""
    as_of: datetime
    """The instant that it scores, aware."""


class Writer:
    """The one who writes a night now."""

    def __init__(self, held: Lock) -> None:
        self._held = held
        self.is_sure = True
        """Whether it is known which manifest the night has, and that the lock is held."""

    @property
    def manifest(self) -> Manifest | None:
        """The night's manifest; None where it has none yet."""
        return self._held.manifest

    def commit(self, manifest: Manifest) -> None:
        """Make files that are in the bucket the night.

        Raises:
            NightLockedError: the lock was lost; nothing has changed.
            StorageUnavailableError: it is not known whether it has changed.
        """
        self.is_sure = False
        self._held = manifests.commit(self._held, manifest)
        self.is_sure = True

    def empty(self) -> None:
        """Have the night end: no file of it stays, and nothing is stored of it."""
        self._held = self._held._replace(manifest=None)

    def give_back(self) -> None:
        """Delete the files of the night that its manifest does not name, and give the lock back.

        Raises:
            StorageUnavailableError: some may be left, and then the lock ends by itself; the next writer deletes them.
        """
        named = set() if self.manifest is None else self.manifest.names
        for prefix in (layout.night_prefix(self._held.day), layout.book_prefix(self._held.day)):
            bucket.delete(key for key in bucket.keys(prefix) if key not in named)
        if self.manifest is None:
            manifests.drop(self._held)
        else:
            manifests.unlock(self._held)


@contextmanager
def write(night: date, now: datetime, until: datetime) -> Iterator[Writer]:
    """Hold the lock of a night for as long as the context lasts; then, the bucket has what the manifest names.

    Args:
        night: the night.
        now: the time, aware.
        until: when this invocation ends at the latest, aware.

    Raises:
        NightLockedError: somebody else is writing the night; try again later.
        StorageUnavailableError: the lock could not be taken, or not be given back.
    """
    writer = Writer(manifests.lock(night, now, until))
    try:
        yield writer
    except Exception:
        # Where a commit has no answer, its files may be the night: the lock ends by itself, and the next writer knows.
        if writer.is_sure:
            with suppress(StorageUnavailableError):  # the first error says more
                writer.give_back()
        raise
    writer.give_back()


def publish(run: str, workers: Collection[Worker], night: Night, now: datetime, until: datetime) -> Manifest:
    """Make what the workers of a run have left the dataset of a night, in the place of the one that is there.

    Args:
        run: the run, by a name unlike any other.
        workers: all its workers, one at least; they must be done.
        night: the night, and the instant that it scores.
        now: the time, aware.
        until: when this invocation ends at the latest, aware.

    Raises:
        NotStagedError: one of the workers has left nothing; the night is as it was.
        NightLockedError: somebody else is writing the night; try again later.
        StorageUnavailableError: not published, or not known to be; the same call goes on.
    """
    with write(night.day, now, until) as writer:
        published = writer.manifest
        if published is None or published.run != run:  # else it was published before, and what was staged may be gone
            published = _put_objects(run, workers, night)
            writer.commit(published)
    discard(run)
    return published


def _put_objects(run: str, workers: Collection[Worker], night: Night) -> Manifest:
    staged = bucket.keys(layout.staging_prefix(run))
    if missing := {worker.key for worker in workers} - set(staged):
        raise NotStagedError(min(missing))
    erased = tombstones.read()  # after the lock was taken: an erasure that is not in it finds these objects
    with files.workshop(erased) as workshop:
        parts = workshop.make_parts(bucket.fetch(staged, workshop.folder), night.day)
        book, summary = workshop.make_book(night.day), workshop.make_summary(night.day)
        side_by_side(files.Made.put, [*parts, *book, summary])
    return Manifest(
        night.day,
        night.as_of,
        run,
        SCHEMA,
        parts=tuple(one.part for one in parts),
        book=tuple(one.part for one in book),
        summary=summary.part,
    )


def discard(run: str) -> None:
    """Delete what the workers of a run have left.

    Raises:
        StorageUnavailableError: some may be left.
    """
    bucket.delete(bucket.keys(layout.staging_prefix(run)))


def sweep(first: date, now: datetime, until: datetime) -> None:
    """Clean up after writers that died, delete the nights before a day, and what older nights have for the book.

    Raises:
        StorageUnavailableError: something is left; the next sweep goes on.
    """
    erased = tombstones.read()
    for key in (*bucket.keys(layout.STAGING), *bucket.keys(layout.WALKS)):
        staging.remove_erased(key, erased)
    nights = list(manifests.every())
    in_book = {night.day for night in [one for one in nights if one.manifest is not None][-BOOK_NIGHTS:]}
    for night in nights:
        over = night.day < first
        in_vain = night.manifest is not None and night.manifest.book and night.day not in in_book
        if night.locked or over or in_vain:
            with suppress(manifests.NightLockedError), write(night.day, now, until) as writer:
                if over:
                    writer.empty()
                elif writer.manifest is not None and night.day not in in_book:
                    writer.commit(replace(writer.manifest, book=(), summary=None))
