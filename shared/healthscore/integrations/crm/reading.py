"""Reads a CRM's records field by field, so that a value that cannot be read costs that one fact, and nothing else.

People type whatever they like into a CRM, administrators delete properties, and an API may answer what it never did
before. Each field has one of three outcomes: a value; None, where the CRM says that there is none; and `UNKNOWN`, where
the CRM does not say, or says what cannot be read. `Notes` has which fields these were.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from healthscore.core.time import from_millis, parse_instant
from healthscore.integrations.crm.facts import UNKNOWN, Unknown, revenue
from healthscore.integrations.crm.protocol import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_ID = 200
"""Characters of an account's id, as everywhere."""
LONGEST_NAME = 1_000
_LONGEST_RECORD_ID = 100
_MILLIS = re.compile(r"-?\d{1,14}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_RECORD_ID = re.compile(r"[\w.-]+", re.ASCII)
_FIRST, _END = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""An instant before or after these is a slip of the keyboard, and close to the ends of the calendar it could not be
reckoned with."""

T = TypeVar("T")


@dataclass(slots=True)
class Notes:
    """What could not be read, while a company and its records were."""

    unreadable: dict[Unreadable, None] = field(default_factory=dict)
    """In the order in which they were met, each once."""
    missing: set[str] = field(default_factory=set)
    """Properties that records do not have, and kinds of records that the token may not read: `deals.renewal_date`."""


class Record:
    """The fields of one record.

    Args:
        kind: the kind of record, as the connector calls it.
        record_id: its id in the CRM.
        fields: the values by name, as the CRM has sent them.
        notes: where what cannot be read is noted.
        unwrap: finds the one value in what the CRM sends for a field; it may raise whatever it likes.
    """

    def __init__(
        self,
        kind: str,
        record_id: str,
        fields: object,
        notes: Notes,
        unwrap: Callable[[Any], Any] = lambda given: given,
    ) -> None:
        self.kind, self.record_id = kind, record_id
        self.notes, self._unwrap = notes, unwrap
        self.fields = fields if isinstance(fields, Mapping) else None
        if self.fields is None:
            self.set_aside()

    def has(self, name: str) -> bool:
        """Whether the CRM says anything of a field, and be it that it is empty."""
        return self.fields is not None and name in self.fields

    def read(self, name: str, parse: Callable[[Any], T]) -> T | Unknown | None:
        """The value of a field; None where it is empty, and `UNKNOWN` where it is missing or cannot be read.

        Args:
            name: the field's name.
            parse: makes the value of what the CRM has sent. Whatever it raises, the field is unknown.
        """
        if self.fields is None:
            return UNKNOWN
        if name not in self.fields:
            self.notes.missing.add(f"{self.kind}.{name}")
            return UNKNOWN
        try:
            given = self._unwrap(self.fields[name])
            return None if given is None or given == "" else parse(given)
        except Exception:  # noqa: BLE001  (a value that nobody foresaw costs its field alone)
            self.set_aside(name)
            return UNKNOWN

    def several(self, name: str) -> list[Any] | None:
        """The entries of a field that is a list; None where it is missing, or is none, which is noted."""
        if self.fields is None:
            return None
        if name not in self.fields:
            self.notes.missing.add(f"{self.kind}.{name}")
            return None
        given = self.fields[name]
        if not isinstance(given, list | None):
            self.set_aside(name)
            return None
        return given or []

    def set_aside(self, name: str = "") -> None:
        """Note that a field cannot be read, or, without a name, that the whole record cannot."""
        self.notes.unreadable[Unreadable(self.kind, self.record_id, name)] = None


def record_id(given: object) -> str | None:
    """A record's id as text; None where it is none that a CRM gives."""
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 10**20:
        return str(given)
    if isinstance(given, str) and len(given) <= _LONGEST_RECORD_ID and _RECORD_ID.fullmatch(given):
        return given
    return None


def at(document: object, *names: str) -> Any:  # noqa: ANN401  (JSON)
    """A value inside of JSON objects, by the names that lead to it; None where there is none."""
    for name in names:
        if not isinstance(document, Mapping):
            return None
        document = document.get(name)
    return document


def text(given: object, longest: int = LONGEST_NAME) -> str:
    """A short text; a number or a truth value is one as well.

    Raises:
        ValueError: it is neither, or too long to be meant.
    """
    if isinstance(given, float) and not math.isfinite(given):
        raise ValueError("not a number")
    if not isinstance(given, str | int | float):
        raise ValueError("no text")  # noqa: TRY004  (any value may stand here)
    found = str(given)
    if len(found) > longest:
        raise ValueError("too long")
    found.encode()  # half a surrogate pair is a ValueError as well
    return found


def short_id(given: object) -> str:
    """An account's id, as people enter it. Raises as `text` does."""
    return text(given, LONGEST_ID)


def instant(given: object) -> datetime:
    """A time as CRMs write it: RFC 3339, or milliseconds, as a number or as text.

    Raises:
        ValueError: it is no time, or none that can be meant.
    """
    written = text(given)
    found = from_millis(int(written)) if _MILLIS.fullmatch(written) else parse_instant(written)
    if not _FIRST <= found < _END:
        raise ValueError("no time that can be meant")
    return found


def day(given: object) -> date:
    """A day as CRMs write it: the day, or an instant of it in UTC.

    Raises:
        ValueError: it is no day, or none that can be meant.
    """
    written = text(given)
    return instant(f"{written}T00:00:00Z" if _DAY.fullmatch(written) else written).date()


def amount(given: object) -> float:
    """An amount of money, as `revenue` takes it.

    Raises:
        ValueError: it is none.
    """
    found = None if isinstance(given, bool) else revenue(given)
    if found is None:
        raise ValueError("no amount")
    return found
