"""Limits how fast messages are published."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class RateLimit:
    """At most a number of messages a second.

    SNS disables an email subscription that gets more than 10 messages in a second, and deletes it two days later unless
    it is confirmed again. SNS itself accepts messages much faster than that.
    """

    def __init__(
        self,
        per_second: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Set the limit.

        Args:
            per_second: messages a second, at least 1.
            clock: gives seconds since any fixed instant.
            wait: waits a number of seconds.
        """
        self.per_second = per_second
        self._clock = clock
        self._wait = wait
        self._free_at = clock()

    def take(self, messages: int) -> None:
        """Wait until these messages may follow those taken before.

        Args:
            messages: their number, at most `per_second`.
        """
        early = self._free_at - self._clock()
        if early > 0:
            self._wait(early)
        self._free_at = max(self._free_at, self._clock()) + messages / self.per_second
