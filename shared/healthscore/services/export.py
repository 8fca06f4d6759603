"""A night's files, by links for who has a key of the API and none of the bucket."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from healthscore.dataset import bucket
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.nights import manifests, tombstones

if TYPE_CHECKING:
    from datetime import date, datetime

    from healthscore.core.dataset.manifest import Manifest

VALID_FOR = timedelta(minutes=5)


class BeingErasedFromDatasetError(StorageUnavailableError):
    """An account is being erased from the files: nobody is given a link to one that may still have it."""

    retry_after_seconds = 60


class Links(NamedTuple):
    """Links to the files of a night."""

    manifest: Manifest
    urls: tuple[str, ...]
    """One a part; each is valid for `VALID_FOR`, for everybody who has it."""
    expires_at: datetime


def links(night: date | None, now: datetime) -> Links | None:
    """Links to the files of a night.

    Args:
        night: the night; None for the newest one.
        now: the time, aware.

    Returns:
        None where there is no such night.

    Raises:
        BeingErasedFromDatasetError: try again in a minute.
        StorageUnavailableError: the table cannot be read now.
    """
    manifest = manifests.newest() if night is None else manifests.of_night(night)
    if manifest is None:
        return None
    if tombstones.pending():
        raise BeingErasedFromDatasetError("an account is being erased from the dataset")
    urls = tuple(bucket.link(part.name, VALID_FOR) for part in manifest.parts)
    return Links(manifest, urls, now + VALID_FOR)
