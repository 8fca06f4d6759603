"""Log entries as bytes: small, self-contained, and the same bytes for the same set of entries.

    1 byte     format
    3 numbers  entries n, sessions k, UUIDs u, 2 bytes each
    8·n        the entries' ids
    8·k        session ids
    16·u       the user and anonymous ids that are UUIDs
    deflated (the bytes above are as good as random and do not deflate):
      4 bytes  length of the tables, then the tables as JSON: [names, people, {entry index: value in millionths}];
               the name of an event that says which page was viewed is a pair of both; one of the people is an id, or
               [id, label, flags] where an entry has a label or flags
      4·n      times, each as milliseconds after the one before
      n codes  person, session, name: index into the tables, one byte each (two where a table needs it), 0 for none

Entries are sorted by time and id. Times count from the UTC midnight before the day's own, so that a day of any time
zone fits without a sign. Of a UUID, the table of people holds only the kind, `u` or `a` (after `!` in a label).
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from datetime import UTC, date, datetime, time
from hashlib import blake2b
from itertools import accumulate
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from healthscore.core.model import MICROS
from healthscore.core.time import DAY, millis

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from healthscore.core.model import Event

MAX_ENTRIES = 250
"""Entries in one pack: with the longest names and ids allowed, it stays below DynamoDB's item limit."""

_FORMAT = 2
_FORMATS = (1, 2)
"""The first knew no labels and no flags, and is read as it is."""
_PREFIX = struct.Struct("<BHHH")
_UUID_BYTES = 16
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_RAW_DEFLATE = -15
_ONE_BYTE_CODES = 256


COPY, GATE, INTERNAL, PARTLY = 1, 2, 4, 8
"""Flags of an entry. `COPY`: it stands in an account's log because its person belongs to the account; the event itself
is in the person's own log. `GATE`: it counts nothing, and keeps a repetition from counting on the day that the event's
wrong clock had named. `INTERNAL`: the event itself says that it is of staff or of a machine. `PARTLY`: the label is
right at the time of the entry, and not on the whole day."""
NOT_COUNTED = "!"
"""What the label of a person begins with whose events do not count."""


class Entry(NamedTuple):
    """One event as the log keeps it. Entries sort by time, then id."""

    at: int
    """Milliseconds since the Unix epoch."""
    id: int
    """64-bit hash of the event id."""
    person: str | None
    """`u` and the user id, else `a` and the anonymous id, else None."""
    session: int
    """64-bit hash of the session id; 0 where the event named none."""
    name: str
    value: int
    """In millionths."""
    page: str = ""
    """The page or screen that was viewed; empty where the event names none."""
    label: str | None = None
    """Who `person` is known to be: the id that stands for the same person, behind `NOT_COUNTED` where the person's
    events do not count. None where the person is known by no other id, and counts."""
    flags: int = 0

    @property
    def who(self) -> str | None:
        """The person that the entry counts for: one id of all that are the same person's."""
        return self.person if self.label is None else self.label.removeprefix(NOT_COUNTED)

    @property
    def counts(self) -> bool:
        """Whether the entry is in the figures of its day."""
        return not self.flags & (GATE | INTERNAL) and (self.label is None or not self.label.startswith(NOT_COUNTED))


def entry(event: Event) -> Entry:
    """The entry of an event.

    Ids become 64-bit hashes. Among n different ids of one account and day the odds that any two share a hash are
    about n²/2⁶⁵: one in 370 million for a day of 300,000 events.
    """
    if event.user_id is not None:
        person = "u" + event.user_id
    elif event.anonymous_id is not None:
        person = "a" + event.anonymous_id
    else:
        person = None
    session = 0 if event.session_id is None else (_hash64(event.session_id) or 1)
    flags = INTERNAL if event.internal else 0
    id_, page = _hash64(event.event_id), event.page or ""
    return Entry(millis(event.at), id_, person, session, event.name, event.value, page, flags=flags)


