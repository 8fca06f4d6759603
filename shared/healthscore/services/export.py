"""A night's files, by links for who has a key of the API and none of the bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.dataset.walk import NoSuchNightError
from healthscore.dataset import bucket
from healthscore.dataset.book import LINK_VALID_FOR, BeingErasedFromDatasetError
from healthscore.services.book import book
from healthscore.storage.nights import manifests, tombstones

if TYPE_CHECKING:
    from datetime import date, datetime

    from healthscore.core.dataset.manifest import Manifest


class Links(NamedTuple):
    """Links to the files of a night."""

    manifest: Manifest
    urls: tuple[str, ...]
    """One a part; each is valid for `LINK_VALID_FOR`, for everybody who has it."""
    expires_at: datetime


def csv_links(night: date | None, now: datetime) -> Links | None:
    """A link to a night as CSV, which is made for it. Takes, answers and raises as `links`."""
    try:
        manifest, made = book.night_csv(night, now)
    except NoSuchNightError:
        return None
    return Links(manifest, (made.url or "",), now + LINK_VALID_FOR)


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
    urls = tuple(bucket.link(part.name, LINK_VALID_FOR) for part in manifest.parts)
    return Links(manifest, urls, now + LINK_VALID_FOR)
