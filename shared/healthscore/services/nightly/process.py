"""Processes one part of the accounts of a night: scores each account, keeps the snapshot, and stores its alerts.

A run may be killed at any moment and run again, or overlap with another run of the same night. The update of an
account's own item is the commit of its night: it holds the snapshot, and stores the alerts in one transaction with it,
if there are any. The first commit of a night stands. Before it, the snapshot that it replaces is copied into the
history, for many accounts at once: copied again, it is the same, and without the commit it only is there twice.
"""

from __future__ import annotations

import traceback
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from healthscore.core.alerts.change import FALLS
from healthscore.core.alerts.outage import presence, present
from healthscore.core.alerts.week import WEEK
from healthscore.core.health import snapshot_of
from healthscore.core.nightly.earlier_trouble import trouble_before
from healthscore.core.nightly.run_totals import EarlierTrouble, RunTotals
from healthscore.core.time import DAY
from healthscore.dataset.staging import Staging, Worker
from healthscore.services import alerting, merging
from healthscore.services.erasure import finish_erasing_user
from healthscore.services.nightly.plan import planned_run
from healthscore.services.nightly.recount import recount
from healthscore.services.scoring import gather_facts
from healthscore.storage.accounts import account_item, accounts, earlier_book, existence, history, more_names
from healthscore.storage.alerts import messages
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.errors import AccountErasedError, ConditionFailedError, StorageUnavailableError
from healthscore.storage.retries import attempts
from healthscore.storage.runs import runs, workers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future
    from datetime import date, datetime

    from aws_lambda_powertools import Logger

    from healthscore.core.account import Account
    from healthscore.core.alerts.model import Alert
    from healthscore.core.alerts.render import Subject
    from healthscore.core.model import Snapshot
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
    collector = _Collector(RunTotals(), logger, staging)
    waiting: deque[tuple[Account, Future[_AccountResult | None]]] = deque()
    batch: list[Account] = []
    last = after

    def begin() -> None:
        copied = _copy_newest(batch, run.day)
        for account in batch:
            waiting.append((account, pool.submit(_process_account, account, run, keep_going, copied)))
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


@dataclass(frozen=True, slots=True)
class _AccountResult:
    """What a night found for one account."""

    subject: Subject
    previous: Snapshot | None
    current: Snapshot
    alerts: Sequence[Alert]
    presence: str = ""
    """As of `core.alerts.outage`."""
    trouble: str | None = None
    """As of `trouble_before`, on the account's first night."""


@dataclass(slots=True)
class _Collector:
    """Adds up the results of accounts, one after the other."""

    totals: RunTotals
    logger: Logger
    staging: Staging | None
    unavailable_in_a_row: int = 0

    def add(self, account: Account, future: Future[_AccountResult | None]) -> None:
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
        if result.trouble is not None:
            troubles = EarlierTrouble(account_id, result.subject.name, result.current.score, result.trouble)
            self.totals.add_troubles([troubles])
        for alert in result.alerts:
            self.totals.add_alert(account_id, alert, held=_is_held(alert, result.current))

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


def _process_account(account: Account, run: Run, keep_going: Callable[[], bool], copied: bool) -> _AccountResult | None:
    """Score an account, or finish its erasure, or its merge into another one, and answer None.

    An account whose erasure begins while it is scored is erased as well, with everything the run has just stored of it.
    Interrupted erasures of its users are finished before it is scored, and its days follow the setting of users who do
    not count.
    """
    merged = account.into is not None
    if not account.erasing and not merged:
        try:
            for user_id in account.pending_user_erasures:
                finish_erasing_user(account.account_id, user_id, run.as_of, keep_going)
            more_names.fit_item(account)
            if account.earlier_book is not None:
                earlier_book.delete(account.account_id, account.earlier_book)
            recount(account, run.settings, run.as_of, keep_going)
            return _backfill(account, run) if run.backfill else _score_tonight(account, run, copied)
        except AccountErasedError:
            merged = existence.any_merged([account.account_id])
            if merged:
                messages.withdraw_all(account.account_id)  # those that this run has just stored
    if merged and not account.erasing:
        merging.finish(account.account_id, run.as_of, lambda: 1.0 if keep_going() else 0.0)
    else:
        erasing.erase(account.account_id, run.as_of, keep_going)
    return None


def _backfill(account: Account, run: Run) -> _AccountResult:
    """Take a past day's snapshot again."""
    current = _score(account, run)
    accounts.save_score(account, current)
    return _AccountResult(alerting.subject(account), history.snapshot_before(account, run.day), current, ())


def _score_tonight(account: Account, run: Run, copied: bool) -> _AccountResult:
    """Score an account and commit its night; where another writer was faster, look again."""
    in_history = account.latest if copied else None
    tries = attempts(accounts.TOO_MANY_WRITERS)
    while True:
        again = next(tries) > 0
        try:
            return _commit_tonight(account, run, in_history, again=again)
        except ConditionFailedError:
            account = accounts.reread(account)


def _commit_tonight(account: Account, run: Run, in_history: Snapshot | None, *, again: bool) -> _AccountResult:
    """Score an account, unless tonight's score is in its item, and save the score with the alerts that it brings.

    Raises:
        ConditionFailedError: the account has changed since it was read, or an alert was stored before.
    """
    latest = account.latest
    # A night that runs after a later one brings no alerts, nor does a first one without a night of the week before.
    late = latest is not None and latest.day > run.day
    scored = latest if latest is not None and latest.day == run.day and latest.as_of >= run.as_of else None
    kept = history.snapshots(account, run.day, run.day) if late else []
    current = scored or (kept[0] if kept else _score(account, run))
    previous = history.snapshot_before(account, run.day)
    begins = run.first and (previous is None or previous.day < run.day - WEEK * DAY)
    alerts = [] if late or begins else alerting.alerts(account, previous, current, run.settings)
    new = [_message(alert, current) for alert in alerts]
    if scored is None:
        if again:  # an earlier score of the day may have stored them
            new = [one for one in new if not messages.known(one.account_id, one.message_id)]
        accounts.commit_score(account, current, [messages.put_new(one) for one in new], in_history)
    elif scored.as_of > run.as_of:  # scored by day, before a night that was interrupted came to it
        for one in new:
            messages.add(one)
    tonight = presence(account.recent, current.daily)
    trouble = None
    if (run.first or previous is None) and not any(alert.kind in FALLS for alert in alerts):
        silent_days = run.settings.alerts.silent.days
        trouble = trouble_before(current, account.recent, account.known_since, silent_days)
    return _AccountResult(alerting.subject(account), previous, current, alerts, tonight, trouble)


def _message(alert: Alert, current: Snapshot) -> messages.Message:
    return messages.Message.of(alert, messages.HELD if _is_held(alert, current) else messages.PENDING)


def _is_held(alert: Alert, current: Snapshot) -> bool:
    """Whether an alert is held until the night has been checked for a tracking outage, which could have caused it."""
    return alert.kind in FALLS and not present(current.daily)


def _score(account: Account, run: Run) -> Snapshot:
    # An eventually consistent read costs half as much. It may miss an event of the last second before the run got to
    # the account, which then counts the next night.
    return snapshot_of(gather_facts(account, run.as_of, run.settings, consistent=False))


def leave(staging: Staging, logger: Logger) -> None:
    """Leave rows for the night's end, if possible: scores and alerts are worth more than the dataset (rule D5)."""
    try:
        staging.leave()
    except StorageUnavailableError:
        logger.exception("rows of the dataset could not be left")
