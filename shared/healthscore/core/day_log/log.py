"""The day log: everything one account did on one day, exactly once, for the price of a plain put.

One item per account and day, the *head*, is the unit of consistency (a hot day has several: see `core.lanes`). It holds
the day's roll-up and the log that proves it: the *tail* of recent entries, and a pointer to the last *segment*, an
immutable item into which an earlier tail was sealed. Each segment names the one before it, so the head's one pointer
stands for the whole sealed part.

A write reads the head (and the segments it has not seen), drops the entries that are already there, and puts the head
anew on condition that nobody else did meanwhile. That put is the commit: before it nothing has changed, a segment that
no head leads to does not count, and a writer that lost the race starts again from what is there now. The roll-up is
always the fold of the whole log and never a running delta, so order, repetition and the way events were split into
batches cannot change it.

This module is the pure part: what to write for given events. `healthscore.storage.day_logs` does the reading and
writing. The rules of counting are scoring rules 4, 6, 7 and 11.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from healthscore.core.day_log import codec
from healthscore.core.day_log.id_set import Seen
from healthscore.core.day_log.rollup import Fold, encode_rollup
from healthscore.core.day_log.shards import NO_LOAD, Load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from healthscore.core.day_log.codec import Entry

HEAD_BYTES = 1024
"""A head is kept within one write unit of DynamoDB: a tail that would push it further is sealed."""
NO_TOKEN = bytes(8)
"""Stands for "no segment before this one"."""

_HEAD = struct.Struct("<BBIII8s")
_SEGMENT = struct.Struct("<B8s")
_FORMAT = 1


class Sealed:
    """The sealed part of a day's log, up to and including one segment, folded. Never changed once made.

    It depends only on immutable segments, so a warm process may keep it and never read those segments again.
    """

    __slots__ = ("fold", "seen", "segments", "token")

    def __init__(self, segments: int, token: bytes, seen: Seen, fold: Fold) -> None:
        self.segments = segments
        self.token = token
        self.seen = seen
        self.fold = fold

    def then(self, more: Sequence[tuple[bytes, Sequence[Entry]]]) -> Sealed:
        """The sealed part with more segments behind it, given by token and entries; all at once, for it is a copy."""
        if not more:
            return self
        fold = self.fold.copy()
        for _, entries in more:
            fold.add(entries)
        seen = self.seen.plus(entry.id for _, entries in more for entry in entries)
        return Sealed(self.segments + len(more), more[-1][0], seen, fold)


NOTHING_SEALED = Sealed(0, NO_TOKEN, Seen(), Fold())


@dataclass(frozen=True, slots=True)
class Head:
    """The log part of a head item."""

    segments: int = 0
    token: bytes = NO_TOKEN
    """The last segment's token."""
    tail: tuple[Entry, ...] = ()
    lanes: int = 1
    """Into how many lanes the day is split: fixed by the head of lane 0, repeated in the others."""
    load: Load = NO_LOAD
    """The batches that this head was written for, in a day of several lanes each counted in one of them. A measure for
    the next day's lanes, not a figure: a batch that is committed in two parts may be counted twice."""


