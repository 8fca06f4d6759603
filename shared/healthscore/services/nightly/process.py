"""The nightly run: read, decide, act, account by account.

A run is any number of segments of the accounts, and an end (`night_end`). It may be killed at any moment and run again,
or overlap with another: per account and night the first snapshot stands, each alert has a fixed id and is stored once,
and the account's own item, written last, says that all of this is done.
"""

from __future__ import annotations

import re
import traceback
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from healthscore.core.alerts.outage import DROPS, present, weeks_present
from healthscore.core.book import Contract
from healthscore.core.health import assess, snapshot
from healthscore.core.nightly.run_totals import RunTotals
from healthscore.core.time import day_of, end_of_day, from_millis, millis, parse_instant
from healthscore.services import alerting
from healthscore.services.erasure import forget_user
from healthscore.services.scoring import gather_facts, snapshot_before
from healthscore.storage import workspace
from healthscore.storage.accounts import account_item, accounts, history
from healthscore.storage.alerts import messages
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.errors import AccountErasedError, StorageUnavailableError
from healthscore.storage.runs import runs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future
    from datetime import datetime

    from aws_lambda_powertools import Logger

    from healthscore.core.account import Account
    from healthscore.core.alerts.model import Alert
    from healthscore.core.alerts.render import Subject
    from healthscore.core.model import Snapshot
    from healthscore.settings import Settings

WORKERS = 8
"""Accounts worked on at once: enough to keep one core busy while others wait for answers."""
IN_FLIGHT = 2 * WORKERS
"""Accounts held in memory at once, beside the page of the table that is being read."""
OUTAGE_AFTER = 20
"""So many accounts in a row that storage was unavailable for are an outage, and not their own trouble."""
AHEAD = timedelta(minutes=15)
"""How far the instant of a run may lie ahead of this machine's clock: as far as events may."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Run:
    """What one nightly run is for."""

    day: date
    as_of: datetime
    settings: Settings
    backfill: bool = False
    """Whether a past day's snapshots are taken anew: nobody is told of it."""


def start(event: Mapping[str, Any], now: datetime) -> Run:
    """Read what a run is asked for; a regular run gets the instant that the first run of its day was started with.

    Args:
        event: `{}` for a run as of now, `{"time": "2026-11-21T02:00:00Z"}` for one as of the instant it was scheduled
            for, or `{"date": "2026-11-20"}` for taking the snapshots of a past day anew, as of its end.
        now: the instant of the call.

    Raises:
        ValueError: the event is none of these; the message says why.
        StorageUnavailableError: the workspace cannot be read or written now.
    """
    unknown = sorted(set(event) - {"time", "date"})
    if unknown or len(event) > 1:
        raise ValueError(f'a run takes {{"time": …}} or {{"date": …}} or nothing, but got {", ".join(sorted(event))}')
    settings = workspace.settings().settings
    if "date" in event:
        day = _past_day(event["date"], day_of(now, settings.zone), settings)
        return Run(day, end_of_day(day, settings.zone), settings, backfill=True)
    as_of = _instant(event["time"], now) if "time" in event else from_millis(millis(now))
    day = day_of(as_of, settings.zone)
    return Run(day, runs.start_run(day, as_of), settings)


def _past_day(text: object, today: date, settings: Settings) -> date:
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        raise ValueError('"date" must be a day such as 2026-11-20')
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"date": there is no day {text}') from None
    if day >= today:
        raise ValueError(f'"date" must be a past day, but {text} is not over: today is {today} in {settings.timezone}')
    if (today - day).days > settings.retention_days:
        raise ValueError(f'"date" must lie within the {settings.retention_days} days that events are kept')
    return day


def _instant(text: object, now: datetime) -> datetime:
    if not isinstance(text, str):
        raise ValueError('"time" must be an instant such as 2026-11-21T02:00:00Z')  # noqa: TRY004  (one error for bad events)
    try:
        at = parse_instant(text)
    except ValueError as error:
        raise ValueError(f'"time": {error}') from None
    if at > now + AHEAD:
        raise ValueError(f'"time" must not lie in the future, but {text} does')
    return at


@dataclass(frozen=True, slots=True)
class Worked:
    """What a worker has done of a segment."""

    totals: RunTotals
    """Marked incomplete where there is more to do."""
    last: str | None
    """The last account of the segment that was worked on, from which the next worker goes on."""


