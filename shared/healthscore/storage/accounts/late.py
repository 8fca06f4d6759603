"""Late marks: that the log of a day changes which no night looks at any more (table Accounts).

Each night looks at the newest logs, and folds those that have changed into the account's use. Whoever is about to
change an older one says so first, in the account's item: the earliest of such days, and when. The night then folds
again from that day on, until it has done so a while after the mark. Nobody takes a mark away, so no writer and no night
can miss each other; a mark that was followed by nothing costs a fold.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from healthscore.core.time import DAY
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.accounts import changes
from healthscore.storage.accounts.fold_state import ATTRIBUTES, LATE, Mark, of_item
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from datetime import date, datetime

    from healthscore.storage.accounts.fold_state import Marked

RECENT_DAYS = 7
"""Changes of days that are not older need no mark: the next nights see them."""
FRESH = timedelta(hours=1)
"""For so long a mark stands for other writers as well."""
HOLDS = 2 * 3600
"""Seconds after a mark from which on a fold sees all that it stands for: no writer takes so long from mark to log."""


def is_recent(day: date, now: datetime) -> bool:
    """Whether the next nights see a change of a day's log by themselves."""
    return day >= now.date() - RECENT_DAYS * DAY


def mark(account_id: str, marked: Marked | None, day: date, now: datetime) -> None:
    """Mark an account before the log of a day is changed, unless the day is recent, or it is marked already.

    Args:
        account_id: the account.
        marked: what its item says; None where it was not there: all days of a new account are folded anyway.
        day: the earliest day that is changed.
        now: the present time, aware.

    Raises:
        StorageUnavailableError: it may not be marked.
    """
    if is_recent(day, now):
        return
    number, at = day.toordinal(), int(now.timestamp())
    for attempt in attempts("too many writers at once for one account"):
        if attempt:
            marked = read(account_id)
        if marked is None:
            return
        earlier, followed = marked.mark, marked.folded.whole if marked.folded else None
        if earlier is not None:
            if earlier.day <= number and 0 <= at - earlier.at < FRESH.total_seconds():
                return
            if followed is None or followed <= earlier.at + HOLDS:
                number = min(number, earlier.day)
        unchanged = conditions.unchanged(LATE, marked.text)
        sets = {LATE: codec.json_text(Mark(number, at))}
        update = changes.update(account_id, conditions.ACCOUNT_EXISTS, conditions.TAKES_WRITES, unchanged, sets=sets)
        try:
            writes.apply(update)
        except ConditionFailedError:
            continue
        return


def read(account_id: str) -> Marked | None:
    """What an account's item says now; None where it is not there, or takes no writes.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    attributes = ("account_id", *ATTRIBUTES, schema.ERASING, schema.INTO)
    item = reads.get(schema.accounts_table(), codec.account_key(account_id), attributes)
    return None if not item or schema.ERASING in item or schema.INTO in item else of_item(item)
