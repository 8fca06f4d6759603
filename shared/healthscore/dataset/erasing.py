"""Erasing accounts from the dataset: from every night, and from what runs and readers under way have left.

An account's tombstone is there before this begins. Then, for each night: where nobody writes it, its files are those
of the manifest, and who writes it later reads the tombstone first. Where somebody does, the erasure waits until that is
over. So once every night was looked at, no file has the account, and none ever will. The same goes for the history,
into which a night's workers copy snapshots (see `storage.runs.workers`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthscore.core.dataset import layout
from healthscore.dataset import bucket, files, night_summary, staging, writing
from healthscore.dataset.files import Made
from healthscore.storage.accounts import history
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.nights import manifests, tombstones
from healthscore.storage.runs import workers
from healthscore.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime
    from pathlib import Path

    from healthscore.core.dataset.manifest import Manifest
    from healthscore.dataset.files import Workshop
    from healthscore.storage.nights.manifests import Night


def erase_pending(now: datetime, until: datetime, keep_going: Callable[[], bool]) -> bool:
    """Erase all accounts whose erasure from the dataset is pending.

    Args:
        now: the time, aware.
        until: when this invocation ends at the latest, aware.
        keep_going: asked before each night and file; False leaves the rest to the next call.

    Returns:
        Whether none of them is in any file any more, and nothing came into their history behind their erasure. False
        where there was no time, or somebody is writing a night, or at work on its accounts.

    Raises:
        StorageUnavailableError: some may be left; calling again goes on.
    """
    pending = tombstones.pending()
    if not pending:
        return True
    erased, done = tombstones.read(), True
    for key in (*bucket.keys(layout.STAGING), *bucket.keys(layout.WALKS)):
        if not keep_going():
            return False
        staging.remove_erased(key, erased)
    bucket.delete(bucket.keys(layout.CSVS))  # who wants one asks again
    ids = {one.account_id for one in pending}
    with files.workshop(erased) as workshop:
        for night in list(manifests.every()):
            if not keep_going():
                return False
            try:
                _erase_from(night, ids, workshop, now, until)
            except manifests.NightLockedError:
                done = False
            workshop.clear()
    if not done or workers.any_under_way(now):
        return False
    for one in pending:
        history.delete_snapshots(one.account_id, one.erased_at + workers.LONGEST)
    tombstones.finish(pending)
    return True


def _erase_from(night: Night, ids: Collection[str], workshop: Workshop, now: datetime, until: datetime) -> None:
    """Make the parts of a night again that have rows of erased accounts.

    Raises:
        NightLockedError: somebody else is writing the night.
    """
    if not night.locked and not _affected(night.manifest, ids, workshop):
        return
    with writing.write(night.day, now, until) as writer:
        manifest = writer.manifest
        if manifest is None:  # its writer died before the night was there
            return
        affected = _affected(manifest, ids, workshop)
        if affected:
            writer.commit(_without(manifest, affected, ids, workshop))


def _without(
    manifest: Manifest, affected: list[tuple[int, Path]], ids: Collection[str], workshop: Workshop
) -> Manifest:
    """Put the objects of a night again without the rows of erased accounts."""
    parts, book = list(manifest.parts), list(manifest.book)
    pieces = len(book) // len(parts)
    made, of_book = [], []
    for number, path in affected:
        made.append(workshop.without_erased(path, manifest.night, number))
        of_part = range(number * pieces, (number + 1) * pieces)
        of_book += workshop.book_without_erased(path, manifest.night, of_part, len(book))
    summary = None
    if manifest.summary is not None:
        found = night_summary.read(manifest.summary)
        if found is None:
            raise StorageUnavailableError(f"{manifest.summary.name} is gone")
        summary = workshop.summary_without(found, ids, manifest.night)
    side_by_side(Made.put, [*made, *of_book, *filter(None, [summary])])
    for one in made:
        parts[one.number] = one.part
    for one in of_book:
        book[one.number] = one.part
    return replace(manifest, parts=tuple(parts), book=tuple(book), summary=summary and summary.part)


def _affected(manifest: Manifest | None, ids: Collection[str], workshop: Workshop) -> list[tuple[int, Path]]:
    """The numbers and files of a night's parts that have rows of erased accounts."""
    if manifest is None:
        return []
    numbers = sorted({layout.part_of(account_id, len(manifest.parts)) for account_id in ids})
    paths = bucket.fetch([manifest.parts[number].name for number in numbers], workshop.folder)
    return [(number, path) for number, path in zip(numbers, paths, strict=True) if workshop.has_erased(path)]
