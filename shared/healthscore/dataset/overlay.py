"""What has changed since a night, as rows that replace the night's."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.dataset import layout
from healthscore.core.dataset.columns import AccountNight
from healthscore.core.time import from_millis
from healthscore.dataset import bucket, staging
from healthscore.storage.accounts import changed
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.nights import tombstones

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthscore.core.dataset.manifest import Manifest
    from healthscore.storage.accounts.changed import ChangedAccount

MARGIN = timedelta(minutes=20)
"""A change up to so long before a night's instant is laid over the night: the instant may lie 15 minutes ahead of the
clock of the machine that read the accounts, and clocks differ."""
MADE_AGAIN = timedelta(hours=12)
"""A kept overlay is put again after this time: the bucket keeps it for a day."""


MOST = 20_000
"""Changed accounts that can be laid over a night; long before that, the night is made again by itself."""


class TooManyChangesError(StorageUnavailableError):
    """More accounts have changed than can be laid over the night: a new one is about to be made of them."""

    retry_after_seconds = 300


class Overlay(NamedTuple):
    """The accounts that have changed since a night."""

    version: int
    """Differs from that of every other overlay of this process."""
    changed: tuple[str, ...]
    """The ids of all of them: those that have no row are gone."""
    erasing: tuple[str, ...]
    """The ids of those that are being erased."""
    lines: bytes
    """Their rows as JSON lines, in the order of the ids."""
    checksum: str
    """Of the lines: a name for them; empty where there are none."""


class _Entry(NamedTuple):
    stamp: int
    line: bytes
    erasing: bool


class Overlays:
    """Reads overlays, and remembers the rows of accounts that have not changed again."""

    def __init__(self) -> None:
        self._of: tuple[str | None, tuple[str, ...]] = (None, ())
        """The run that made the night, and the attributes that rows keep."""
        self._entries: dict[str, _Entry] = {}
        self._made = 0
        self._last: Overlay | None = None
        self._kept, self._kept_at = "", datetime.max.replace(tzinfo=UTC)

    def read(self, manifest: Manifest | None, attributes: tuple[str, ...]) -> Overlay:
        """What has changed since a night; all accounts that were ever written where there is no night.

        Args:
            manifest: the night.
            attributes: names of the attributes that the workspace has chosen for its dataset.

        Raises:
            TooManyChangesError: wait for the next dataset.
            StorageUnavailableError: the accounts cannot be read now.
        """
        stamps = changed.since(from_millis(0) if manifest is None else manifest.as_of - MARGIN)
        if len(stamps) > MOST:
            raise TooManyChangesError("more accounts have changed than can be read")
        of = (None if manifest is None else manifest.run, attributes)
        known = self._entries if of == self._of else {}  # a night's own scores have no stamps
        stale = [id_ for id_, stamp in stamps.items() if id_ not in known or known[id_].stamp != stamp]
        found = changed.read(stale)
        entries = {id_: known[id_] for id_ in stamps if id_ in known}
        for account_id in stale:
            entries[account_id] = _entry(found.get(account_id), stamps[account_id], manifest, attributes)
        if self._last is None or entries != self._entries or of != self._of:
            self._made += 1
            self._last = _overlay(self._made, entries)
        self._of, self._entries = of, entries
        return self._last

    def keep(self, overlay: Overlay, now: datetime) -> str:
        """Keep an overlay in the bucket for as long as somebody pages; answers the name for `kept`, or nothing.

        Rows of accounts that were erased meanwhile are taken out again.

        Raises:
            StorageUnavailableError: it is not known whether it is there.
        """
        if overlay.lines and (self._kept != overlay.checksum or self._kept_at < now - MADE_AGAIN):
            name = layout.walk_name(overlay.checksum)
            bucket.put(name, gzip.compress(overlay.lines, 3, mtime=0))
            staging.remove_erased(name, tombstones.read())
            self._kept, self._kept_at = overlay.checksum, now
        return overlay.checksum


def kept(checksum: str) -> bytes | None:
    """The lines of an overlay that was kept; None where it is not there any more.

    Raises:
        StorageUnavailableError: the bucket cannot be read now.
    """
    name = layout.walk_name(checksum)
    found = bucket.get(name) if bucket.keys(name) else None
    return None if found is None else gzip.decompress(found.data)


def _entry(found: ChangedAccount | None, listed: int, manifest: Manifest | None, attributes: tuple[str, ...]) -> _Entry:
    if found is None:
        return _Entry(listed, b"", erasing=False)
    if found.account is None:
        return _Entry(found.stamp, b"", found.erasing)
    # Not the time of reading: so the same changes are the same rows, whoever reads them.
    at = from_millis(found.stamp // 10**6)
    night = at.date() if manifest is None else manifest.night
    return _Entry(
        found.stamp, staging.line(AccountNight(found.account, night, at, at, found.account.latest, attributes)), False
    )


def _overlay(version: int, entries: Mapping[str, _Entry]) -> Overlay:
    ids = sorted(entries)
    lines = b"".join(entries[id_].line for id_ in ids)
    checksum = sha256(lines).hexdigest()[:32] if lines else ""
    return Overlay(version, tuple(ids), tuple(id_ for id_ in ids if entries[id_].erasing), lines, checksum)
