"""Earlier trouble: what was the matter with an account before its first night here, when no change tells it.

After an import, nobody has been told of anything yet. So that night lists it once, and alerts no single account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.alerts.rules import last_seen
from healthscore.core.model import Band
from healthscore.core.scoring.standard import band
from healthscore.core.text import listed
from healthscore.core.time import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from healthscore.core.model import DailyScore, Snapshot

KNOWN_FOR = 7 * DAY
"""An account that began later than this before the night is new: its low score is a beginning, and no trouble."""


def trouble_before(
    current: Snapshot, recent: Sequence[DailyScore], known_since: datetime, silent_days: int
) -> str | None:
    """What was the matter with an account before its first night, in words; None where nothing was.

    Args:
        current: the night's snapshot.
        recent: earlier nights that were scored afterwards, oldest first.
        known_since: the account's first sign of life, aware.
        silent_days: after how many days without an event an account is silent.
    """
    if current.as_of - known_since < KNOWN_FOR:
        return None
    troubles, seen = [], last_seen(current)
    if seen is not None and current.as_of - seen >= silent_days * DAY:
        troubles.append(f"silent since {seen.date()}")
    if current.band is Band.CRITICAL:
        since = _critical_since(recent, current)
        troubles.append(f"critical since {since}" if since else "critical")
    return f"{listed(troubles)}: {current.score}" if troubles else None


def _critical_since(recent: Sequence[DailyScore], current: Snapshot) -> str | None:
    """The first of the nights in a row on which the account was critical; None where no earlier night was."""
    since = None
    for night in reversed([night for night in recent if night.day < current.day]):
        if band(night.score) is not Band.CRITICAL:
            break
        since = night.day.isoformat()
    return since
