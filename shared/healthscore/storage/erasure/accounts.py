"""Erasing an account: every item that mentions it, in an order that can be interrupted anywhere.

First the account is marked, and has a tombstone for the files of the dataset: readers do not find it any more,
and writers refuse to add to it. Then everything else goes, and the account's own item last: as
long as anything is left, the mark is there, and the next call goes on.

Two calls may erase an account at once, and the faster one finishes while the slower one is under way. A new event
may then create the account again. So each deletion is one transaction with the condition that the mark is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.time import format_instant, parse_instant
from healthscore.storage import codec, conditions, schema, writes
from healthscore.storage.accounts import changes, merges
from healthscore.storage.erasure import (
    account_item,
    crm_companies,
    day_logs,
    digests,
    history,
    marked,
    people,
    summary,
    worker_results,
)
from healthscore.storage.erasure.eraser import AccountErasure
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.nights import tombstones

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from healthscore.storage.erasure.eraser import AccountEraser

ERASERS: tuple[AccountEraser, ...] = (
    people,  # before the logs, whose eraser deletes the whole partition, the list of the account's people included
    day_logs,
    history,
    crm_companies,
    digests,
    summary,
    worker_results,
    account_item,  # last: the mark is in it, and the words of an earlier book are found by it
)


_MAKE_ROOM = ("names", "recent")
"""What a marked item needs no more: so that the mark has room in an item that is full."""


def mark(account_id: str, now: datetime) -> bool:
    """Begin an account's erasure, or find it begun.

    Returns:
        Whether there is such an account.

    Raises:
        StorageUnavailableError: it is not known whether it has begun.
    """
    tombstones.prepare()
    update = changes.update(
        account_id,
        conditions.ACCOUNT_EXISTS,
        defaults={schema.ERASING: codec.text(format_instant(now))},
        removes=_MAKE_ROOM,
    )
    try:
        writes.apply(update)
    except ConditionFailedError:
        return False
    return True


def erase(account_id: str, now: datetime, keep_going: Callable[[], bool]) -> tuple[int, bool]:
    """Delete everything of a marked account, and then the account; or what may be left of one that is not there.

    Ids that were given up for it are erased first, each as an account of its own.

    An account that is there and not marked was created again after its erasure, and is left alone. It may have taken
    over what a crashed writer left behind during another erasure. So this erasure is not done: the next request erases
    the new account.

    Args:
        account_id: the account, or an id that was given up for it.
        now: the time of the erasure, aware.
        keep_going: asked after each step; False leaves the rest to the next call.

    Returns:
        How many items were found, and whether nothing is left of what was there when it began.

    Raises:
        StorageUnavailableError: something is left.
    """
    present, erased = merges.read().merges, 0
    account_id = present.canonical(account_id)
    ids = (*present.given_up_for(account_id), account_id)
    for id_ in ids:
        if id_ != account_id:
            mark(id_, now)
        number, done = _erase(id_, ids, now, keep_going)
        erased += number
        if not done:
            return erased, False
    return erased, True


def _erase(account_id: str, ids: Sequence[str], now: datetime, keep_going: Callable[[], bool]) -> tuple[int, bool]:
    """Erase what there is under one id of an account."""
    item = marked.account(account_id)
    if schema.ERASING not in item and (item or not marked.hold_place(account_id)):
        return 0, False
    if item:
        tombstones.put(account_id, parse_instant(codec.text_of(item, schema.ERASING)))
    erasure, erased = AccountErasure(account_id, ids, item, now), 0
    try:
        for eraser in ERASERS:
            for number in eraser.erase(erasure):
                erased += number
                if eraser is not ERASERS[-1] and not keep_going():
                    return erased, False
    except marked.OvertakenError:
        return erased, False
    return erased, True
