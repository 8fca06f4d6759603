"""Processes one part of the accounts of a night: each account by itself, and what they add up to.

A run may be killed at any moment and run again, or overlap with another run of the same night. The first commit of an
account's night stands. Before it, the snapshot that it replaces is copied into the history, for many accounts at once:
copied again, it is the same, and without the commit it only is there twice.
"""

from __future__ import annotations

import traceback
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from healthscore.core.nightly.run_totals import EarlierTrouble, RunTotals
from healthscore.dataset.staging import Staging, Worker
from healthscore.services.nightly.account import Night, is_held, process_account
from healthscore.services.nightly.attendance import week_count
from healthscore.services.nightly.plan import planned_run
from healthscore.storage.accounts import account_item, accounts, history
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.runs import runs, workers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future
    from datetime import date, datetime

    from aws_lambda_powertools import Logger

    from healthscore.core.account import Account
    from healthscore.core.model import Snapshot
    from healthscore.services.nightly.account import AccountResult
    from healthscore.services.nightly.plan import Run

WORKERS = 8
"""Accounts processed at once: enough to keep one core busy while others wait for answers."""
IN_FLIGHT = 2 * WORKERS
"""Accounts under way at once, beside the next batch and the page of the table that is being read."""
COPIED_AT_ONCE = 25
"""Accounts whose newest snapshots are copied into the history by one call, which takes no more."""
OUTAGE_AFTER = 20
"""How many accounts in a row find storage unavailable before the part stops: the cause is not these accounts."""
WORKER_RESULTS_KEPT = timedelta(days=3)
"""How long the results of workers are kept, for people to look at."""


@dataclass(frozen=True, slots=True)
class WorkerResult:
    """What a worker has done of a part of the accounts."""

    totals: RunTotals
    """Marked incomplete where accounts of the part are left."""
    last: str | None
    """The last account that was processed, behind which the next worker goes on; None where there was none."""


def process_scan_part(
    run: Run,
    part: int,
    parts: int,
    *,
    keep_going: Callable[[], bool],
    logger: Logger,
    after: str | None = None,
    staging: Staging | None = None,
) -> WorkerResult:
    """Process one of `parts` parts of the accounts: store snapshots, alerts, and the accounts' latest scores.

    An account that fails is counted and logged, and the others go on.

    Args:
        run: the run.
        part: the number of the part, from 0.
        parts: how many parts there are; together they hold every account.
        keep_going: asked before each account; False ends the work early, with the totals marked incomplete.
        logger: gets each failure, by account id and kind of error.
        after: the account behind which to begin, where another worker has processed those before; None for the start.
        staging: takes the row of each account for the dataset, also of one that could not be scored.

    Raises:
        StorageUnavailableError: the accounts cannot be read now, or storage fails for one account after the other.
    """
    night = Night(run, week_count(run), keep_going)
    collector = _Collector(RunTotals(), logger, staging)
    waiting: deque[tuple[Account, Future[AccountResult | None]]] = deque()
    batch: list[Account] = []
    last = after

    def begin() -> None:
        copied = _copy_newest(batch, run.day)
        for account in batch:
            waiting.append((account, pool.submit(process_account, account, night, copied)))
            if len(waiting) >= IN_FLIGHT:
                collector.add(*waiting.popleft())
        batch.clear()

    with ThreadPoolExecutor(WORKERS) as pool:
        for account in accounts.scan(part, parts, after):
            if not keep_going():
                collector.totals.complete = False
                break
            last = account.account_id
            if isinstance(account, account_item.Unreadable):
                collector.add_failure(account.account_id, account.error)
                continue
            if account.known_since > run.as_of and not account.erasing and account.into is None:
                collector.totals.not_yet += 1
                continue
            batch.append(account)
            if len(batch) == COPIED_AT_ONCE:
                begin()
        begin()
        while waiting:
            collector.add(*waiting.popleft())
    return WorkerResult(collector.totals, last)


