"""The dataset of a night: the files that its end makes of what its workers have left (rules D4 to D6).

A dataset that could not be made fails no night: the book stays as of the night before, and the next run, or the task
`dataset` alone, makes it up.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from healthscore.core.time import day_of
from healthscore.dataset import erasing, night_figures, writing
from healthscore.dataset.staging import Staging, Worker
from healthscore.dataset.writing import Night, NotStagedError
from healthscore.services.nightly.plan import planned_run
from healthscore.storage import workspace
from healthscore.storage.accounts import account_item, accounts, changed
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.nights import manifests
from healthscore.storage.runs import earlier_summary, runs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime

    from aws_lambda_powertools import Logger

    from healthscore.core.dataset.manifest import Manifest
    from healthscore.services.nightly.plan import Run


MANY_CHANGES = 5_000
"""The book lays what has changed over the newest night; beyond so many accounts, a new one is made of them."""


class DatasetError(Exception):
    """The dataset of a night could not be made; the book is as of the night before."""


class Invocation(NamedTuple):
    """How much time there is."""

    now: datetime
    """When it began, aware."""
    until: datetime
    """When it ends at the latest, aware."""
    keep_going: Callable[[], bool]
    """Asked before each step; False leaves the rest to another invocation."""

    @classmethod
    def of(cls, now: datetime, context: Any, keep_going: Callable[[], bool]) -> Invocation:  # noqa: ANN401  (Lambda's)
        """An invocation that began at `now`, by Lambda's context."""
        return cls(now, now + timedelta(milliseconds=context.get_remaining_time_in_millis()), keep_going)


def publish_task(task: Mapping[str, Any], invocation: Invocation) -> dict[str, Any]:
    """Do the state machine's task before the last: make a run's rows the dataset of its night, and tidy up.

    Args:
        task: `run` and `segments`, the number of parts, as of `plan_scan_parts`.
        invocation: the time that there is.

    Returns:
        `rows`, the number of accounts in it.

    Raises:
        DatasetError: rows are missing: a part could not be processed to its end, or its rows could not be stored.
        StorageUnavailableError: not made, or not known to be; the same task goes on.
    """
    run, execution = planned_run(task["run"]), task["run"]["execution"]
    workers, done = [], set()
    for part, chunk, totals in runs.worker_results(execution):
        workers.append(Worker(execution, part, chunk))
        if totals.complete:
            done.add(part)
    if len(done) < task["segments"]:
        writing.discard(execution)
        raise DatasetError(f"{task['segments'] - len(done)} of {task['segments']} parts are missing")
    manifest = _publish(Night(run.day, run.as_of), workers, invocation)
    _tidy(run.day, invocation)
    return {"rows": manifest.rows}


def publish_alone(run: Run, staging: Staging, invocation: Invocation, logger: Logger) -> bool:
    """Make the rows of a run that one worker did alone the dataset of its night, and tidy up, if possible.

    Args:
        run: the run; it is complete.
        staging: the worker's rows.
        invocation: the time that there is.
        logger: gets what goes wrong.

    Returns:
        Whether it is made.
    """
    if not invocation.keep_going():
        return False
    try:
        staging.leave()
        _publish(Night(run.day, run.as_of), [staging.worker], invocation)
    except (DatasetError, StorageUnavailableError):
        logger.exception("the dataset could not be made")
        return False
    try:
        _tidy(run.day, invocation)
    except StorageUnavailableError:
        logger.exception("the dataset could not be tidied up; the next night does it")
    return True


def publish_as_it_stands(execution: str, invocation: Invocation) -> dict[str, Any]:
    """Make the dataset of today from the accounts as they stand, without scoring any, and tidy up.

    Args:
        execution: names this run, unlike any other.
        invocation: the time that there is.

    Returns:
        `night`, the day in the workspace's time zone, and `rows`, the number of accounts.

    Raises:
        DatasetError: there was not enough time.
        StorageUnavailableError: not made, or not known to be; the same call may be made again.
    """
    settings = workspace.settings().settings
    day, attributes = day_of(invocation.now, settings.zone), settings.dataset.attributes
    worker = Worker(f"{day}-{execution}", 0, 0)
    staging = Staging(worker, day, invocation.now, invocation.now, attributes=attributes)
    for account in accounts.scan(0, 1, None):
        if not invocation.keep_going():
            raise DatasetError("there was not enough time for all accounts")
        if not isinstance(account, account_item.Unreadable) and not account.erasing and account.into is None:
            staging.add(account, account.latest)
    staging.leave()
    manifest = _publish(Night(day, invocation.now), [staging.worker], invocation)
    _tidy(day, invocation)
    return {"night": day.isoformat(), "rows": manifest.rows}


def publish_if_due(execution: str, invocation: Invocation, logger: Logger) -> bool:
    """Make the dataset of today anew where much has changed since the newest night, or where there is none yet.

    Args:
        execution: names this run, unlike any other.
        invocation: the time that there is.
        logger: gets what goes wrong: the next call tries again.

    Returns:
        Whether it is made.
    """
    try:
        if not _is_due():
            return False
        publish_as_it_stands(execution, invocation)
    except (DatasetError, StorageUnavailableError):
        logger.exception("the dataset could not be made anew")
        return False
    return True


def _is_due() -> bool:
    newest = manifests.newest()
    if newest is None:
        return next(accounts.scan(0, 1), None) is not None
    return changed.more_than(MANY_CHANGES, newest.as_of)


def _publish(night: Night, workers: Sequence[Worker], invocation: Invocation) -> Manifest:
    try:
        return writing.publish(workers[0].run, workers, night, invocation.now, invocation.until)
    except NotStagedError as missing:
        writing.discard(workers[0].run)
        raise DatasetError(f"{missing} is missing") from None


def _tidy(today: date, invocation: Invocation) -> None:
    """Delete nights that are over and what writers left who died, go on with erasures, and make figures of nights."""
    first = today - timedelta(days=int(os.environ["DATASET_DAYS"]))
    writing.sweep(first, invocation.now, invocation.until)
    erasing.erase_pending(invocation.now, invocation.until, invocation.keep_going)
    night_figures.bring_up_to_date(today, invocation.keep_going)
    newest = manifests.newest()
    if newest is not None and newest.summary is not None:
        earlier_summary.delete()


def is_published(day: date, execution: str) -> bool:
    """Whether the dataset of a night is the one of a run.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    manifest = manifests.of_night(day)
    return manifest is not None and manifest.run == execution
