"""Finishes a nightly run: checks for a tracking outage, decides on held alerts, stores the digest, and sends."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

from healthscore.core.alerts.outage import WEEKS, Turnout, outage_alert
from healthscore.core.alerts.rules import last_seen
from healthscore.core.alerts.week import WEEK
from healthscore.core.nightly.digest import Gaps, digest
from healthscore.core.nightly.run_totals import RunTotals
from healthscore.core.text import counted
from healthscore.core.time import DAY, format_instant
from healthscore.services.nightly.attendance import decide_week
from healthscore.services.nightly.dataset import is_published
from healthscore.services.nightly.plan import planned_run
from healthscore.storage.accounts import accounts
from healthscore.storage.alerts import digests, messages
from healthscore.storage.runs import runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from healthscore.services.nightly.plan import Run
    from healthscore.services.notifications.outbox import Outbox

TOLERATED = Fraction(1, 10)
"""The share of a run's parts that may fail without failing the night; the digest names them."""


def finish_run(
    run: Run,
    results: Iterable[RunTotals],
    outbox: Outbox,
    *,
    keep_going: Callable[[], bool],
    missing: Sequence[int] = (),
    parts: int = 1,
    published: bool = True,
) -> dict[str, Any]:
    """Finish a run whose parts are processed: check for an outage, store the digest, send, and keep the result.

    Args:
        run: the run.
        results: the totals of each part.
        outbox: sends the messages.
        keep_going: asked before each message; False leaves the rest to the next time.
        missing: numbers of the parts that could not be processed to their end.
        parts: how many parts there were.
        published: whether the dataset of the night is made.

    Returns:
        The run's figures as JSON values; `left` lists in words what is left to do by running it again.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now.
    """
    total = RunTotals()
    for totals in results:
        total.merge(totals)
    if missing and len(missing) > parts * TOLERATED:
        total.complete = False
    result: dict[str, Any] = {"day": run.day.isoformat(), "as_of": format_instant(run.as_of), "backfill": run.backfill}
    result |= {**total.to_json(), "published": published}
    left = [counted(total.failed, "failed account")] if total.failed else []
    if missing:
        result["missing"] = list(missing)
        left.append(f"{counted(len(missing), 'part')} of {parts:,}")
    if not total.complete:
        left.append("accounts not reached in time")
    elif not run.backfill:
        if not missing:  # else the next night counts everybody
            decide_week(run, total)
        first = _close(run, total, result, Gaps(missing, parts, published))
        settle_held(keep_going)
        delivery = outbox.send(first, keep_going)
        result |= delivery.to_json()
        left += delivery.left
        runs.finish_run(run.day, result)
    return result | {"left": left}


def finish_task(task: Mapping[str, Any], outbox: Outbox, *, keep_going: Callable[[], bool]) -> dict[str, Any]:
    """Do the state machine's last task: add up the results of the workers, and finish the run.

    Args:
        task: `run` and `segments`, the number of parts, as of `plan_scan_parts`.
        outbox: as for `finish_run`.
        keep_going: as for `finish_run`.

    Returns:
        As `finish_run`.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now.
    """
    total, done = RunTotals(), set()
    for part, _, totals in runs.worker_results(task["run"]["execution"]):
        if totals.complete:
            done.add(part)
        total.merge(totals)
    # A worker that ran out of time has left its part incomplete, but a later worker may have completed it.
    total.complete = True
    missing = sorted(set(range(task["segments"])) - done)
    run = planned_run(task["run"])
    published = is_published(run.day, task["run"]["execution"])
    parts = task["segments"]
    return finish_run(run, [total], outbox, keep_going=keep_going, missing=missing, parts=parts, published=published)


def _close(run: Run, total: RunTotals, result: dict[str, Any], gaps: Gaps) -> list[tuple[str | None, str]]:
    """Check the night for a tracking outage, and store the alert and digest of the workspace.

    Returns:
        Account and id of the messages to send first: the index of pending messages may not list them yet.
    """
    if not total.scored and not total.failed:
        return []
    recorded = runs.recorded_outages(run.day - WEEKS * WEEK * DAY)
    outages = [weeks for weeks in range(1, WEEKS + 1) if recorded.get(run.day - weeks * WEEK * DAY)]
    turnout = Turnout.of(total.presences, outages)
    holding = runs.record_outage(run.day, held=turnout.is_outage)
    result["holding"] = holding
    first: list[tuple[str | None, str]] = [*total.to_send]
    if holding and not _outage_before(run.day):
        outage = outage_alert(run.day, run.as_of, turnout)
        messages.add(messages.Message.of(outage))
        first.append((None, outage.alert_id))
    if not holding:
        for account_id, message_id in total.held:
            messages.let_go(account_id, message_id)
    digest_of = partial(digest, run.day, run.as_of, holding=holding, gaps=gaps)
    runs.save_naming(total, lambda totals: digests.add(digest_of(totals), totals.named))
    return [*first, (None, digest_of(total).alert_id)]


def _outage_before(day: date) -> bool:
    """Whether the last checked run of the week before a day found an outage too, and so has alerted it already."""
    earlier = [held for before, held in runs.recorded_outages(day - WEEK * DAY).items() if before < day]
    return bool(earlier) and earlier[-1]


def settle_held(keep_going: Callable[[], bool]) -> None:
    """Release or withdraw held alerts whose night, or a later one, has been checked for a tracking outage.

    - The night had no outage: the alert is released. It goes out with the pending ones.
    - The night was never checked, since it did not finish: the alert is released after the next night without outage.
    - The night had an outage: the next night without one decides. The alert is withdrawn where the account was seen
      since, and released where it was not.
    - Otherwise the alert stays held.

    Args:
        keep_going: asked before each alert; False leaves the rest to the next time.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now.
    """
    outages: Mapping[date, bool] | None = None
    for account_id, message_id, created_at in messages.held():
        if not keep_going():
            return
        # An alert's id begins with its day.
        day = date.fromisoformat(message_id[:10])
        if outages is None:
            # The oldest alert comes first, so its day and all later ones cover every alert.
            outages = runs.recorded_outages(day)
        outage = outages.get(day)
        usual_night_since = any(later > day and not found for later, found in outages.items())
        if outage is not False and not usual_night_since:
            continue
        if not outage or _still_unseen(account_id, created_at):
            messages.let_go(account_id, message_id)
        else:
            messages.withdraw(account_id, message_id)


def _still_unseen(account_id: str | None, since: datetime) -> bool:
    """Whether the account exists and has had no event after an instant, by its newest score."""
    account = accounts.get(account_id) if account_id is not None else None
    if account is None or account.latest is None:
        return False
    seen = last_seen(account.latest)
    return seen is None or seen <= since
