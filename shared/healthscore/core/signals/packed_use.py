"""An account's use as bytes, in two parts: its days, which change on every active day, and the sums of its weeks.

    1 byte   format
    deflated:
      4 bytes  length of the tables, then the tables as JSON
      columns  the weeks of sets of days, one byte each
    raw, of the days alone (bytes that are as good as random, and do not deflate):
      8 bytes  the definitions
      4·v      the versions of logs
      16·u     those of the people's ids that are UUIDs

The same use is the same bytes.
"""

from __future__ import annotations

import json
import struct
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from healthscore.core.day_log.codec import long, short
from healthscore.core.model import MICROS
from healthscore.core.signals import day_bits
from healthscore.core.signals.use import Progress, Use

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_FORMAT = 1
_WINDOW, _MEMORY = -12, 5
"""As for stored scores: of 4 KB, without header and checksum, and with as much memory as such texts need."""
_LENGTH = struct.Struct("<I")
_DEFINITIONS = struct.Struct("<Q")
_UUID_BYTES = 16


def pack_days(use: Use) -> bytes:
    """The days of a use, with its people and all that says how far it is folded."""
    first, any_days = day_bits.in_weeks(use.any_days)
    contacts_first, contacts = day_bits.in_weeks(use.contacts)
    uuids: list[bytes] = []
    people = [short(person, uuids) for person in use.people]
    of_people, of_features = (_in_weeks(sets.values()) for sets in (use.people, use.recent_features))
    days = list(use.versions)
    tables = [
        [first, len(any_days), contacts_first, len(contacts)],
        use.progress,
        days[:1] + [later - earlier for earlier, later in pairwise(days)],
        [people, *of_people[:2]],
        [list(use.recent_features), *of_features[:2]],
    ]
    differences = (use.any_days ^ use.people_days, use.people_days ^ use.by_hand_days)
    columns = [any_days, *(_aligned(of, first, len(any_days)) for of in differences), contacts]
    raw = [_DEFINITIONS.pack(use.definitions), struct.pack(f"<{len(days)}I", *use.versions.values()), *uuids]
    return _packed(tables, [*columns, of_people[2], of_features[2]]) + b"".join(raw)


def pack_weeks(use: Use) -> bytes:
    """The sums of the finished weeks of a use, with features and tickets."""
    weeks = list(use.weeks)
    sums = {key: _column(use, key) for key in sorted({key for sums in use.weeks.values() for key in sums})}
    of_features = _in_weeks(use.features.values())
    tables = [
        weeks[:1] + [later - earlier for earlier, later in pairwise(weeks)],
        sums,
        list(use.tickets.items()),
        [list(use.features), *of_features[:2]],
    ]
    return _packed(tables, [of_features[2]])


def unpack(days: bytes | None, weeks: bytes | None) -> Use:
    """The use that both parts were made of; of a part that is not there, nothing.

    Raises:
        ValueError: it is not what this version writes.
    """
    return Use(**(_days(days) if days is not None else {}), **(_weeks(weeks) if weeks is not None else {}))


def _days(data: bytes) -> dict[str, Any]:
    (spans, progress, gaps, people, features), columns, raw = _unpacked(data)
    first, length, contacts_first, contacts_length = spans
    any_days, not_people, not_by_hand = (
        day_bits.from_weeks(first, columns[length * at : length * (at + 1)]) for at in range(3)
    )
    at = 3 * length
    contacts = day_bits.from_weeks(contacts_first, columns[at : at + contacts_length])
    at += contacts_length
    versions = struct.unpack_from(f"<{len(gaps)}I", raw, _DEFINITIONS.size)
    uuids = _uuids(raw, _DEFINITIONS.size + 4 * len(gaps))
    names = [long(person, uuids) for person in people[0]]
    of_people, at = _sets(people[1:], columns, at)
    of_features, at = _sets(features[1:], columns, at)
    return {
        "any_days": any_days,
        "people_days": any_days ^ not_people,
        "by_hand_days": any_days ^ not_people ^ not_by_hand,
        "people": dict(zip(names, of_people, strict=True)),
        "recent_features": dict(zip(features[0], of_features, strict=True)),
        "contacts": contacts,
        "versions": dict(zip(_added_up(gaps), versions, strict=True)),
        "definitions": _DEFINITIONS.unpack_from(raw)[0],
        "progress": Progress(*progress),
    }


