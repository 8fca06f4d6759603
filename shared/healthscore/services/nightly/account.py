"""One account's night: its use is folded, its risk is judged, it is scored, and all of it is committed at once.

The update of the account's own item is the commit: it holds the snapshot, and the alerts and decisions that come of it
are stored in one transaction with it. The first commit of a night stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.alerts.change import FALLS
from healthscore.core.alerts.outage import presence, present
from healthscore.core.alerts.week import WEEK
from healthscore.core.health import snapshot_of
from healthscore.core.nightly.earlier_trouble import trouble_before
from healthscore.core.time import DAY
from healthscore.services import alerting, merging
from healthscore.services.erasure import finish_erasing_user
from healthscore.services.folding import fold_use, folded_until, known_use
from healthscore.services.nightly.attendance import attendance_tonight
from healthscore.services.nightly.recount import recount
from healthscore.services.nightly.risk import judge, judge_again
from healthscore.services.scoring import gather_facts, read_month
from healthscore.storage.accounts import accounts, earlier_book, existence, history, more_names
from healthscore.storage.alerts import messages
from healthscore.storage.erasure import accounts as erasing
from healthscore.storage.errors import AccountErasedError, ConditionFailedError
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from healthscore.core.account import Account
    from healthscore.core.alerts.model import Alert
    from healthscore.core.alerts.render import Subject
    from healthscore.core.model import DayRollup, Snapshot
    from healthscore.core.signals.excused import Attendance
    from healthscore.core.signals.history import History
    from healthscore.services.nightly.attendance import WeekCount
    from healthscore.services.nightly.plan import Run
    from healthscore.storage.codec import Attribute
    from healthscore.storage.writes import Write


class Night(NamedTuple):
    """What all accounts of a part have in common."""

    run: Run
    weeks: WeekCount
    keep_going: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class AccountResult:
    """What a night found for one account."""

    subject: Subject
    previous: Snapshot | None
    current: Snapshot
    alerts: Sequence[Alert]
    presence: str = ""
    """As of `core.alerts.outage`."""
    trouble: str | None = None
    """As of `trouble_before`, on the account's first night."""
    attendance: Mapping[str, Attendance] = field(default_factory=dict)
    """Its part in that of the fleet's last finished week."""


def process_account(account: Account, night: Night, copied: bool) -> AccountResult | None:
    """Score an account, or finish its erasure, or its merge into another one, and answer None.

    An account whose erasure begins while it is scored is erased as well, with everything the run has just stored of it.
    Interrupted erasures of its users are finished before it is scored, and its days follow the setting of users who do
    not count.
    """
    run, keep_going = night.run, night.keep_going
    merged = account.into is not None
    if not account.erasing and not merged:
        try:
            for user_id in account.pending_user_erasures:
                finish_erasing_user(account.account_id, user_id, run.now, keep_going)
            more_names.fit_item(account)
            if account.earlier_book is not None:
                earlier_book.delete(account.account_id, account.earlier_book)
            if recount(account, run.settings, run.now, keep_going) or account.pending_user_erasures:
                account = accounts.reread(account)
            return _backfill(account, night) if run.backfill else _score_tonight(account, night, copied)
        except AccountErasedError:
            merged = existence.any_merged([account.account_id])
            if merged:
                messages.withdraw_all(account.account_id)  # those that this run has just stored
    if merged and not account.erasing:
        merging.finish(account.account_id, run.now, lambda: 1.0 if keep_going() else 0.0)
    else:
        erasing.erase(account.account_id, run.now, keep_going)
    return None


def _backfill(account: Account, night: Night) -> AccountResult:
    """Take a past day's snapshot again."""
    current = _score_past(account, night)
    accounts.save_score(account, current)
    return AccountResult(alerting.subject(account), history.snapshot_before(account, night.run.day), current, ())


