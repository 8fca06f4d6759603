"""Merges accounts: two ids are one account from now on, and for the past. It may be interrupted anywhere.

The account is given up at once, and its item says so: from then on its id is another name of the account that goes on.
Then its days are moved there, one by one, and what else names it follows. The same call again, or the night, finishes
that.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from healthscore.storage import workspace
from healthscore.storage.accounts import accounts, history, merges, merging, more_names, use
from healthscore.storage.alerts import messages
from healthscore.storage.crm import companies, connections
from healthscore.storage.day_logs import moving
from healthscore.storage.day_logs.terms import Terms
from healthscore.storage.erasure import summary
from healthscore.storage.errors import StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class MergeUnfinishedError(Exception):
    """The account is given up, and time ran out before all of it had moved."""


def merge(old: str, new: str, now: datetime, time_left: Callable[[], float]) -> str:
    """Merge an account into another one.

    Args:
        old: the id to give up.
        new: the account that goes on.
        now: the time of the merge, aware.
        time_left: seconds until the answer must be out.

    Returns:
        The id by which the account goes on.

    Raises:
        AccountErasedError: one of the accounts is not there, or is being erased; its id is the argument.
        MergeRefusedError: the merge makes no sense.
        TooManyMergesError: there is no room for another merge.
        MergeUnfinishedError: something is left to do.
        StorageUnavailableError: the same, or nothing is done.
    """
    new = merging.begin(old, new, workspace.settings().settings.milestones)
    merges.known.forget()
    try:
        done = finish(old, now, time_left)
    except StorageUnavailableError:
        if time_left() > 0:
            raise
        done = False
    if not done:
        raise MergeUnfinishedError
    return new


def finish(old: str, now: datetime, time_left: Callable[[], float]) -> bool:
    """Finish the merge of an id that was given up; answers whether nothing is left.

    Raises:
        StorageUnavailableError: something is left.
    """
    if old not in merges.known.at_hand().into:
        merges.known.forget()
    terms = Terms.of(workspace.settings().settings, now, time_left)
    if old not in terms.merges.moving:
        return True
    new = terms.merges.canonical(old)
    messages.withdraw_all(old)
    moving.move(old, terms)
    use.delete(old)
    goes_on = accounts.get(new)
    copies = () if goes_on is None else history.copy_snapshots(old, goes_on)
    for _ in chain(more_names.move(old, new), copies):
        if time_left() <= 0:
            return False
    for connection in connections.connections():
        companies.follow_merge(connection.provider, old, new)
    summary.without(old)
    merges.change(lambda present: present.moved(old) if present.canonical(old) == new else present)
    return old not in merges.known.at_hand().moving