EMPTY_HEAD = Head()


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment to be written before the head that leads to it."""

    position: int
    token: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Append:
    """What one commit has to write: first the segments, if any, then the head."""

    fresh: tuple[Entry, ...]
    """The entries that were not in the log before."""
    segments: tuple[Segment, ...]
    log: bytes
    rollup: str
    sealed: Sealed
    """The sealed part once this is committed."""


def append(
    day: date,
    sealed: Sealed,
    head: Head,
    entries: Iterable[Entry],
    overhead: int,
    *,
    salt: bytes,
    load: Load = NO_LOAD,
) -> Append | None:
    """Work out the commit that adds entries to a day's log.

    Args:
        day: the day that the log is of.
        sealed: the log's sealed part, to which the head leads.
        head: the head as it stands.
        entries: what to add; entries whose id is in the log, or came earlier in `entries`, are dropped.
        overhead: bytes of the head item beside its log and roll-up (keys, version, attribute names).
        salt: what makes the tokens of this commit's segments unlike those of any other, even one of the same entries:
            a day that was deleted and begun anew must not lead to a segment that its deletion is about to remove.
        load: what this commit adds to the head's load.

    Returns:
        What to write, or None where every entry is in the log already.
    """
    known = {entry.id for entry in head.tail}
    fresh: dict[int, Entry] = {}
    for entry in entries:
        if entry.id not in sealed.seen and entry.id not in known:
            fresh.setdefault(entry.id, entry)
    if not fresh:
        return None
    unsealed = sorted((*head.tail, *fresh.values()))
    rollup = encode_rollup(sealed.fold.copy().add(unsealed).rollup(day))
    room = HEAD_BYTES - overhead - len(rollup.encode())
    ids_fit = 8 * len(unsealed) < room
    load = head.load.plus(load)
    whole = Head(sealed.segments, sealed.token, tuple(unsealed), head.lanes, load)
    log = encode_head(day, whole) if ids_fit else None
    segments: list[Segment] = []
    if log is None or len(log) > room:
        more, token = [], sealed.token
        for start in range(0, len(unsealed), codec.MAX_ENTRIES):
            chunk = unsealed[start : start + codec.MAX_ENTRIES]
            data = _SEGMENT.pack(_FORMAT, token) + codec.pack(day, chunk)
            token = blake2b(data, digest_size=8, key=salt).digest()
            more.append((token, chunk))
            segments.append(Segment(sealed.segments + len(more), token, data))
        sealed = sealed.then(more)
        log = encode_head(day, Head(sealed.segments, sealed.token, (), head.lanes, load))
    return Append(tuple(fresh.values()), tuple(segments), log, rollup, sealed)


def encode_head(day: date, head: Head) -> bytes:
    """The log of a head item."""
    tail = codec.pack(day, head.tail) if head.tail else b""
    return _HEAD.pack(_FORMAT, head.lanes, *head.load, head.segments, head.token) + tail


def decode_head(day: date, log: bytes) -> Head:
    """Read the log of a head item."""
    format_, lanes, batches, spread, segments, token = _HEAD.unpack_from(log)
    _known(format_)
    tail = log[_HEAD.size :]
    return Head(segments, token, tuple(codec.unpack(day, tail)) if tail else (), lanes, Load(batches, spread))


def resolve(day: date, head: Head, known: Sealed, segments: Mapping[bytes, bytes]) -> Sealed:
    """The sealed part that a head leads to.

    Args:
        day: the day that the log is of.
        head: where to start.
        known: a sealed part of the same log that was resolved before, or `NOTHING_SEALED`.
        segments: data of the segments that were read, by token; those that the head does not lead to are ignored.

    Raises:
        MissingSegmentError: the way back from the head reaches a segment that is neither known nor among `segments`.
    """
    way: list[tuple[bytes, list[Entry]]] = []
    token = head.token
    while token not in (known.token, NO_TOKEN):
        previous, entries = _decode_segment(day, token, segments)
        way.append((token, entries))
        token = previous
    return (known if token == known.token else NOTHING_SEALED).then(way[::-1])


class MissingSegmentError(Exception):
    """A head leads to a segment that was not read."""


def way_back(day: date, head: Head, segments: Mapping[bytes, bytes]) -> Iterator[tuple[int, bytes, list[Entry]]]:
    """Position, token and entries of every segment that a head leads to, last one first.

    Raises:
        MissingSegmentError: a segment on the way is not among `segments`.
    """
    position, token = head.segments, head.token
    while token != NO_TOKEN:
        previous, entries = _decode_segment(day, token, segments)
        yield position, token, entries
        position, token = position - 1, previous


def _decode_segment(day: date, token: bytes, segments: Mapping[bytes, bytes]) -> tuple[bytes, list[Entry]]:
    data = segments.get(token)
    if data is None:
        raise MissingSegmentError(f"segment {token.hex()} of {day}")
    return decode_segment(day, data)


def decode_segment(day: date, data: bytes) -> tuple[bytes, list[Entry]]:
    """The token of the segment before one, and its entries."""
    format_, previous = _SEGMENT.unpack_from(data)
    _known(format_)
    return previous, codec.unpack(day, data[_SEGMENT.size :])


def _known(format_: int) -> None:
    if format_ != _FORMAT:
        raise ValueError(f"event log of format {format_}; this version reads format {_FORMAT}")
