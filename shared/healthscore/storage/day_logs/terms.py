"""What all commits to day logs of a request, or of a night, have in common."""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.identity.counting import EVERYBODY_COUNTS
from healthscore.core.identity.merges import NO_MERGES
from healthscore.storage.accounts.merges import known
from healthscore.storage.day_logs.log_items import expiry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import date, datetime

    from healthscore.core.identity.counting import NotCounted
    from healthscore.core.identity.merges import Merges
    from healthscore.settings import Settings


class Terms(NamedTuple):
    """What all commits of a request have in common."""

    milestones: Collection[str]
    retention_days: int
    now: datetime
    time_left: Callable[[], float]
    not_counted: NotCounted = EVERYBODY_COUNTS
    merges: Merges = NO_MERGES
    sleep: Callable[[float], None] = time.sleep

    def expires(self, day: date) -> int:
        """When the log of a day may be deleted, in seconds since the Unix epoch."""
        return expiry(day, self.retention_days)

    @classmethod
    def of(cls, settings: Settings, now: datetime, time_left: Callable[[], float] = lambda: inf) -> Terms:
        """The terms of a request, or of a night: its settings, when it came in, and the seconds that are left.

        The merges of accounts are those that this process knows.
        """
        not_counted, merges = settings.identity.not_counted, known.at_hand()
        return cls(settings.milestones, settings.retention_days, now, time_left, not_counted, merges)
