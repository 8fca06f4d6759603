"""One transaction over the heads of several logs: what is written to them counts in all of them, or in none.

An event that names no account is in its id's own log, and a copy of it in the log of the account that its person
belongs to. Both are written together, so that neither is there without the other, whatever crashes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from healthscore.core.day_log import log as day_log
from healthscore.core.day_log.shards import NO_LOAD
from healthscore.storage import codec, conditions, schema, writes
from healthscore.storage.accounts import more_names
from healthscore.storage.accounts.first_seen import changed_first_seen, first_seen_writes, seen
from healthscore.storage.day_logs import commit_shard, log_items

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from healthscore.core.day_log.codec import Entry
    from healthscore.core.day_log.shards import WriteLoad
    from healthscore.storage.day_logs.log_items import LogKey, StoredHead
    from healthscore.storage.day_logs.terms import Terms
    from healthscore.storage.writes import Write


MOST_ACTIONS, MOST_BYTES = 100, 3_900_000
"""That DynamoDB takes in one transaction: of the 4 MB of the items that it puts and checks, a little is left over."""


class TooManyActionsError(Exception):
    """A transaction has more than `MOST_ACTIONS` actions, or `MOST_BYTES`."""


def fits(together: Sequence[Write]) -> bool:
    """Whether DynamoDB takes writes and checks in one transaction."""
    return len(together) <= MOST_ACTIONS and sum(write.size for write in together) <= MOST_BYTES


@dataclass(slots=True)
class Transaction:
    """Changes of heads, gathered and then made at once; made once, and thrown away where it fails."""

    terms: Terms
    along: list[Write] = field(default_factory=list)
    """Further writes and checks."""
    versions: dict[LogKey, str] = field(default_factory=dict)
    """The version that each head gets."""
    _begun: set[str] = field(default_factory=set)
    """The accounts of which a log is begun: these must be there."""
    _accounts: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    _seen: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    """Names and times of the entries that go into the logs of accounts."""
    _not_merged: set[str] = field(default_factory=set)
    _blocks: list[tuple[LogKey, day_log.Block]] = field(default_factory=list)
    _expiries: dict[LogKey, int] = field(default_factory=dict)
    """When each log expires."""
    _appended: dict[LogKey, StoredHead] = field(default_factory=dict)
    """The heads whose blocks stay."""
    _sealed: dict[LogKey, day_log.Sealed] = field(default_factory=dict)

    def append(
        self,
        key: LogKey,
        stored: StoredHead,
        entries: Iterable[Entry],
        *,
        places: str | None = None,
        load: WriteLoad = NO_LOAD,
    ) -> Sequence[Entry]:
        """Add entries to a log; answers those that are new in it. Nothing is written where none is.

        Args:
            key: the log.
            stored: its head as it was read.
            entries: what to add.
            places: in an id's own log: where its entries count.
            load: what this adds to the head's load.
        """
        sealed = commit_shard.sealed_part(key, stored)
        overhead = log_items.overhead(key.pk) + (len(places.encode()) + 1 if places else 0)
        append = day_log.append(key.day, sealed, stored.head, entries, overhead, salt=secrets.token_bytes(8), load=load)
        if append is None:
            return ()
        self._sealed[key] = append.sealed
        self._appended[key] = stored
        self._put(key, stored, append, places)
        return append.fresh

    def replace(self, key: LogKey, stored: StoredHead, entries: Sequence[Entry], *, places: str | None = None) -> None:
        """Put other entries in the place of all that are in a log; `places` as for `append`."""
        head = day_log.Head(shards=stored.head.shards, load=stored.head.load)
        overhead, salt = log_items.overhead(key.pk), secrets.token_bytes(8)
        append = day_log.append(key.day, day_log.NOTHING_SEALED, head, entries, overhead, salt=salt)
        if append is None:
            self._put_log(key, stored, day_log.encode_head(key.day, head), None, places)
        else:
            self._put(key, stored, append, places)

    def place(self, key: LogKey, stored: StoredHead, places: str) -> None:
        """Note in an id's own log that its entries count elsewhere."""
        self.versions[key] = version = secrets.token_urlsafe(8)
        sets = {"v": codec.text(version), "p": codec.text(places)}
        unchanged = conditions.version_is(stored.version)
        self.along.append(writes.update(schema.activity_table(), log_items.head_key(key), unchanged, sets=sets))

    def see(self, account_id: str, first_seen: str | None, entries: Sequence[Entry]) -> None:
        """Add entries to an account's first-seen times; the account is made where it is not there.

        Args:
            account_id: the account.
            first_seen: its first-seen times as they were read.
            entries: what goes into its logs.
        """
        read, before = self._accounts.get(account_id, (first_seen, None))
        changed = changed_first_seen(read if before is None else before, entries, self.terms.milestones)
        self._accounts[account_id] = (read, before if changed is None else changed)
        self._seen.setdefault(account_id, []).extend(seen(entries))

    def set_first_seen(self, account_id: str, first_seen: str | None, times: str, entries: Sequence[Entry]) -> None:
        """Replace an account's first-seen times; `first_seen` are those that were read, `entries` what they are of."""
        self._accounts[account_id] = (first_seen, None if times == first_seen else times)
        self._seen.setdefault(account_id, []).extend(seen(entries))

    def not_merged(self, account_id: str) -> None:
        """Have it fail where an account was given up for another one, whatever else it does with the account."""
        self._not_merged.add(account_id)

    def make(self) -> None:
        """Write everything.

        Raises:
            TooManyActionsError: DynamoDB takes less in one transaction; nothing is written. Make several of it.
            ConditionFailedError: a head, or another item that this depends on, has changed; nothing is written.
            StorageUnavailableError: it is not known whether it is written.
        """
        together = self._together()
        if not fits(together):
            raise TooManyActionsError
        for key, stored in self._appended.items():
            log_items.keep_blocks(key, stored, self._expiries[key])
        for key, block in self._blocks:
            log_items.put_block(key, block, self._expiries[key])
        # Names that the account's item has no room for come first: an event that is there is never without its name. An
        # account that is made here has to be there before.
        self._keep_names(of_new_accounts=False)
        writes.apply(*together)
        self._keep_names(of_new_accounts=True)
        for key, sealed in self._sealed.items():
            commit_shard.sealed_parts.keep(key, sealed)

    def _keep_names(self, *, of_new_accounts: bool) -> None:
        for account_id, names in self._seen.items():
            read, times = self._accounts[account_id]
            if (read is None) is of_new_accounts:
                more_names.keep(account_id, read if times is None else times, names)

    def _together(self) -> list[Write]:
        together = list(self.along)
        for account_id, (read, times) in sorted(self._accounts.items()):
            if times is None and account_id not in self._begun:
                continue  # the head that is changed is there, and so is the account
            if times is None:
                holds = (conditions.ACCOUNT_EXISTS, conditions.TAKES_WRITES)
                together.append(writes.check(schema.accounts_table(), codec.account_key(account_id), *holds))
            else:
                together += first_seen_writes(account_id, read, times, self.terms.now)
        for account_id in sorted(self._not_merged - self._accounts.keys()):
            account = codec.account_key(account_id)
            together.append(writes.check(schema.accounts_table(), account, conditions.NOT_MERGED))
        return together

    def discard(self) -> None:
        """Delete the blocks of a transaction that was not made, and never will be.

        Raises:
            StorageUnavailableError: some may be left.
        """
        for key, block in self._blocks:
            commit_shard.discard(key, [block])

    def _put(self, key: LogKey, stored: StoredHead, append: day_log.Append, places: str | None) -> None:
        self._blocks += [(key, block) for block in append.blocks]
        self._put_log(key, stored, append.log, append.rollup, places)

    def _put_log(self, key: LogKey, stored: StoredHead, log: bytes, rollup: str | None, places: str | None) -> None:
        self.versions[key] = version = secrets.token_urlsafe(8)
        expires = log_items.kept_until(stored, self.terms.expires(key.day))
        self._expiries[key] = expires
        if schema.is_account(key.pk) and stored.version is None:
            self._begun.add(schema.account_of(key.pk))
        self.along.append(
            log_items.head_put(
                key,
                log,
                rollup,
                read_version=stored.version,
                version=version,
                expires=expires,
                places=places,
            )
        )