def _score_past(account: Account, night: Night) -> Snapshot:
    """The score of a past night by what is known now, and its risk; one that the night itself has judged stays."""
    run = night.run
    kept = history.snapshots(account, run.day, run.day)
    risk = kept[0].risk if kept else None
    if risk is None:
        use = known_use(account, run.settings, run.now).use
        risk = judge_again(account, use, run.settings, night.weeks.excused, _yesterday(run))
    return replace(_score(account, run), risk=risk)


def _score_tonight(account: Account, night: Night, copied: bool) -> AccountResult:
    """Score an account and commit its night; where another writer was faster, look again."""
    in_history = account.latest if copied else None
    tries = attempts(accounts.TOO_MANY_WRITERS)
    while True:
        again = next(tries) > 0
        try:
            return _commit_tonight(account, night, in_history, again=again)
        except ConditionFailedError:
            account = accounts.reread(account)


def _commit_tonight(account: Account, night: Night, in_history: Snapshot | None, *, again: bool) -> AccountResult:
    """Fold an account's use, judge and score it, and save that with the alerts that it brings.

    Nothing of it is done again where tonight's score and risk are in its item.

    Raises:
        ConditionFailedError: the account has changed since it was read, or an alert was stored before.
    """
    run, latest = night.run, account.latest
    # A night that runs after a later one brings no alerts, nor does a first one without a night of the week before.
    late = latest is not None and latest.day > run.day
    scored = latest if latest is not None and latest.day == run.day and latest.as_of >= run.as_of else None
    beside: dict[str, Attribute] = {}
    along: Sequence[Write] = ()
    seen_by: History | None = None
    if late:
        kept = history.snapshots(account, run.day, run.day)
        current = kept[0] if kept else _score_past(account, night)
    elif scored is not None and scored.risk is not None and scored.risk.day == run.day - DAY:
        current = scored
    else:
        month = read_month(account, run.as_of, run.settings, consistent=again)
        folded = fold_use(account, month, run.settings, run.as_of, night.keep_going)
        beside = folded_until(run.day - DAY, folded)
        risk, along, seen_by = judge(account, folded, run.settings, night.weeks.excused, _yesterday(run))
        current = replace(scored or _score(account, run, month.rollups), risk=risk)
    previous = history.snapshot_before(account, run.day)
    begins = run.first and (previous is None or previous.day < run.day - WEEK * DAY)
    alerts = [] if late or begins else alerting.alerts(account, previous, current, run.settings)
    new = [_message(alert, current) for alert in alerts]
    if current is not scored:
        if again or scored is not None:  # an earlier score of the day may have stored them
            new = [one for one in new if not messages.known(one.account_id, one.message_id)]
        puts = [messages.put_new(one) for one in new]
        accounts.commit_score(account, current, [*puts, *along], in_history, beside=beside, by_profile=bool(along))
    elif current.as_of > run.as_of:  # scored by day, before a night that was interrupted came to it
        for one in new:
            messages.add(one)
    tonight = presence(account.recent, current.daily)
    trouble = None
    if (run.first or previous is None) and not any(alert.kind in FALLS for alert in alerts):
        silent_days = run.settings.alerts.silent.days
        trouble = trouble_before(current, account.recent, account.known_since, silent_days)
    attendance = attendance_tonight(run, night.weeks, account, seen_by)
    return AccountResult(alerting.subject(account), previous, current, alerts, tonight, trouble, attendance)


def _message(alert: Alert, current: Snapshot) -> messages.Message:
    return messages.Message.of(alert, messages.HELD if is_held(alert, current) else messages.PENDING)


def is_held(alert: Alert, current: Snapshot) -> bool:
    """Whether an alert is held until the night has been checked for a tracking outage, which could have caused it."""
    return alert.kind in FALLS and not present(current.daily)


def _yesterday(run: Run) -> int:
    """The number of the last complete day of a night."""
    return run.day.toordinal() - 1


def _score(account: Account, run: Run, found: list[DayRollup] | None = None) -> Snapshot:
    # An eventually consistent read costs half as much. It may miss an event of the last second before the run got to
    # the account, which then counts the next night.
    return snapshot_of(gather_facts(account, run.as_of, run.settings, consistent=False, found=found))
