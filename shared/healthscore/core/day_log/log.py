"""The day log: everything one account did on one day, exactly once, for the price of a plain put.

One item per account and day, the *head*, is the unit of consistency (a hot day has several: see
`core.day_log.shards`). It holds the day's roll-up and the log that proves it: the *tail* of recent entries, and a
pointer to the last *block*, an immutable item into which an earlier tail was sealed. Each block names the one before
it, so the head's one pointer leads to the whole sealed part.

A write reads the head (and the blocks that this process has not read), drops the entries that are already there, and
puts a new head on condition that the head is unchanged. That put is the commit: before it nothing has changed, and a
block that no head leads to does not count. A writer whose put fails its condition starts again from what is there then.
The roll-up is always the fold of the whole log and never a running delta, so order, repetition and the split of events
into batches cannot change it.

This module is the pure part: what to write for given events. `healthscore.storage.day_logs` does the reading and
writing. The rules of counting are scoring rules 4, 6, 7 and 11.
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.day_log import codec
from healthscore.core.day_log.id_set import IdSet
from healthscore.core.day_log.rollup import Fold, encode_rollup, note_label
from healthscore.core.day_log.shards import NO_LOAD, WriteLoad

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from healthscore.core.day_log.codec import Entry

HEAD_BYTES = 1024
"""A head is kept within one write unit of DynamoDB: a tail that would make it larger is sealed."""
BLOCK_BYTES = 200 * 1024
"""A block is kept well below the 400 KB of an item: 250 entries with the longest ids and names may be larger."""
NO_TOKEN = bytes(8)
"""Stands for "no block before this one"."""

_HEAD = struct.Struct("<BBIII8s")
_BLOCK = struct.Struct("<B8s")
_FORMAT = 1


class Sealed:
    """The sealed part of a day's log, up to and including one block, folded. Never changed once made.

    It depends only on immutable blocks, so a warm process may keep it and need not read those blocks again.
    """

    __slots__ = ("blocks", "fold", "seen", "token")

    def __init__(self, blocks: int, token: bytes, seen: IdSet, fold: Fold) -> None:
        self.blocks = blocks
        self.token = token
        self.seen = seen
        self.fold = fold

    def then(self, more: Sequence[tuple[bytes, Sequence[Entry]]]) -> Sealed:
        """The sealed part with more blocks at its end, given by token and entries; all in one call, since it copies."""
        if not more:
            return self
        fold = self.fold.copy()
        for _, entries in more:
            fold.add(entries)
        seen = self.seen.plus(entry.id for _, entries in more for entry in entries)
        return Sealed(self.blocks + len(more), more[-1][0], seen, fold)


NOTHING_SEALED = Sealed(0, NO_TOKEN, IdSet(), Fold())


class Head(NamedTuple):
    """The log part of a head item."""

    blocks: int = 0
    token: bytes = NO_TOKEN
    """The last block's token."""
    tail: tuple[Entry, ...] = ()
    shards: int = 1
    """Into how many shards the day is split: fixed by the head of shard 0, repeated in the others."""
    load: WriteLoad = NO_LOAD
    """The batches committed to this head; a batch that spans several shards is counted in one of them. It decides how
    many shards the next day gets, and is approximate: a batch that is committed in two parts may be counted twice."""


EMPTY_HEAD = Head()


class Block(NamedTuple):
    """A block to be written before the head that leads to it."""

    position: int
    token: bytes
    data: bytes


