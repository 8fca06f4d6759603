"""Moves events that wait although it is known where they belong: whoever learned it died before moving them.

The next `group` call of the same person would do it as well; this is for people who never come again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.services.ingestion.identity import Tracker
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.people import pending_moves

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aws_lambda_powertools import Logger

    from healthscore.settings import Settings

MOST = 500
"""People a night, at most; the others are left to the next one."""


def sweep(settings: Settings, now: datetime, *, keep_going: Callable[[], bool], logger: Logger) -> dict[str, int]:
    """Move the events of people who are noted, some hundreds at most.

    No failure is raised: the night goes on without these events, and the next one tries again.

    Args:
        settings: the workspace's settings.
        now: the instant of the call.
        keep_going: asked before each person; False leaves the rest to the next night.
        logger: told of failures, without ids.

    Returns:
        How many people's events were `moved`, and how many notes could not be worked on: `failed`. A person may be
        noted twice.
    """
    tracker = Tracker(settings, now, lambda: 1.0 if keep_going() else 0.0)
    counts = {"moved": 0, "failed": 0}
    try:
        for person, note in pending_moves.noted():
            if counts["moved"] + counts["failed"] >= MOST or not keep_going():
                break
            counts[_move(tracker, person, note, logger)] += 1
    except StorageUnavailableError as error:
        logger.warning("people whose events wait could not be read", error=type(error).__name__)
    return counts


def _move(tracker: Tracker, person: str, note: pending_moves.Note, logger: Logger) -> str:
    try:
        tracker.reassign(person)
        pending_moves.strike(note)
    except StorageUnavailableError as error:
        logger.warning("waiting events could not be moved", error=type(error).__name__)
        return "failed"
    return "moved"
