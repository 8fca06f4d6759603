"""An account's use as far as it is folded (table Activity): one item for its days, one for the sums of its weeks.

The items of the days' logs lie before them, in the same partition. Whoever folds reads these two items first, and the
logs after them; each put holds only while the item is as it was read. The weeks are put first: as long as the days are
not put, the same days are folded again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.signals import packed_use
from healthscore.storage import codec, reads, schema
from healthscore.storage.client import dynamodb, pages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.core.signals.use import Use
    from healthscore.storage.codec import Item

ATTRIBUTES = ("sk", "v", "u", "scrubbed")
"""Of both items: the sort key, a random version, and the packed use; of the days, the time of the last erasure of a
user, in seconds since the Unix epoch."""


class StoredUse(NamedTuple):
    """Both items as they were read."""

    days: bytes | None = None
    days_version: str | None = None
    weeks: bytes | None = None
    weeks_version: str | None = None
    scrubbed: int = 0

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
    request = reads.partition(
        schema.activity_table(),
        schema.activity_pk(account_id),
        between=(schema.USE_DAYS, schema.USE_WEEKS),
        attributes=ATTRIBUTES,
        consistent=consistent,
    )
    return of_items(pages(dynamodb().query, **request)).use


def of_items(items: Iterable[Item]) -> StoredUse:
    """The items of an account's use, of items of its partition."""
    found = StoredUse()
    for item in items:
        if codec.text_of(item, "sk") == schema.USE_DAYS:
            scrubbed = codec.number_of(item, "scrubbed") if "scrubbed" in item else 0
            found = found._replace(
                days=codec.binary_of(item, "u"), days_version=codec.text_of(item, "v"), scrubbed=scrubbed
            )
        elif codec.text_of(item, "sk") == schema.USE_WEEKS:
            found = found._replace(weeks=codec.binary_of(item, "u"), weeks_version=codec.text_of(item, "v"))
    return found
