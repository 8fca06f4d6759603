"""The book of accounts: the newest night with what has changed since laid over it, or a past night as it was.

A walk through its pages keeps the order that the book had when it began: a cursor names the night and what had changed
by then, which is kept in the bucket. What a page shows of its accounts is what they are now. So a walk shows every
account that fits throughout exactly once, whatever is written meanwhile.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from healthscore import process
from healthscore.core.dataset import layout
from healthscore.core.dataset.question import Question
from healthscore.core.dataset.walk import NoSuchNightError, Page, Place, Walk, WalkOverError
from healthscore.core.time import millis
from healthscore.dataset import bucket, columnar, overlay
from healthscore.dataset.overlay import Overlays
from healthscore.dataset.parts import PartGoneError, fetched
from healthscore.dataset.reader import Reader
from healthscore.storage import workspace
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.nights import manifests, tombstones

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from healthscore.core.dataset.manifest import Manifest
    from healthscore.dataset.overlay import Overlay
    from healthscore.dataset.reader import Rows

T = TypeVar("T")

MOST_ROWS, MOST_BYTES = 20_000, 4_000_000
"""The largest CSV that is an answer: Lambda's ends at 6 MB. A larger one is a file in the bucket."""
LINK_VALID_FOR = timedelta(minutes=5)
_FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
_ATTEMPTS = 4
"""How often a night is read that is made again, or erased from, just then."""


class BeingErasedFromDatasetError(StorageUnavailableError):
    """An account is being erased: nobody is given a link to a file that may still have it."""

    retry_after_seconds = 60


class Export(NamedTuple):
    """Accounts as CSV."""

    file_name: str
    data: bytes | None
    """The text; None where it is too large for an answer."""
    url: str | None
    """A link to it where it is."""


class Asked(NamedTuple):
    """What a page is asked for."""

    question: Question
    """Which accounts, and in which order."""
    night: date | None
    """A past night; None for the book as it is now."""
    limit: int
    """How many accounts it may have."""
    after: Place | None
    """Where the page before ended; None for the first one."""


class Columns(NamedTuple):
    """Accounts as columns."""

    night: str | None
    """The night of the figures; None where there is none yet."""
    columns: columnar.Columns
    gone: tuple[str, ...]
    """Accounts that are not there any more."""
    after: str | None
    """The id behind which there may be more."""


class _Csv(NamedTuple):
    """How accounts are answered as CSV."""

    day: date
    """Names the file."""
    most_rows: int
    """More than these are a link."""
    now: datetime


class _State(NamedTuple):
    """The book as it is now."""

    manifest: Manifest | None
    overlay: Overlay
    erased: tuple[str, ...]
    """Accounts that are erased and may still be in files."""

    @property
    def hidden(self) -> tuple[str, ...]:
        """Also those whose erasure has just begun."""
        return (*self.erased, *self.overlay.erasing)


