"""Trying again what somebody else was faster with, or what a table could not take at once."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from healthscore.storage.errors import StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 6.0
"""Waited for one thing, in all. The clients of Segment and RudderStack give a request up after ten seconds and send it
again, whatever becomes of it; so an answer has to be out by then."""
_FIRST, _LONGEST = 0.02, 1.0


class Backoff:
    """Waits between attempts, each time a random part of a span that doubles (full jitter), and at last no more."""

    def __init__(self, vain: str, sleep: Callable[[float], None] | None = None) -> None:
        """Begin, before the first attempt.

        Args:
            vain: says in the error what was in vain.
            sleep: waits so many seconds.
        """
        self._vain = vain
        self._sleep = sleep
        self._span = _FIRST
        self._left = SECONDS

    def wait(self) -> None:
        """Wait after an attempt that failed.

        Raises:
            StorageUnavailableError: it has waited `SECONDS` in vain.
        """
        if self._left <= 0:
            raise StorageUnavailableError(self._vain)
        self._span = min(_LONGEST, 2 * self._span)
        pause = random.uniform(0, self._span)  # noqa: S311  (jitter)
        self._left -= pause
        (self._sleep or time.sleep)(pause)