def run_segment(
    run: Run,
    segment: int,
    segments: int,
    *,
    keep_going: Callable[[], bool],
    logger: Logger,
    after: str | None = None,
) -> Worked:
    """Score one of `segments` parts of the accounts: snapshots, alerts to be sent, and the accounts' latest state.

    An account that fails is counted and logged, and stops nothing.

    Args:
        run: what to do.
        segment: which part, from 0.
        segments: how many parts there are; together they hold every account.
        keep_going: asked before each account; False ends the segment early, with the totals marked incomplete.
        logger: told of each failure, by account id and kind of error.
        after: the account behind which to begin, where another worker has done those before.

    Raises:
        StorageUnavailableError: the accounts cannot be read now, or storage fails for one account after the other.
    """
    results = _Results(RunTotals(), logger)
    waiting: deque[tuple[str, Future[_Outcome | None]]] = deque()
    last = after
    with ThreadPoolExecutor(WORKERS) as pool:
        for account in accounts.scan(segment, segments, after):
            if not keep_going():
                results.totals.complete = False
                break
            last = account.account_id
            if isinstance(account, account_item.Unreadable):
                results.failed(account.account_id, account.error)
                continue
            if account.known_since > run.as_of and not account.erasing:
                results.totals.not_yet += 1
                continue
            waiting.append((account.account_id, pool.submit(_work, account, run, keep_going)))
            if len(waiting) >= IN_FLIGHT:
                results.take(*waiting.popleft())
        while waiting:
            results.take(*waiting.popleft())
    return Worked(results.totals, last)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a night found for one account."""

    subject: Subject
    previous: Snapshot | None
    current: Snapshot
    alerts: Sequence[Alert]
    weeks: Sequence[int] = ()
    """Of tonight (0) and the same nights of the weeks before: those before which the account was active."""
    arr: float | None = None
    """Annual recurring revenue, by the profile."""


@dataclass(slots=True)
class _Results:
    """Takes the outcomes of accounts, one after the other."""

    totals: RunTotals
    logger: Logger
    unavailable_in_a_row: int = 0

    def take(self, account_id: str, future: Future[_Outcome | None]) -> None:
        """Count an account's outcome, waiting for it; one that is being erased counts for nothing.

        Raises:
            StorageUnavailableError: so many accounts in a row failed by it that it cannot be their own trouble.
        """
        try:
            outcome = future.result()
        except Exception as error:  # noqa: BLE001  (whatever is wrong with one account stops no other)
            self.failed(account_id, error)
            return
        self.unavailable_in_a_row = 0
        if outcome is None:
            return
        self.totals.add_score(account_id, outcome.subject.name, outcome.previous, outcome.current, outcome.arr)
        self.totals.active.update(outcome.weeks)
        for alert in outcome.alerts:
            self.totals.add_alert(account_id, alert, held=_waits(alert, outcome.current))

    def failed(self, account_id: str, error: Exception) -> None:
        """Count and log an account that could not be scored.

        Raises:
            StorageUnavailableError: as for `take`.
        """
        self.unavailable_in_a_row += isinstance(error, StorageUnavailableError)
        if self.unavailable_in_a_row >= OUTAGE_AFTER:
            raise error
        self.totals.add_failure(account_id, type(error).__name__)
        # Where it happened, but not the error's own words: these may quote what customers sent.
        last = traceback.extract_tb(error.__traceback__)[-1]
        self.logger.error(
            "an account could not be scored",
            account_id=account_id,
            error=type(error).__name__,
            where=f"{last.filename}:{last.lineno}",
        )


def _work(account: Account, run: Run, keep_going: Callable[[], bool]) -> _Outcome | None:
    """Do what the run is for; an account whose erasure has begun is erased instead, and answered as None.

    That is also what becomes of one whose erasure begins meanwhile: what the run has just kept of it must not stay. The
    erasure of a user that was interrupted is finished first.
    """
    if not account.erasing:
        try:
            for user_id in account.forgetting:
                forget_user(account.account_id, user_id, run.as_of, keep_going)
            return _backfill(account, run) if run.backfill else _night(account, run)
        except AccountErasedError:
            pass
    erasing.erase(account.account_id, keep_going)
    return None


def _backfill(account: Account, run: Run) -> _Outcome:
    """Take a past day's snapshot anew."""
    current = history.put_snapshot(account.account_id, _score(account, run), replace=True)
    accounts.save_score(account, current)
    return _Outcome(alerting.subject(account), snapshot_before(account, run.day), current, ())


def _night(account: Account, run: Run) -> _Outcome:
    """Score an account, keep the snapshot, store the alerts, and enter the score in the account's item.

    The order matters: the item is written last, so that tonight's score in it says that all the rest is done.
    """
    latest = account.latest
    done = latest if latest and (latest.day, latest.as_of) == (run.day, run.as_of) else None
    current = done or history.put_snapshot(account.account_id, _score(account, run), replace=False)
    previous = snapshot_before(account, run.day)
    late = latest is not None and latest.day > run.day
    # A first night, or one that is run after later nights, is not asked about.
    alerts = alerting.alerts(account, previous, current, run.settings.alerts) if previous and not late else []
    if not done:
        for alert in alerts:
            store(alert, messages.HELD if _waits(alert, current) else messages.PENDING)
        accounts.save_score(account, current)
    weeks = weeks_present(account.recent, current.daily)
    arr = Contract.of(account.profile, account.crm).arr
    return _Outcome(alerting.subject(account), previous, current, alerts, weeks, arr)


def _waits(alert: Alert, current: Snapshot) -> bool:
    """Whether an alert is held until the whole night is known: missing events may feign it."""
    return alert.kind in DROPS and not present(current.daily)


def _score(account: Account, run: Run) -> Snapshot:
    # Read without asking for consistency, at half the price: an event that arrived within the last second before the
    # run reached its account may count the next night.
    facts = gather_facts(account, run.as_of, run.settings, consistent=False)
    return snapshot(assess(account.account_id, facts, (), None))


def store(alert: Alert, status: str = messages.PENDING) -> None:
    """Keep an alert, unless it was kept before.

    Raises:
        StorageUnavailableError: not kept.
    """
    messages.add(messages.Message.of(alert, status))
