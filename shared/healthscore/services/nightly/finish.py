"""The end of a night: what the whole of it says, the alerts that waited for that, the digest, and the outbox."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

from healthscore.core.alerts.outage import outage_alert, tracking_outage
from healthscore.core.alerts.rules import WEEK, last_seen
from healthscore.core.nightly.digest import digest
from healthscore.core.nightly.run_totals import RunTotals
from healthscore.core.text import counted
from healthscore.core.time import DAY, format_instant
from healthscore.services.nightly.process import store
from healthscore.storage.accounts import accounts, existence
from healthscore.storage.alerts import digests, messages
from healthscore.storage.runs import runs, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from healthscore.services.nightly.process import Run
    from healthscore.services.notifications.outbox import Outbox

TOLERATED = Fraction(1, 10)
"""The share of a run's segments that may fail, for the night to end all the same; the digest names them."""


def finish(
    run: Run,
    totals_of_parts: Iterable[RunTotals],
    outbox: Outbox,
    *,
    keep_going: Callable[[], bool],
    missing: Sequence[int] = (),
    segments: int = 1,
) -> dict[str, Any]:
    """End a run whose segments are done: judge the night, store the digest, send what is pending, keep the result.

    Args:
        run: what was done.
        totals_of_parts: what each segment counted.
        outbox: where messages go out.
        keep_going: asked before each message; False leaves the rest to the next time.
        missing: segments that were not worked on to their end, and will not be tonight.
        segments: how many there were.

    Returns:
        The run's figures as JSON values; `left` says what is still to be done by running it again.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now.
    """
    total = RunTotals()
    for totals in totals_of_parts:
        total.merge(totals)
    if missing and len(missing) > segments * TOLERATED:
        total.complete = False
    result: dict[str, Any] = {"day": run.day.isoformat(), "as_of": format_instant(run.as_of), "backfill": run.backfill}
    result |= total.to_json()
    left = [counted(total.failed, "failed account")] if total.failed else []
    if missing:
        result["missing"] = list(missing)
        left.append(f"{counted(len(missing), 'part')} of {segments:,}")
    if not total.complete:
        left.append("accounts not reached in time")
    elif not run.backfill:
        first = _close(run, total, result, missing, segments)
        settle(keep_going)
        delivery = outbox.send(first, keep_going)
        result |= delivery.to_json()
        left += delivery.left
        runs.finish_run(run.day, result)
    return result | {"left": left}


def _close(
    run: Run, total: RunTotals, result: dict[str, Any], missing: Sequence[int], segments: int
) -> list[tuple[str | None, str]]:
    """Judge the night, and store what it says of the workspace.

    Returns:
        Account and id of the messages to send first: the index of pending messages may not know them yet.
    """
    if not total.scored and not total.failed:
        return []
    holding = runs.record_outage(run.day, held=tracking_outage(total.active))
    result["holding"] = holding
    first: list[tuple[str | None, str]] = [*total.to_send]
    if holding and not _held_before(run.day):
        outage = outage_alert(run.day, run.as_of, total.active)
        store(outage)
        first.append((None, outage.alert_id))
    if not holding:
        for account_id, message_id in total.held:
            messages.let_go(account_id, message_id)
    existence.save_naming(total, lambda totals: summary.save(run.day, totals.summary(run.day, run.as_of)))
    in_short = partial(digest, run.day, run.as_of, holding=holding, missing=missing, segments=segments)
    existence.save_naming(total, lambda totals: digests.add(in_short(totals), totals.named))
    return [*first, (None, in_short(total).alert_id)]


def _held_before(day: date) -> bool:
    """Whether the run before a day's, in the last week, held alerts back too: then people have been told why."""
    earlier = [held for before, held in runs.recorded_outages(day - WEEK * DAY).items() if before < day]
    return bool(earlier) and earlier[-1]


def settle(keep_going: Callable[[], bool]) -> None:
    """End the hold of alerts as far as nights have been judged since; the rest stay held.

    What a usual night held until its end is to be sent, and so is what a night held that never came to its end, once a
    usual one follows. What was held since most accounts were out of sight is judged by
    the next usual night: an account that was seen since was never gone, and its alert is withdrawn; one that stays out
    of sight while the others are back is what the alert says, and it is sent.

    Args:
        keep_going: asked before each alert; False leaves the rest to the next time.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now.
    """
    judged: Mapping[date, bool] | None = None
    for account_id, message_id, told in messages.held():
        if not keep_going():
            return
        # An alert's id begins with its day.
        day = date.fromisoformat(message_id[:10])
        if judged is None:
            # The oldest comes first, so this covers all of them.
            judged = runs.recorded_outages(day)
        held = judged.get(day)
        if held is not False and not any(later > day and not silent for later, silent in judged.items()):
            continue
        if not held or _still_gone(account_id, told):
            messages.let_go(account_id, message_id)
        else:
            messages.withdraw(account_id, message_id)


def _still_gone(account_id: str | None, since: datetime) -> bool:
    account = accounts.get(account_id) if account_id is not None else None
    if account is None or account.latest is None:
        return False
    seen = last_seen(account.latest)
    return seen is None or seen <= since
