"""How much of what a key may send in a day is used up (table Activity).

pk k#hash of the key#2026-11-30, sk events or accounts: a count, which expires

A process takes a part of the day at a time and uses that up by itself, so that not every request pays for a write.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from healthscore import process
from healthscore.storage import codec, conditions, schema, writes
from healthscore.storage.errors import ConditionFailedError

if TYPE_CHECKING:
    from datetime import date

_PARTS, _LARGEST_PART = 1000, 1000
_USED = "used"
_KEPT = timedelta(days=3)


class Allowances:
    """What this process has taken of each key's day, and not used yet; and what it knows to be used up at least."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, str], int] = {}
        self._used: dict[tuple[str, str], int] = {}
        self._day: date | None = None
        self._lock = Lock()
        process.remember(self)

    def take(self, key_hash: str, day: date, what: str, count: int, limit: int) -> bool:
        """Use a part of a key's day up; answers whether there was as much left.

        Args:
            key_hash: of the key.
            day: in UTC.
            what: what is counted.
            count: how much of it.
            limit: how much there is in a day.

        Raises:
            StorageUnavailableError: it is not known whether it was taken; some of the day may be lost.
        """
        if not count:
            return True
        with self._lock:
            if day != self._day:
                self._day, self._left, self._used = day, {}, {}
            missing = count - self._left.get((key_hash, what), 0)
            if missing > 0:
                if limit - missing < self._used.get((key_hash, what), 0):
                    return False  # known from before: a flood costs no write each
                taken = max(missing, min(limit // _PARTS, _LARGEST_PART))
                if not _take(key_hash, day, what, taken, limit - missing):
                    self._used[key_hash, what] = limit - missing + 1
                    return False
                self._left[key_hash, what] = self._left.get((key_hash, what), 0) + taken
            self._left[key_hash, what] -= count
            return True

    def take_some(self, key_hash: str, day: date, what: str, count: int, limit: int) -> int:
        """Use up as much of a part of a key's day as there is left, by few writes; answers how much.

        Takes and raises as `take` does.
        """
        taken, step = 0, count
        while step:
            if self.take(key_hash, day, what, step, limit):
                taken += step
                step = min(step, count - taken)
            else:
                step //= 2
        return taken

    def forget(self) -> None:
        """Give up what is left."""
        self._left, self._used = {}, {}


def _take(key_hash: str, day: date, what: str, count: int, most_used: int) -> bool:
    if most_used < 0:
        return False
    expires = datetime.combine(day, time.min, UTC) + _KEPT
    update = writes.update(
        schema.activity_table(),
        codec.key(schema.allowance_pk(key_hash, day), what),
        conditions.any_of(conditions.absent(_USED), conditions.at_most(_USED, codec.number(most_used))),
        adds={_USED: codec.number(count)},
        defaults={"ttl": codec.number(int(expires.timestamp()))},
    )
    try:
        writes.apply(update)
    except ConditionFailedError:
        return False
    return True


allowances = Allowances()
"""Those of this process."""
