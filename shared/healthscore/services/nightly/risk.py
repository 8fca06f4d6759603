"""Judges an account's risk by night, and makes the writes of what there is to keep of it (early warning).

The risk goes into the account's newest snapshot. Decisions and findings go into the history, in one transaction with
it, on nights on which something has changed.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.decisions.episode import Ending
from healthscore.core.decisions.findings import FindingState
from healthscore.core.decisions.life import life
from healthscore.core.decisions.risk import news_of, risk_of
from healthscore.core.signals.calendar import date_of
from healthscore.core.text import listed
from healthscore.services import early_warning
from healthscore.storage import codec, conditions, schema, writes
from healthscore.storage.accounts import risk_history

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from healthscore.core.account import Account
    from healthscore.core.decisions.finding_document import FindingJson
    from healthscore.core.model import Risk
    from healthscore.core.signals.excused import Excused
    from healthscore.core.signals.history import History
    from healthscore.core.signals.use import Use
    from healthscore.services.folding import Folded
    from healthscore.settings import Settings
    from healthscore.storage.writes import Write

LATE, OTHERWISE = "Events of {days} came in late.", "The settings or the profile have changed."
"""Why a finding is not seen any more."""


class Judged(NamedTuple):
    """An account's risk as of a night, and what is written with it."""

    risk: Risk | None
    """None where its use is not folded as a whole yet, and no night before has judged it."""
    along: tuple[Write, ...] = ()
    history: History | None = None
    """What it was judged by."""


def judge(account: Account, folded: Folded, settings: Settings, weeks: Excused, day: int) -> Judged:
    """Judge an account's risk, and compare it with what the night before has left.

    An account that was judged for this night before keeps its risk, and so does one whose use is not whole.

    Args:
        account: the account as read.
        folded: its use after this night's fold.
        settings: the workspace's settings.
        weeks: what `early_warning.excused_weeks` gives.
        day: the last complete day of the night.

    Raises:
        StorageUnavailableError: the tables cannot be read now.
    """
    before = None if account.latest is None else account.latest.risk
    if not folded.use.is_whole or (before is not None and before.day >= date_of(day)):
        return Judged(before)
    inputs = early_warning.inputs(account, folded.use, settings, weeks, day)
    news = news_of(
        account.account_id,
        before,
        life(inputs, early_warning.detector_settings(settings), day),
        day,
        inputs.profile_on(day),
        escalation_owner=settings.early_warning.escalation_owner,
    )
    kept = [] if news.decision is None else [risk_history.put_decision(account.account_id, news.decision)]
    kept += [risk_history.put_finding(account.account_id, finding) for finding in news.findings]
    kept += _withdrawn(account.account_id, news.withdrawn, folded.late, day)
    along = (*kept, _use_is_as_read(account.account_id, folded)) if kept else ()
    return Judged(news.risk, along, inputs.history)


def judge_again(account: Account, use: Use, settings: Settings, weeks: Excused, day: int) -> Risk | None:
    """The risk of a past night, by what is known now; nothing is decided by it."""
    if not use.is_whole:
        return None
    inputs = early_warning.inputs(account, use, settings, weeks, day)
    return risk_of(life(inputs, early_warning.detector_settings(settings), day), day, inputs.profile_on(day))


def _use_is_as_read(account_id: str, folded: Folded) -> Write:
    """The check that nobody has been erased from the use since: what is kept names people by it."""
    key = codec.key(schema.activity_pk(account_id), schema.USE_DAYS)
    return writes.check(schema.activity_table(), key, conditions.version_is(folded.version))


def _withdrawn(account_id: str, ids: Sequence[str], late: Sequence[int], day: int) -> Iterator[Write]:
    """Close findings that are not seen at any time any more (signal rule 43)."""
    came_in = LATE.format(days=listed(list(_spans(late)))) if late else OTHERWISE
    for finding_id in ids:
        stored = risk_history.finding(account_id, finding_id)
        if stored is not None:
            closed: FindingJson = {
                **stored,
                "state": FindingState.CLOSED.value,
                "closed": date_of(day).isoformat(),
                "closed_how": Ending.WITHDRAWN.value,
                "came_in": came_in,
            }
            yield risk_history.put_finding(account_id, closed, stored)


def _spans(days: Sequence[int]) -> Iterator[str]:
    """Days as spans: "3 Nov", "5 to 9 Nov", "30 Nov to 2 Dec"."""
    ordered = sorted(days)
    begins = [ordered[0], *(later for earlier, later in pairwise(ordered) if later > earlier + 1)]
    ends = [*(earlier for earlier, later in pairwise(ordered) if later > earlier + 1), ordered[-1]]
    for begin, end in zip(map(date_of, begins), map(date_of, ends), strict=True):
        if begin == end:
            yield f"{begin.day} {begin:%b}"
        elif (begin.year, begin.month) == (end.year, end.month):
            yield f"{begin.day} to {end.day} {end:%b}"
        else:
            yield f"{begin.day} {begin:%b} to {end.day} {end:%b}"