def pack(day: date, entries: Iterable[Entry]) -> bytes:
    """The bytes for a set of at most `MAX_ENTRIES` entries of one day; the order they are given in does not matter."""
    ordered = sorted(entries)
    names = _Table((e.name, e.page) for e in ordered)
    people = _Table(who for e in ordered if (who := _table_person(e)) is not None)
    sessions = _Table(e.session for e in ordered if e.session)
    uuids: list[bytes] = []
    shown = [
        short(person, uuids) if label is None and not flags else [short(person, uuids), short(label, uuids), flags]
        for person, label, flags in people.items
    ]
    raw_uuids = b"".join(uuids)
    values = {i: e.value for i, e in enumerate(ordered) if e.value != MICROS}
    named = [(name, page) if page else name for name, page in names.items]
    tables = json.dumps([named, shown, values], ensure_ascii=False, separators=(",", ":")).encode()
    n, k = len(ordered), len(sessions.items)
    times = [e.at for e in ordered]
    body = b"".join(
        (
            struct.pack("<I", len(tables)),
            tables,
            struct.pack(f"<{n}I", *(b - a for a, b in zip([_origin(day), *times], times, strict=False))),
            people.codes(map(_table_person, ordered)),
            sessions.codes(e.session or None for e in ordered),
            names.codes((e.name, e.page) for e in ordered),
        )
    )
    deflate = zlib.compressobj(wbits=_RAW_DEFLATE)
    return b"".join(
        (
            _PREFIX.pack(_FORMAT, n, k, len(raw_uuids) // _UUID_BYTES),
            struct.pack(f"<{n}Q", *(e.id for e in ordered)),
            struct.pack(f"<{k}Q", *sessions.items),
            raw_uuids,
            deflate.compress(body),
            deflate.flush(),
        )
    )


def unpack(day: date, data: bytes) -> list[Entry]:
    """The entries that `pack` was given, sorted.

    Raises:
        ValueError: the bytes are of a format that this version does not know.
    """
    format_, n, k, u = _PREFIX.unpack_from(data)
    if format_ not in _FORMATS:
        raise ValueError(f"event log of format {format_}; this version reads format {_FORMAT}")
    at = _PREFIX.size
    ids = struct.unpack_from(f"<{n}Q", data, at)
    sessions = struct.unpack_from(f"<{k}Q", data, at + 8 * n)
    at += 8 * (n + k)
    uuids = iter([data[i : i + _UUID_BYTES].hex() for i in range(at, at + u * _UUID_BYTES, _UUID_BYTES)])
    body = zlib.decompress(data[at + u * _UUID_BYTES :], _RAW_DEFLATE)
    at = 4 + struct.unpack_from("<I", body)[0]
    named, people, values = json.loads(body[4:at])
    names = [(one, "") if isinstance(one, str) else one for one in named]
    people = [
        (long(one, uuids), None, 0) if isinstance(one, str) else (long(one[0], uuids), long(one[1], uuids), one[2])
        for one in people
    ]
    times = list(accumulate(struct.unpack_from(f"<{n}I", body, at), initial=_origin(day)))[1:]
    at += 4 * n
    columns = []
    for table in (people, sessions, names):
        code = _code_format(len(table))
        columns.append(struct.unpack_from(f"<{n}{code}", body, at))
        at += n * struct.calcsize(code)
    people.append((None, None, 0))  # the last, which is code 0 less 1
    entries = [
        Entry(
            t,
            id_,
            people[p - 1][0],
            sessions[s - 1] if s else 0,
            names[m - 1][0],
            MICROS,
            names[m - 1][1],
            *people[p - 1][1:],
        )
        for t, id_, p, s, m in zip(times, ids, *columns, strict=True)
    ]
    for i, value in values.items():
        entries[int(i)] = entries[int(i)]._replace(value=value)
    return entries


Person = tuple[str | None, str | None, int]
T = TypeVar("T", str, int, tuple[str, str], Person)


class _Table(Generic[T]):
    """The distinct values of a column in order of appearance; code 0 stands for none, code 1 for the first."""

    def __init__(self, values: Iterable[T]) -> None:
        self._code: dict[T, int] = {value: code for code, value in enumerate(dict.fromkeys(values), start=1)}
        self.items: list[T] = list(self._code)

    def codes(self, column: Iterable[T | None]) -> bytes:
        """The column as codes."""
        codes = [self._code[value] if value is not None else 0 for value in column]
        return struct.pack(f"<{len(codes)}{_code_format(len(self.items))}", *codes)


def _code_format(values: int) -> str:
    return "B" if values < _ONE_BYTE_CODES else "H"


def _table_person(entry: Entry) -> Person | None:
    person = (entry.person, entry.label, entry.flags)
    return None if person == (None, None, 0) else person


def short(person: str | None, uuids: list[bytes]) -> str | None:
    """A person as tables hold it; a UUID goes to `uuids`, and leaves the characters before it."""
    if person is None:
        return None
    start = 2 if person.startswith(NOT_COUNTED) else 1
    if not _UUID.fullmatch(person, start):
        return person
    uuids.append(bytes.fromhex(person[start:].replace("-", "")))
    return person[:start]


def long(person: str | None, uuids: Iterator[str]) -> str | None:
    """The person that `short` was given."""
    if person is None or len(person.removeprefix(NOT_COUNTED)) > 1:
        return person
    return person + _dashed(next(uuids))


def _dashed(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _origin(day: date) -> int:
    return millis(datetime.combine(day - DAY, time.min, UTC))


def _hash64(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")