def process_task(
    task: Mapping[str, Any], now: datetime, *, keep_going: Callable[[], bool], logger: Logger
) -> dict[str, Any]:
    """Do one task of the state machine: process a part until it is done or time is nearly up, and keep the totals.

    Args:
        task: `run` as of `plan_scan_parts`; `segment`, the part's number, of `segments`; `chunk`, the number of workers
            that were on it before; and `resume`, the account behind which to go on, or null.
        now: the instant of the call, aware.
        keep_going: asked before each account; False leaves the rest to the next worker.
        logger: gets each failure.

    Returns:
        The task for the next worker, or the same with `"done": true`.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now; the same task may be tried again.
    """
    run, worker = planned_run(task["run"]), Worker(task["run"]["execution"], task["segment"], task["chunk"])
    staging = Staging(worker, run.day, run.as_of, now, attributes=run.settings.dataset.attributes)
    with workers.under_way(worker.name, now):
        result = process_scan_part(
            run,
            task["segment"],
            task["segments"],
            keep_going=keep_going,
            logger=logger,
            after=task["resume"],
            staging=staging,
        )
    leave(staging, logger)
    expires = now + WORKER_RESULTS_KEPT
    runs.save_naming(result.totals, lambda totals: runs.put_worker_result(*worker, totals, expires))
    done = result.totals.complete
    return {**task, "chunk": task["chunk"] + 1, "resume": None if done else result.last, "done": done}


@dataclass(slots=True)
class _Collector:
    """Adds up the results of accounts, one after the other."""

    totals: RunTotals
    logger: Logger
    staging: Staging | None
    unavailable_in_a_row: int = 0

    def add(self, account: Account, future: Future[AccountResult | None]) -> None:
        """Wait for an account's result and count it; an account that is being erased has none.

        Raises:
            StorageUnavailableError: `OUTAGE_AFTER` accounts in a row have failed by it.
        """
        account_id = account.account_id
        try:
            result = future.result()
        except Exception as error:  # noqa: BLE001  (whatever is wrong with one account stops no other)
            self.add_failure(account_id, error)
            self._stage(account, account.latest)
            return
        self.unavailable_in_a_row = 0
        if result is None:
            return
        self._stage(account, result.current)
        self.totals.add_score(account_id, result.subject.name, result.previous, result.current)
        self.totals.presences[result.presence] += 1
        self.totals.add_attendance(result.attendance)
        if result.trouble is not None:
            troubles = EarlierTrouble(account_id, result.subject.name, result.current.score, result.trouble)
            self.totals.add_troubles([troubles])
        for alert in result.alerts:
            self.totals.add_alert(account_id, alert, held=is_held(alert, result.current))

    def _stage(self, account: Account, snapshot: Snapshot | None) -> None:
        if self.staging is not None:
            self.staging.add(account, snapshot)

    def add_failure(self, account_id: str, error: Exception) -> None:
        """Count and log an account that could not be scored.

        Raises:
            StorageUnavailableError: as for `add`.
        """
        self.unavailable_in_a_row += isinstance(error, StorageUnavailableError)
        if self.unavailable_in_a_row >= OUTAGE_AFTER:
            raise error
        self.totals.add_failure(account_id, type(error).__name__)
        # The place in the code, but not the error's own text, which may quote customers' data.
        last = traceback.extract_tb(error.__traceback__)[-1]
        self.logger.error(
            "an account could not be scored",
            account_id=account_id,
            error=type(error).__name__,
            where=f"{last.filename}:{last.lineno}",
        )


def _copy_newest(batch: Sequence[Account], day: date) -> bool:
    """Copy the newest snapshots of accounts into the history, as far as a later night takes their place; if possible.

    Otherwise each account's commit does it.
    """
    try:
        history.put_snapshots(
            {account.account_id: account.latest for account in batch if account.latest and account.latest.day < day}
        )
    except StorageUnavailableError:
        return False
    return True


def leave(staging: Staging, logger: Logger) -> None:
    """Leave rows for the night's end, if possible: scores and alerts are worth more than the dataset (rule D5)."""
    try:
        staging.leave()
    except StorageUnavailableError:
        logger.exception("rows of the dataset could not be left")