class Book:
    """The book, with what is kept of it on this machine; one request at a time reads it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._reader: Reader | None = None
        self._overlays = Overlays()
        self._manifest: Manifest | None = None
        process.remember(self)

    def forget(self) -> None:
        """Drop all that is kept."""
        if self._reader is not None:
            self._reader.close()
        self._reader, self._overlays, self._manifest = None, Overlays(), None

    def page(self, asked: Asked, now: datetime) -> Page:
        """A page of the book.

        Raises:
            NoSuchNightError: there is no dataset of the night.
            WalkOverError: begin again.
            StorageUnavailableError: the book cannot be read now.
        """
        return self._reading(lambda state, reader: self._page(asked, state, reader, now))

    def csv(self, question: Question, night: date | None, now: datetime) -> Export:
        """All accounts of a question as CSV, by a link where it is too large for an answer.

        Args:
            question: which accounts, and in which order.
            night: a past night; None for the book as it is now.
            now: the time, aware.

        Raises:
            NoSuchNightError: there is no dataset of the night.
            StorageUnavailableError: the book cannot be read now, or an account is being erased from it.
        """

        def made(state: _State, reader: Reader) -> Export:
            if night is None:
                return _export(question, reader.present(state.manifest), reader, _Csv(now.date(), MOST_ROWS, now))
            return _export(question, reader.past(self._of_night(night)), reader, _Csv(night, MOST_ROWS, now))

        return self._reading(made)

    def night_csv(self, night: date | None, now: datetime) -> tuple[Manifest, Export]:
        """A night as CSV, by a link; the newest one where none is named. Raises as `csv`."""

        def made(state: _State, reader: Reader) -> tuple[Manifest, Export]:
            manifest = state.manifest if night is None else self._of_night(night)
            if manifest is None:
                raise NoSuchNightError
            return manifest, _export(Question(), reader.past(manifest), reader, _Csv(manifest.night, -1, now))

        return self._reading(made)

    def of_owner(self, owner: str | None, limit: int, after: str | None) -> Columns:
        """The next accounts of an owner as they are now, as columns, in the order of their ids.

        Args:
            owner: the owner; None for accounts without one.
            limit: how many accounts there may be.
            after: the id of the account before.

        Raises:
            StorageUnavailableError: the book cannot be read now.
        """

        def made(state: _State, reader: Reader) -> Columns:
            found = reader.owned(reader.present(state.manifest), owner, limit, after)
            last = found.columns["id"][-1] if found.size == limit else None
            return Columns(_night(state.manifest), found, (), last)

        return self._reading(made)

    def changed(self) -> Columns:
        """What has changed since the newest night, as columns. Raises as `of_owner`."""

        def made(state: _State, reader: Reader) -> Columns:
            found = reader.columns(reader.fresh())
            gone = sorted({*state.overlay.changed, *state.erased} - {*found.columns["id"]})
            return Columns(_night(state.manifest), found, tuple(gone), None)

        return self._reading(made)

    def part(self, night: date | None, number: int) -> bytes:
        """A part of a night as columns, packed; of the newest one where none is named.

        It is as the night's end has made it. For an older night, or while an account is being erased, it
        is made of the rows.

        Raises:
            NoSuchNightError: there is no dataset of the night.
            IndexError: it has no such part.
            StorageUnavailableError: the book cannot be read now.
        """

        def made(state: _State, reader: Reader) -> bytes:
            manifest = state.manifest if night is None else self._of_night(night)
            if manifest is None:
                raise NoSuchNightError
            parts = manifest.parts_of_book
            part = parts[number]
            hidden = any(layout.part_of(account_id, len(parts)) == number for account_id in state.hidden)
            if manifest.book and not hidden:
                return fetched(part)
            return reader.columns(reader.part(manifest, number, len(parts))).packed(_night(manifest))

        return self._reading(made)

    def _reading(self, read: Callable[[_State, Reader], T]) -> T:
        """Read the book as it is now; again where files are gone by the time that they are fetched."""
        with self._lock:
            self._reader = self._reader or Reader()
            for _ in range(_ATTEMPTS):
                try:
                    return read(self._refreshed(self._reader), self._reader)
                except PartGoneError:
                    continue
        raise StorageUnavailableError("a night is made again and again")

    def _refreshed(self, reader: Reader) -> _State:
        """Read what has changed, in an order in which nobody who is erased is missed.

        An erasure marks its account as changed, puts its tombstone, deletes the account, takes it out of the files,
        and only then finishes the tombstone. Whoever reads the marks, then the tombstones, then which files there are,
        finds one of the two, or files without the account.
        """
        self._manifest = self._manifest or manifests.newest()  # else all that ever changed would be read
        attributes = workspace.settings().settings.dataset.attributes
        for _ in range(_ATTEMPTS):
            laid = self._overlays.read(self._manifest, attributes)
            pending = tombstones.pending()
            before, self._manifest = self._manifest, manifests.newest()
            if _run(before) == _run(self._manifest):
                reader.lay(laid)
                # Also those whose tombstone is not there yet.
                hidden = [(account_id, _FOREVER) for account_id in laid.erasing]
                reader.hide([*((one.account_id, one.erased_at) for one in pending), *hidden])
                return _State(self._manifest, laid, tuple(one.account_id for one in pending))
        raise StorageUnavailableError("the newest night changes too often")

    def _page(self, asked: Asked, state: _State, reader: Reader, now: datetime) -> Page:
        after = asked.after
        shown = state.manifest if asked.night is None else self._of_night(asked.night)
        began = shown if after is None else self._of_walk(after.walk, reader)
        if asked.night is not None and began is not None:
            rows = places = reader.past(began)
        else:
            rows = reader.present(state.manifest)
            places = rows if after is None else self._places(after.walk, began, rows, state, reader)
        place = None if after is None else (after.keys, after.account_id)
        found = reader.page(asked.question, rows, places, asked.limit + 1, place)
        lines = found[: asked.limit]
        return Page(
            None if shown is None else shown.night,
            None if shown is None else shown.as_of,
            [line.values for line in lines],
            Place(self._walk(asked, began, state, now), lines[-1].keys, lines[-1].account_id)
            if len(found) > asked.limit
            else None,
        )

    def _walk(self, asked: Asked, began: Manifest | None, state: _State, now: datetime) -> Walk:
        """What the next page goes through; on the first page it is kept."""
        if asked.after is not None:
            return asked.after.walk
        overlay = "" if asked.night is not None else self._overlays.keep(state.overlay, now)
        return Walk(None if began is None else began.night, _run(began), overlay, millis(now))

    def _places(self, walk: Walk, began: Manifest | None, rows: Rows, state: _State, reader: Reader) -> Rows:
        """The rows by which the accounts of a walk have their places."""
        if (walk.run, walk.overlay) == (_run(state.manifest), state.overlay.checksum):
            return rows  # nothing has changed since it began
        lines = overlay.kept(walk.overlay) if walk.overlay else b""
        if lines is None:
            raise WalkOverError
        reader.freeze(walk.overlay, lines)
        return reader.began(began, walk.at)

    def _of_night(self, night: date) -> Manifest:
        found = manifests.of_night(night)
        if found is None:
            raise NoSuchNightError
        return found

    def _of_walk(self, walk: Walk, reader: Reader) -> Manifest | None:
        """The night that a walk goes through."""
        if walk.night is None:
            return None
        found = manifests.of_night(walk.night)
        if found is None or found.run != walk.run:
            found = reader.parts.here(walk.run)
        if found is None:
            raise WalkOverError
        return found


def _export(question: Question, rows: Rows, reader: Reader, of: _Csv) -> Export:
    """Accounts as CSV: up to a number of rows as it is, else by a link."""
    made = reader.write_csv(question, rows)
    try:
        data = made.path.read_bytes()
    finally:
        made.path.unlink()
    name = f"accounts-{of.day.isoformat()}.csv"
    if made.rows <= of.most_rows and len(data) <= MOST_BYTES:
        return Export(name, data, None)
    return Export(name, None, _exported(data, name, of.now))


def _exported(data: bytes, name: str, now: datetime) -> str:
    """Put CSV into the bucket for a while; answers a link to it.

    An erasure deletes such files after it has put its tombstone, and this looks for tombstones after it has put the
    file: at least one of the two finds the other.
    """
    key = f"{layout.CSVS}{secrets.token_hex(16)}.csv"
    bucket.put(key, data)
    if any(at > now for at in tombstones.read().erased.values()):
        bucket.delete([key])
        raise BeingErasedFromDatasetError("an account is being erased from the dataset")
    return bucket.link(key, LINK_VALID_FOR, name)


def _night(manifest: Manifest | None) -> str | None:
    return None if manifest is None else manifest.night.isoformat()


def _run(manifest: Manifest | None) -> str:
    return "" if manifest is None else manifest.run
