"""The sealed parts of day logs that a warm process has already read."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from healthscore import process
from healthscore.core.day_log.log import NOTHING_SEALED

if TYPE_CHECKING:
    from healthscore.core.day_log.log import Sealed
    from healthscore.storage.day_logs.items import LogKey

MAX_ENTRIES = 200_000
"""Log entries kept in all, about 100 bytes each; the least recently used logs go first."""


class SealedCache:
    """Keeps sealed parts by log. Segments never change: what is kept can be old, but never wrong."""

    def __init__(self, max_entries: int = MAX_ENTRIES) -> None:
        self._max_entries = max_entries
        self._parts: OrderedDict[LogKey, Sealed] = OrderedDict()
        self._entries = 0
        self._lock = Lock()
        process.remember(self)

    def get(self, key: LogKey) -> Sealed:
        """The part kept of a log, or `NOTHING_SEALED`."""
        with self._lock:
            part = self._parts.get(key)
            if part is None:
                return NOTHING_SEALED
            self._parts.move_to_end(key)
            return part

    def keep(self, key: LogKey, part: Sealed) -> None:
        """Keep a part, in place of the one kept of that log before."""
        if not part.segments:
            return
        with self._lock:
            before = self._parts.pop(key, NOTHING_SEALED)
            self._parts[key] = part
            self._entries += len(part.seen) - len(before.seen)
            while self._entries > self._max_entries:
                _, oldest = self._parts.popitem(last=False)
                self._entries -= len(oldest.seen)

    def forget(self) -> None:
        """Keep nothing any more."""
        with self._lock:
            self._parts.clear()
            self._entries = 0
