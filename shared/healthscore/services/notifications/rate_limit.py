"""How fast messages go out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Pace:
    """So many messages a second, and no more.

    SNS switches an email subscription off that gets more than 10 messages in a second, and forgets it two days later
    if nobody confirms it anew: so a night with much to tell must not be told as fast as SNS would take it.
    """

    def __init__(
        self,
        per_second: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Set the pace.

        Args:
            per_second: messages a second, at least 1.
            clock: tells seconds, from any beginning.
            wait: waits so many seconds.
        """
        self.per_second = per_second
        self._clock = clock
        self._wait = wait
        self._free_at = clock()

    def take(self, messages: int) -> None:
        """Wait until so many messages, at most those of a second, may follow those that were taken before."""
        early = self._free_at - self._clock()
        if early > 0:
            self._wait(early)
        self._free_at = max(self._free_at, self._clock()) + messages / self.per_second