def _weeks(data: bytes) -> dict[str, Any]:
    (gaps, sums, tickets, features), columns, _ = _unpacked(data)
    weeks: dict[int, dict[str, int]] = {week: {} for week in _added_up(gaps)}
    for key, (unit, values) in sums.items():
        for of_week, value in zip(weeks.values(), values, strict=True):
            if value:
                of_week[key] = unit * value
    of_features, _ = _sets(features[1:], columns, 0)
    return {
        "weeks": weeks,
        "features": dict(zip(features[0], of_features, strict=True)),
        "tickets": dict(tickets),
    }


def _column(use: Use, key: str) -> tuple[int, list[int]]:
    """A signal's sums by week, and the unit in which they are: most values are whole."""
    values = [sums.get(key, 0) for sums in use.weeks.values()]
    unit = 1 if any(value % MICROS for value in values) else MICROS
    return unit, [value // unit for value in values]


def _in_weeks(sets: Iterable[int]) -> tuple[list[int], list[int], bytes]:
    """Sets of days: the first week of each, relative to the one before, how many bytes each has, and the bytes."""
    parts = [day_bits.in_weeks(of) for of in sets]
    firsts = [first for first, _ in parts]
    gaps = [first - before for before, first in pairwise([0, *firsts])]
    return gaps, [len(data) for _, data in parts], b"".join(data for _, data in parts)


def _sets(spans: Sequence[Sequence[int]], columns: bytes, at: int) -> tuple[list[int], int]:
    """The sets that `_in_weeks` was given, and where their bytes end."""
    gaps, lengths = spans
    sets = []
    for first, length in zip(_added_up(gaps), lengths, strict=True):
        sets.append(day_bits.from_weeks(first, columns[at : at + length]))
        at += length
    return sets, at


def _aligned(of: int, first: int, length: int) -> bytes:
    """The bytes of a set that lies within so many weeks from one on."""
    own_first, data = day_bits.in_weeks(of)
    return (bytes(own_first - first) + data).ljust(length, b"\0") if data else bytes(length)


def _added_up(gaps: Iterable[int]) -> list[int]:
    total, found = 0, []
    for gap in gaps:
        total += gap
        found.append(total)
    return found


def _uuids(raw: bytes, at: int) -> Iterator[str]:
    return iter([raw[start : start + _UUID_BYTES].hex() for start in range(at, len(raw), _UUID_BYTES)])


def _packed(tables: Sequence[object], columns: Iterable[bytes]) -> bytes:
    text = json.dumps(tables, ensure_ascii=False, separators=(",", ":")).encode()
    deflate = zlib.compressobj(wbits=_WINDOW, memLevel=_MEMORY)
    body = b"".join((_LENGTH.pack(len(text)), text, *columns))
    return bytes((_FORMAT,)) + deflate.compress(body) + deflate.flush()


def _unpacked(data: bytes) -> tuple[list[Any], bytes, bytes]:
    """Tables, columns, and what is behind what was deflated."""
    if data[:1] != bytes((_FORMAT,)):
        raise ValueError("an account's use in a format that this version does not know")
    inflate = zlib.decompressobj(wbits=_WINDOW)
    try:
        body = inflate.decompress(data[1:]) + inflate.flush()
    except zlib.error as error:
        raise ValueError("an account's use cannot be unpacked") from error
    if not inflate.eof:
        raise ValueError("an account's use is cut off")
    end = _LENGTH.size + _LENGTH.unpack_from(body)[0]
    return json.loads(body[_LENGTH.size : end]), body[end:], inflate.unused_data
