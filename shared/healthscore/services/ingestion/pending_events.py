"""Reassigns pending events whose account is known.

The request that records a membership moves the person's events itself, and so does the person's next `group` call. This
covers a process that crashed between the two, for people who make no further call.
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

MAX_PEOPLE = 500
"""People whose events one night moves at most; the others are left to the next one."""


def sweep(settings: Settings, now: datetime, *, keep_going: Callable[[], bool], logger: Logger) -> dict[str, int]:
    """Move the events of people with a pending move, `MAX_PEOPLE` at most.

    No failure is raised: the night goes on without these events, and the next one tries again.

    Args:
        settings: the workspace's settings.
        now: the instant of the call.
        keep_going: asked before each person; False leaves the rest to the next night.
        logger: logs failures, without ids.

    Returns:
        How many pending moves were made (`moved`), and how many were not (`failed`). A person may have several.
    """
    tracker = Tracker(settings, now, lambda: 1.0 if keep_going() else 0.0)
    counts = {"moved": 0, "failed": 0}
    try:
        for person, move in pending_moves.all_moves():
            if counts["moved"] + counts["failed"] >= MAX_PEOPLE or not keep_going():
                break
            counts[_reassign(tracker, person, move, logger)] += 1
    except StorageUnavailableError as error:
        logger.warning("pending moves could not be read", error=type(error).__name__)
    return counts


def _reassign(tracker: Tracker, person: str, move: pending_moves.PendingMove, logger: Logger) -> str:
    try:
        tracker.reassign(person)
        pending_moves.delete(move)
    except StorageUnavailableError as error:
        logger.warning("pending events could not be moved", error=type(error).__name__)
        return "failed"
    return "moved"