class Append(NamedTuple):
    """What one commit has to write: first the blocks, if any, then the head."""

    fresh: tuple[Entry, ...]
    """The entries that were not in the log before."""
    blocks: tuple[Block, ...]
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
    load: WriteLoad = NO_LOAD,
) -> Append | None:
    """Work out the commit that adds entries to a day's log.

    Args:
        day: the day that the log is of.
        sealed: the log's sealed part, to which the head leads.
        head: the present head.
        entries: what to add, in any order; entries whose id is in the log, or came earlier in `entries`, are dropped.
        overhead: bytes of the head item beside its log and roll-up (keys, version, attribute names).
        salt: random bytes, so that the tokens of this commit's blocks differ from those of any other, even of the same
            entries: a day that was deleted and created again must not lead to a block that its deletion is about to
            remove.
        load: what this commit adds to the head's load.

    Returns:
        What to write, or None where every entry is in the log already. The new entries go into the head; where that
        would outgrow `HEAD_BYTES`, all unsealed entries are sealed into blocks instead.
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
    whole = Head(sealed.blocks, sealed.token, tuple(unsealed), head.shards, load)
    log = encode_head(day, whole) if ids_fit else None
    blocks: list[Block] = []
    if log is None or len(log) > room:
        more, token = [], sealed.token
        for chunk, packed in _packed(day, unsealed):
            data = _BLOCK.pack(_FORMAT, token) + packed
            token = blake2b(data, digest_size=8, key=salt).digest()
            more.append((token, chunk))
            blocks.append(Block(sealed.blocks + len(more), token, data))
        sealed = sealed.then(more)
        log = encode_head(day, Head(sealed.blocks, sealed.token, (), head.shards, load))
    return Append(tuple(fresh.values()), tuple(blocks), log, rollup, sealed)


def _packed(day: date, entries: Sequence[Entry]) -> Iterator[tuple[Sequence[Entry], bytes]]:
    """Entries as they go into blocks, and their bytes: `BLOCK_BYTES` at most, unless of a single one."""
    for start in range(0, len(entries), codec.MAX_ENTRIES):
        waiting = [entries[start : start + codec.MAX_ENTRIES]]
        while waiting:
            chunk = waiting.pop()
            packed = codec.pack(day, chunk)
            if len(packed) <= BLOCK_BYTES or len(chunk) == 1:
                yield chunk, packed
            else:
                half = len(chunk) // 2
                waiting += [chunk[half:], chunk[:half]]


def labels(sealed: Sealed, head: Head) -> dict[str, str | None]:
    """The labels that ids have all day, as far as a log tells."""
    found = sealed.fold.labels.copy()
    for entry in head.tail:
        note_label(found, entry)
    return found


def encode_head(day: date, head: Head) -> bytes:
    """The log of a head item."""
    tail = codec.pack(day, head.tail) if head.tail else b""
    return _HEAD.pack(_FORMAT, head.shards, *head.load, head.blocks, head.token) + tail


def decode_head(day: date, log: bytes) -> Head:
    """Read the log of a head item."""
    format_, shards, batches, spread, blocks, token = _HEAD.unpack_from(log)
    _known(format_)
    tail = log[_HEAD.size :]
    return Head(blocks, token, tuple(codec.unpack(day, tail)) if tail else (), shards, WriteLoad(batches, spread))


def resolve(day: date, head: Head, known: Sealed, blocks: Mapping[bytes, bytes], *, expired: bool = False) -> Sealed:
    """The sealed part that a head leads to.

    Args:
        day: the day that the log is of.
        head: where to start.
        known: a sealed part of the same log that was resolved before, or `NOTHING_SEALED`.
        blocks: data of the blocks that were read, by token; those that the head does not lead to are ignored.
        expired: whether blocks that are missing have expired. What is left of the log is all that there is then.

    Raises:
        MissingBlockError: the head leads to a block that is neither known nor among `blocks`.
    """
    unknown: list[tuple[bytes, list[Entry]]] = []
    token = head.token
    while token not in (known.token, NO_TOKEN):
        if expired and token not in blocks:
            left = NOTHING_SEALED.then(unknown[::-1])
            return Sealed(head.blocks, head.token, left.seen, left.fold)
        previous, entries = _read_block(day, token, blocks)
        unknown.append((token, entries))
        token = previous
    return (known if token == known.token else NOTHING_SEALED).then(unknown[::-1])


class MissingBlockError(Exception):
    """A head leads to a block that was not read."""


def walk_blocks(
    day: date, head: Head, blocks: Mapping[bytes, bytes], *, expired: bool = False
) -> Iterator[tuple[int, bytes, list[Entry]]]:
    """Position, token and entries of every block that a head leads to, last one first; `expired` as for `resolve`.

    Raises:
        MissingBlockError: one of these blocks is not among `blocks`.
    """
    position, token = head.blocks, head.token
    while token != NO_TOKEN and not (expired and token not in blocks):
        previous, entries = _read_block(day, token, blocks)
        yield position, token, entries
        position, token = position - 1, previous


def _read_block(day: date, token: bytes, blocks: Mapping[bytes, bytes]) -> tuple[bytes, list[Entry]]:
    data = blocks.get(token)
    if data is None:
        raise MissingBlockError(f"block {token.hex()} of {day}")
    return decode_block(day, data)


def decode_block(day: date, data: bytes) -> tuple[bytes, list[Entry]]:
    """The token of the block before one, and its entries."""
    format_, previous = _BLOCK.unpack_from(data)
    _known(format_)
    return previous, codec.unpack(day, data[_BLOCK.size :])


def _known(format_: int) -> None:
    if format_ != _FORMAT:
        raise ValueError(f"event log of format {format_}; this version reads format {_FORMAT}")
