"""Looking up whose the entries are that name their account: before they are committed, and again afterwards.

The log of a day knows the people whose entries it has. Of the others the records say who they are. A record may change
before the entries are committed; then whoever changes it does not find them in the log. So it is noted first that the
ids' events name the account, and looked at the records again once the entries are committed: at least one of the two
sees the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from healthscore.storage.people import ids as ids_of_people
from healthscore.storage.people.ids import StoredPeople

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet
    from datetime import date

    from healthscore.core.day_log.codec import Entry


class Lookup(NamedTuple):
    """People as they are known before a commit, for accounts that their entries name."""

    people: StoredPeople
    pairs: AbstractSet[tuple[str, str]]
    """The ids and accounts for which this holds: it is noted that events of the id name the account."""

    @classmethod
    def of(cls, pairs: AbstractSet[tuple[str, str]]) -> Lookup:
        """Look people up, and note that their events are in accounts' logs.

        Raises:
            StorageUnavailableError: not noted, or not known to be.
        """
        return cls(ids_of_people.read_naming(pairs), pairs) if pairs else NOBODY

    def unsure(self, entries: Iterable[Entry], day: date, overtaken: AbstractSet[str]) -> frozenset[str]:
        """The people of entries of whom something else may be known by now than when they were looked up.

        Args:
            entries: entries of a day, of any people.
            day: the day.
            overtaken: the ids whose records have changed since; see `StoredPeople.overtaken`.
        """
        ids = {one.person for one in entries if one.person is not None} & self.people.records.keys()
        return frozenset(id_ for id_ in ids if not overtaken.isdisjoint(self.people.behind_on(id_, day)))


NOBODY = Lookup(StoredPeople(), frozenset())
"""Nobody is looked up."""
