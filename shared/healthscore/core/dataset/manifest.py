"""A night's manifest: which files are the night. What no manifest names does not exist for any reader."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from healthscore.core.time import format_instant, parse_instant

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Part:
    """One object of a night: a Parquet file, or what is made of it for the book."""

    name: str
    """Its key in the bucket."""
    rows: int
    bytes: int
    checksum: str
    """SHA-256 of the file, as hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a night."""

    night: date
    as_of: datetime
    """The instant that the night scores, aware."""
    run: str
    """The run that made it, by a name unlike any other."""
    schema: int
    """The version of the columns."""
    parts: tuple[Part, ...]
    """At their numbers; an account's part follows from its id and their number (`core.dataset.layout.part_of`)."""
    book: tuple[Part, ...] = ()
    """The same rows as columns, at their numbers; one or several for each part. Older nights have none."""
    summary: Part | None = None
    """The night in short; None for older nights."""

    @property
    def rows(self) -> int:
        """How many accounts the night has."""
        return sum(part.rows for part in self.parts)

    @property
    def names(self) -> frozenset[str]:
        """The keys of all its objects."""
        return frozenset(part.name for part in (*self.parts, *self.book, *filter(None, [self.summary])))

    @property
    def parts_of_book(self) -> tuple[Part, ...]:
        """The parts in which a client reads the night as columns: as they are kept, else made of its files."""
        return self.book or self.parts

    def to_json(self) -> dict[str, Any]:
        """The form in which it is stored."""
        return {
            "night": self.night.isoformat(),
            "as_of": format_instant(self.as_of),
            "run": self.run,
            "schema": self.schema,
            "parts": [asdict(part) for part in self.parts],
            "book": [asdict(part) for part in self.book],
            "summary": None if self.summary is None else asdict(self.summary),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Manifest:
        """Read what `to_json` wrote."""
        return cls(
            night=date.fromisoformat(stored["night"]),
            as_of=parse_instant(stored["as_of"]),
            run=stored["run"],
            schema=stored["schema"],
            parts=tuple(Part(**part) for part in stored["parts"]),
            book=tuple(Part(**part) for part in stored.get("book", ())),  # a version before had none
            summary=Part(**stored["summary"]) if stored.get("summary") else None,
        )
