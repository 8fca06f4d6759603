"""The book of accounts, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.dataset.book import Asked, Book
from healthscore.storage.nights import manifests

if TYPE_CHECKING:
    from datetime import date, datetime

    from healthscore.core.dataset.manifest import Manifest
    from healthscore.core.dataset.question import Question
    from healthscore.core.dataset.walk import Page, Place

book = Book()
"""What this process keeps of the book."""


def read_page(question: Question, night: date | None, limit: int, after: Place | None, now: datetime) -> Page:
    """Read a page of the book.

    Pages that follow each other hold every account that fits throughout exactly once, whatever is written meanwhile.

    Args:
        question: which accounts, and in which order.
        night: a past night; None for the book as it is now.
        limit: how many accounts a page may have.
        after: where the page before ended.
        now: the time, aware.

    Raises:
        NoSuchNightError: there is no dataset of the night.
        WalkOverError: the walk cannot go on.
        StorageUnavailableError: the book cannot be read now.
    """
    return book.page(Asked(question, night, limit, after), now)


def newest_night() -> Manifest | None:
    """The newest night; None where there is none.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return manifests.newest()
