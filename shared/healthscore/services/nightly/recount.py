"""Has an account's days follow the setting of users who do not count, where it has changed since they were counted.

Events are kept with whose they are, and whether these count. So a change of the setting is a settlement of everybody
whom the account knows, like that of people who are joined: their entries get other labels, and the days their figures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.identity.people import ids_of
from healthscore.storage import schema
from healthscore.storage.accounts import accounts
from healthscore.storage.day_logs import settle, whole_days
from healthscore.storage.day_logs.terms import Terms
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.people import calls, ids

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from healthscore.core.account import Account
    from healthscore.settings import Settings


def recount(account: Account, settings: Settings, now: datetime, keep_going: Callable[[], bool]) -> bool:
    """Settle everybody whom an account knows, if the setting has changed; the rest is left to the next night.

    Args:
        account: the account as read.
        settings: the workspace's settings.
        now: the time of the run, aware.
        keep_going: asked all along; False leaves the account as it is, to be begun again by the next night.

    Returns:
        Whether the account may have changed since it was read.

    Raises:
        AccountErasedError: the account is being erased.
        StorageUnavailableError: storage failed; the next night tries again.
    """
    wanted = settings.identity.not_counted.text
    if account.counted_by == wanted:
        return False
    terms = Terms.of(settings, now, lambda: 1.0 if keep_going() else 0.0)
    try:
        _settle_everybody(account.account_id, terms)
    except StorageUnavailableError:
        if keep_going():
            raise
        return True
    accounts.save_counted_by(account.account_id, wanted)
    return True


def _settle_everybody(account_id: str, terms: Terms) -> None:
    known = dict.fromkeys(
        one
        for name in (account_id, *terms.merges.given_up_for(account_id))
        for id_ in calls.members(name)
        for one in _person(id_)
    )
    for id_ in known:
        settle.settle(id_, terms, labels=False)
    for day in whole_days.days(schema.activity_pk(account_id)):
        settle.settle_named(known, account_id, day, terms)


def _person(id_: str) -> list[str]:
    """All ids of the people behind an id, the id itself first."""
    people = ids.read([id_])
    record = people.records[id_]
    owners = [owner for _, owner in record.owners] if record.is_device else [id_]
    return [id_, *(other for owner in owners for other in ids_of(people.person_of(owner)))]
