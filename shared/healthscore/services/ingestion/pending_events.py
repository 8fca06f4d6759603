"""Settles the ids that requests have left: their people are known, and what they did may not count there yet.

The request that says who somebody is settles the ids itself, and so does the next call about any of them. This covers a
request that crashed or ran out of time, for people who make no further call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.services.ingestion.relations import Recorder
from healthscore.storage.accounts import merges
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.people import unsettled

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aws_lambda_powertools import Logger

    from healthscore.settings import Settings

MAX_PEOPLE = 500
"""Records whose ids one night settles at most; the others are left to the next one."""


def sweep(settings: Settings, now: datetime, *, keep_going: Callable[[], bool], logger: Logger) -> dict[str, int]:
    """Settle what the records of ids name, of `MAX_PEOPLE` records at most.

    No failure is raised: the night goes on without these events, and the next one tries again.

    Args:
        settings: the workspace's settings.
        now: the instant of the call.
        keep_going: asked all along, inside of people as well; False leaves the rest to the next night.
        logger: logs failures, without ids.

    Returns:
        Of how many records the ids are settled (`moved`), and of how many they are not (`failed`).
    """
    recorder = Recorder(settings, now, lambda: 1.0 if keep_going() else 0.0)
    counts = {"moved": 0, "failed": 0}
    try:
        for id_ in unsettled.all_ids():
            if sum(counts.values()) >= MAX_PEOPLE or not keep_going():
                break
            counts[_settle(recorder, id_, logger)] += 1
    except StorageUnavailableError as error:
        logger.warning("unsettled ids could not be read", error=type(error).__name__)
    return counts


def _settle(recorder: Recorder, id_: str, logger: Logger) -> str:
    try:
        merges.following(lambda: recorder.settle(id_))
    except Exception as error:  # noqa: BLE001  (whatever is wrong with one person stops no night)
        logger.warning("events could not be settled", error=type(error).__name__)
        return "failed"
    return "moved"
