"""The names of the dataset's files, and in which of a night's parts an account stands.

    account_nights/night=2026-11-29/part-0000-<checksum>.parquet   the rows of a night, in the order of `place`
    book/night=2026-11-29/part-0000-<checksum>.json.gz             the same rows as columns, for a client that holds all
    book/night=2026-11-29/summary-<checksum>.json.gz               the night in short
    nights/2026-11.parquet                                         the figures of a month's nights, without accounts
    staging/<run>/<scan part>-<worker>.ndjson.gz                   rows that a worker has left for the night's end
    exports/walk-<checksum>.ndjson.gz                              what had changed when somebody began to page
    exports/csv-<random>.csv                                       accounts that somebody has asked for as CSV

A part's name has the checksum of what is in it: a file never changes, and a repetition writes the same file.
"""

from __future__ import annotations

from datetime import date
from hashlib import md5

ROWS_A_PART = 50_000
PARTS = "account_nights/"
BOOK = "book/"
STAGING = "staging/"
NIGHTS = "nights/"
EXPORTS = "exports/"
WALKS = f"{EXPORTS}walk-"
CSVS = f"{EXPORTS}csv-"


def place(account_id: str) -> str:
    """An account's place in the order of a night's rows: a fixed hash of its id, as eight hexadecimal digits."""
    return md5(account_id.encode(), usedforsecurity=False).hexdigest()[:8]


def number_of_parts(rows: int) -> int:
    """How many parts a night of so many rows has: one at least."""
    return max(-(-rows // ROWS_A_PART), 1)


def part_of(account_id: str, parts: int) -> int:
    """The number of the part of a night in which an account stands, if it does, from the number of parts."""
    return int(place(account_id), 16) * parts >> 32


def night_prefix(night: date) -> str:
    """What the names of a night's parts begin with."""
    return f"{PARTS}night={night.isoformat()}/"


def part_name(night: date, number: int, checksum: str) -> str:
    """The name of a part."""
    return f"{night_prefix(night)}part-{number:04d}-{checksum}.parquet"


def book_prefix(night: date) -> str:
    """What the names of a night's objects for the book begin with."""
    return f"{BOOK}night={night.isoformat()}/"


def book_part_name(night: date, number: int, checksum: str) -> str:
    """The name of a part of the book."""
    return f"{book_prefix(night)}part-{number:04d}-{checksum}.json.gz"


def summary_name(night: date, checksum: str) -> str:
    """The name of a night in short."""
    return f"{book_prefix(night)}summary-{checksum}.json.gz"


def night_of(name: str) -> date:
    """The night of a part, by its name."""
    return date.fromisoformat(name.removeprefix(PARTS).split("/")[0].removeprefix("night="))


def nights_name(night: date) -> str:
    """The name of the file with the figures of a night, and of all others of its month."""
    return f"{NIGHTS}{night:%Y-%m}.parquet"


def staging_prefix(run: str) -> str:
    """What the names of a run's staging files begin with."""
    return f"{STAGING}{run}/"


def staging_name(run: str, scan_part: int, worker: int) -> str:
    """The name of what one worker has left: it follows from the task, so that a repetition replaces it."""
    return f"{staging_prefix(run)}{scan_part:06d}-{worker:06d}.ndjson.gz"


def walk_name(checksum: str) -> str:
    """The name of what had changed when somebody began to page through the book."""
    return f"{WALKS}{checksum}.ndjson.gz"
