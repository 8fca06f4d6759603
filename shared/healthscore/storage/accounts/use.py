"""An account's use as far as it is folded (table Activity): one item for its days, one for the sums of its weeks.

The items of the days' logs lie before them, in the same partition. Whoever folds reads these two items first, and the
logs after them; each put holds only while the item is as it was read. The weeks are put first: as long as the days are
not put, the same days are folded again. The days of the running week are mostly not in it (`services.folding`).
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.signals import packed_use
from healthscore.core.signals.calendar import DAYS
from healthscore.core.signals.use import HORIZON_WEEKS
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.accounts import late
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.retries import retried

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from healthscore.core.signals.use import Use
    from healthscore.storage.codec import Item

KEPT = timedelta(days=DAYS * HORIZON_WEEKS + 35)
"""For so long after they were put the items are kept: then there is nothing in them that a rule looks at."""

ATTRIBUTES = ("sk", "v", "u", "erased")
"""Of both items: the sort key, a random version, and the packed use; of the days, the time of the last erasure of a
user, in seconds since the Unix epoch."""


class StoredUse(NamedTuple):
    """Both items as they were read."""

    days: bytes | None = None
    days_version: str | None = None
    weeks: bytes | None = None
    weeks_version: str | None = None
    erased: int = 0

    @property
    def use(self) -> Use:
        """What they hold.

        Raises:
            ValueError: it is not what this version writes.
        """
        return packed_use.unpack(self.days, self.weeks)


def read(account_id: str, *, consistent: bool = True) -> Use:
    """An account's use; empty where nothing is folded yet.

    Args:
        account_id: the account.
        consistent: whether what was put a moment ago must be in it, at twice the read units.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return read_items(account_id, consistent=consistent).use


def read_items(account_id: str, *, consistent: bool = True) -> StoredUse:
    """Both items of an account's use. Raises as `read` does."""
    request = reads.partition(
        schema.activity_table(),
        schema.activity_pk(account_id),
        between=(schema.USE_DAYS, schema.USE_WEEKS),
        attributes=ATTRIBUTES,
        consistent=consistent,
    )
    return of_items(pages(dynamodb().query, **request))


def of_items(items: Iterable[Item]) -> StoredUse:
    """The items of an account's use, of items of its partition."""
    found = StoredUse()
    for item in items:
        if codec.text_of(item, "sk") == schema.USE_DAYS:
            erased = codec.number_of(item, "erased") if "erased" in item else 0
            found = found._replace(
                days=codec.binary_of(item, "u"), days_version=codec.text_of(item, "v"), erased=erased
            )
        elif codec.text_of(item, "sk") == schema.USE_WEEKS:
            found = found._replace(weeks=codec.binary_of(item, "u"), weeks_version=codec.text_of(item, "v"))
    return found


def save(account_id: str, stored: StoredUse, before: Use, use: Use, now: datetime) -> str | None:
    """Put what has changed of an account's use: first its weeks, then its days; answers the version of these.

    Args:
        account_id: the account.
        stored: the items as they were read.
        before: what they hold.
        use: what they are to hold.
        now: the present time, aware.

    Raises:
        ConditionFailedError: another writer has put one of them since, or the account is gone.
        StorageUnavailableError: it is not known whether it is put; the same fold may be made again.
    """
    if (use.weeks, use.features, use.tickets) != (before.weeks, before.features, before.tickets):
        _put(account_id, schema.USE_WEEKS, packed_use.pack_weeks(use), stored.weeks_version, now)
    days = packed_use.pack_days(use)
    if days == stored.days:
        return stored.days_version
    return _put(account_id, schema.USE_DAYS, days, stored.days_version, now, erased=stored.erased)


@retried("too many writers at once for one account's use")
def take_out(account_id: str, people: Collection[str], now: datetime) -> bool:
    """Take people out of an account's use after they were taken out of its logs; answers whether there is an account.

    The days are always put anew, so that a night which has read the logs before cannot put what it has read.

    Raises:
        StorageUnavailableError: they may be in it still.
    """
    stored = read_items(account_id)
    days = packed_use.pack_days(stored.use.without(frozenset(people)))
    try:
        at = int(now.timestamp())
        _put(account_id, schema.USE_DAYS, days, stored.days_version, now, erased=at)
    except ConditionFailedError:
        if late.read(account_id) is None:
            return False
        raise
    return True


def delete(account_id: str) -> None:
    """Delete the use of an account that was given up for another one: its days are that one's now.

    Raises:
        StorageUnavailableError: some may be left.
    """
    keys = [codec.key(schema.activity_pk(account_id), sk) for sk in (schema.USE_DAYS, schema.USE_WEEKS)]
    writes.delete_all(schema.activity_table(), keys)


def _put(account_id: str, sk: str, data: bytes, read_version: str | None, now: datetime, *, erased: int = 0) -> str:
    version = secrets.token_urlsafe(8)
    item = {
        **codec.key(schema.activity_pk(account_id), sk),
        "v": codec.text(version),
        "u": codec.binary(data),
        "ttl": codec.number(int((now + KEPT).timestamp())),
    }
    if erased:
        item["erased"] = codec.number(erased)
    put = writes.put(schema.activity_table(), item, conditions.version_is(read_version))
    if read_version is None:  # an account that was erased meanwhile must not leave any
        account = codec.account_key(account_id)
        holds = (conditions.ACCOUNT_EXISTS, conditions.TAKES_WRITES)
        writes.apply(put, writes.check(schema.accounts_table(), account, *holds))
    else:
        writes.apply(put)
    return version
