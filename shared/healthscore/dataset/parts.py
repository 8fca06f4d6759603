"""Parts of nights on this machine's disk: fetched once, by their names, and kept while they are in use."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from healthscore.core.dataset import layout
from healthscore.dataset import bucket
from healthscore.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    from pathlib import Path

    from healthscore.core.dataset.manifest import Manifest, Part

NIGHTS_KEPT = 2
"""Nights whose parts are on disk at once."""


class PartGoneError(Exception):
    """A part is not in the bucket any more: the night was made again, or is over."""


class Parts:
    """The parts of the nights that were used last, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._used: dict[str, Manifest] = {}
        """By run, the one that was used last at the end."""

    def of(self, manifest: Manifest) -> list[Path]:
        """The files of a night; fetches those that are not here.

        Raises:
            PartGoneError: read the manifest again.
            StorageUnavailableError: the bucket cannot be read now.
        """
        self._used.pop(manifest.run, None)
        self._used[manifest.run] = manifest
        for run in [*self._used][:-NIGHTS_KEPT]:
            del self._used[run]
        kept = {_file(part) for used in self._used.values() for part in used.parts}
        for path in self.folder.glob("*.parquet"):
            if path.name not in kept:
                path.unlink()
        missing = [part for part in manifest.parts if not (self.folder / _file(part)).exists()]
        if missing and not {part.name for part in missing} <= {*bucket.keys(layout.night_prefix(manifest.night))}:
            raise PartGoneError
        side_by_side(self._fetch, missing)
        return [self.folder / _file(part) for part in manifest.parts]

    def here(self, run: str) -> Manifest | None:
        """The night of a run whose files are here, even if the bucket does not have them any more."""
        return self._used.get(run)

    def _fetch(self, part: Part) -> None:
        path = self.folder / _file(part)
        arriving = path.with_suffix(".arriving")
        arriving.write_bytes(fetched(part))
        arriving.rename(path)


def fetched(part: Part) -> bytes:
    """What is in an object of a night.

    Raises:
        PartGoneError: read the manifest again.
        StorageUnavailableError: the bucket cannot be read now.
    """
    found = bucket.get(part.name)
    if found is None or sha256(found.data).hexdigest() != part.checksum:
        raise PartGoneError(part.name)
    return found.data


def _file(part: Part) -> str:
    return part.name.rpartition("/")[2]
