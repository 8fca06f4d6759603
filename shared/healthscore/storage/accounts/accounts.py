"""What is known of each account now (table Accounts).

One item holds everything, in parts that different writers own: people and integrations write the profile and the CRM
facts, ingestion the first-seen times, the nightly run the latest score. Each part is an attribute of its own, changed
only on condition that it still reads as it was read, so that no writer can undo another's work.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from healthscore.core.account import RECENT_NIGHTS
from healthscore.core.identity.traits import with_traits
from healthscore.core.time import format_instant, millis
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.accounts import changes, history, merges, more_names, stored_scores
from healthscore.storage.accounts.account_item import COUNTED_BY, crm_text, read_item, try_item
from healthscore.storage.accounts.existence import exists
from healthscore.storage.accounts.first_seen import account_birth
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.errors import AccountErasedError, BeingErasedError, ConditionFailedError
from healthscore.storage.retries import attempts, retried

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from healthscore.core.account import Account
    from healthscore.core.model import CrmFacts, Snapshot
    from healthscore.storage.accounts.account_item import Unreadable
    from healthscore.storage.codec import Attribute, Item
    from healthscore.storage.writes import Write

TOO_MANY_WRITERS = "too many writers at once for one account"


def get(account_id: str, *, consistent: bool = True) -> Account | None:
    """Read one account, by an id that was given up for it as well; None where there is none, or it is being erased.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    item = _item(account_id, consistent=consistent)
    if schema.INTO in item:
        item = _item(merges.read().merges.canonical(account_id))
    return None if not item or _is_gone(item) else read_item(item)


def scan(scan_part: int, scan_parts: int, after: str | None = None) -> Iterator[Account | Unreadable]:
    """The accounts of one part of the table, page by page, read consistently; the parts together hold every account.

    An item that cannot be read hides no other: it is answered as such, in its turn.

    Args:
        scan_part: which part, from 0.
        scan_parts: how many there are.
        after: an account of this part that was answered before: the answer goes on behind it.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    items = pages(
        dynamodb().scan,
        TableName=schema.accounts_table(),
        Segment=scan_part,
        TotalSegments=scan_parts,
        ConsistentRead=True,
        **({} if after is None else {"ExclusiveStartKey": codec.account_key(after)}),
    )
    return map(try_item, items)


@retried(TOO_MANY_WRITERS)
def save_profile(account_id: str, change: Callable[[dict[str, Any]], dict[str, Any]], now: datetime) -> Account:
    """Change an account's profile; creates the account.

    Args:
        account_id: the account.
        change: takes the present profile (empty for a new account) and answers the new one; called again where the
            profile was changed meanwhile.
        now: becomes the birthday of an account that is created.

    Raises:
        StorageUnavailableError: not saved.
    """
    account_id, item = _item_to_change(account_id)
    return _describe(account_id, item, {"profile": change(codec.json_of(item, "profile", {}))}, now)


@retried(TOO_MANY_WRITERS)
def save_traits(account_id: str, new: Mapping[str, Any], at: int | None, now: datetime) -> None:
    """Save the traits of a group call about an account; creates the account.

    Args:
        account_id: the account.
        new: fields of the profile by name, and attributes as `attributes.<name>`; all of them valid.
        at: the time of the call, in milliseconds since the Unix epoch, or `FILLS`; see `with_traits`.
        now: becomes the birthday of an account that is created.

    Raises:
        StorageUnavailableError: not saved.
    """
    account_id, item = _item_to_change(account_id)
    traits = with_traits(codec.json_of(item, "traits", {}), new, at)
    if traits is not None:
        _describe(account_id, item, {"traits": traits}, now)


def _describe(account_id: str, item: Item, change: dict[str, Any], now: datetime) -> Account:
    """Write a profile or traits."""
    from healthscore.storage.accounts import earlier_profiles  # noqa: PLC0415  (see there)

    noted, noted_before = earlier_profiles.set_after(item, change, millis(now))
    sets = {name: codec.json_text(value) for name, value in change.items()} | noted
    read = {name: codec.optional_text_of(item, name) for name in ("profile", "traits")} | noted_before
    return read_item(writes.updated(update_account(account_id, sets, [], read, format_instant(now))))


@retried(TOO_MANY_WRITERS)
def erase_champions(account_id: str, user_ids: Collection[str]) -> bool:
    """Take users off an account's champions, those of earlier times included; answers whether any of them was one.

    Raises:
        StorageUnavailableError: not saved.
    """
    from healthscore.core.signals.earlier_profiles import without_people  # noqa: PLC0415  (as below)
    from healthscore.storage.accounts import earlier_profiles  # noqa: PLC0415  (see there)

    item = _item(account_id)
    if schema.INTO in item:
        account_id = merges.read().merges.canonical(account_id)
        item = _item(account_id)
    if not item or _is_gone(item):
        return False
    profile = codec.json_of(item, "profile", {})
    earlier = earlier_profiles.read_text(codec.optional_text_of(item, schema.EARLIER_PROFILES))
    sets, kept = {}, without_people(earlier, user_ids)
    if not set(user_ids).isdisjoint(profile.get("champions", ())):
        profile["champions"] = [champion for champion in profile["champions"] if champion not in user_ids]
        sets["profile"] = codec.json_text(profile)
    if kept != earlier:
        sets[schema.EARLIER_PROFILES] = codec.json_text(kept)
    if sets:
        read = {name: codec.optional_text_of(item, name) for name in sets}
        writes.apply(update_account(account_id, sets, [], read, None))
    return bool(sets)


@retried(TOO_MANY_WRITERS)
def save_crm(account_id: str, facts: CrmFacts) -> Account:
    """Replace an account's CRM facts; creates the account.

    The facts are kept in its history as well, in the same transaction, so that a score as of any past instant can be
    computed from what was known then.

    Raises:
        StorageUnavailableError: not saved.
    """
    from healthscore.storage.accounts import earlier_profiles  # noqa: PLC0415  (see there)

    account_id, item = _item_to_change(account_id)
    text, now = crm_text(facts), format_instant(facts.received_at)
    noted, noted_before = earlier_profiles.set_after(item, {"crm": json.loads(text)}, millis(facts.received_at))
    read = {"crm": codec.optional_text_of(item, "crm")} | noted_before
    update = update_account(account_id, {"crm": codec.text(text)} | noted, [], read, now)
    writes.transact(update, history.put_crm(account_id, facts))
    return read_item(_item(account_id))


def save_score(account: Account, snapshot: Snapshot, *, shown: bool = False) -> None:
    """Save a score as an account's latest one and among its recent nights; if the account has changed, try again.

    A night that is older than the latest one (a backfill) is saved among the recent nights and in the history; a night
    that is saved again replaces itself.

    Args:
        account: the account as it was read.
        snapshot: the score.
        shown: whether the book has to show it before the next night: a night's own score comes with its dataset.

    Raises:
        AccountErasedError: as for `reread`.
        StorageUnavailableError: not saved.
    """
    for _ in attempts(TOO_MANY_WRITERS):
        try:
            commit_score(account, snapshot, shown=shown)
        except ConditionFailedError:
            account = reread(account)
            continue
        return


def commit_score(
    account: Account,
    snapshot: Snapshot,
    along: Sequence[Write] = (),
    in_history: Snapshot | None = None,
    *,
    beside: dict[str, Attribute] | None = None,
    by_profile: bool = False,
    shown: bool = False,
) -> None:
    """Save a score as `save_score` does, on condition that nobody has saved another one since the account was read.

    The account's item has the newest snapshot, the history all others. The one of the two that is older is put there in
    one transaction with the item, unless it is there already. So whoever reads the account and then the history misses
    no night.

    Args:
        account: the account as read.
        snapshot: the score.
        along: further writes, in one transaction with this one.
        in_history: a snapshot that the history is known to have.
        beside: further attributes of the account that the night sets.
        by_profile: whether `along` may name champions: then the profile must be as it was read, since a user who was
            erased meanwhile is in it no more.
        shown: as for `save_score`.

    Raises:
        ConditionFailedError: the account has changed, or is gone, or a condition in `along` does not hold.
        StorageUnavailableError: it is not known whether it is saved.
    """
    newest, copies = account.latest, []
    if newest is not None and newest.day != snapshot.day:
        older = min(newest, snapshot, key=lambda one: one.day)
        copies = [] if older == in_history else [history.copy(account.account_id, older)]
    if newest is None or snapshot.day >= newest.day:
        newest = snapshot
    dailies = {daily.day: daily for daily in (*account.recent, snapshot.daily)}
    recent = [dailies[day] for day in sorted(dailies)][-RECENT_NIGHTS:]
    sets = stored_scores.attributes(newest, recent) | (beside or {})
    as_read = {stored_scores.VERSION: account.scores_version}
    if by_profile:
        as_read |= {"profile": account.own_profile, schema.EARLIER_PROFILES: account.earlier_profiles}
    writes.apply(update_account(account.account_id, sets, [], as_read, None, shown=shown), *copies, *along)


def reread(account: Account) -> Account:
    """Read an account again whose score could not be saved.

    Raises:
        AccountErasedError: it was erased or merged meanwhile, or is being erased, or was erased and has begun again.
        StorageUnavailableError: the table cannot be read now.
    """
    item = _item(account.account_id)
    if not item or _is_gone(item):
        merges.known.forget()
        raise AccountErasedError
    present = read_item(item)
    if present.since > account.since:
        raise AccountErasedError
    return present


def save_counted_by(account_id: str, setting: str | None) -> None:
    """Save the setting by which users do not count that an account's days follow now; None where everybody counts.

    Raises:
        AccountErasedError: the account was erased meanwhile, or is being erased.
        StorageUnavailableError: not saved.
    """
    sets = {} if setting is None else {COUNTED_BY: codec.text(setting)}
    for _ in attempts(TOO_MANY_WRITERS):
        try:
            writes.apply(update_account(account_id, sets, [] if sets else [COUNTED_BY], {}, None))
        except ConditionFailedError:
            if not exists(account_id):
                raise AccountErasedError from None
            continue
        return


def _item(account_id: str, *, consistent: bool = True) -> Item:
    return reads.get(schema.accounts_table(), codec.account_key(account_id), consistent=consistent) or {}


def _item_to_change(account_id: str) -> tuple[str, Item]:
    """An account's id and its item before it is changed, empty where there is none yet.

    Raises:
        BeingErasedError: a change must wait until nothing of the account is left.
    """
    item = _item(account_id)
    if schema.INTO in item:
        account_id = merges.read().merges.canonical(account_id)
        item = _item(account_id)
    if _is_gone(item):
        raise BeingErasedError("the account is being erased")
    if "names" in item:
        more_names.fit(account_id, codec.text_of(item, "names"))
    return account_id, item


def _is_gone(item: Item) -> bool:
    return schema.ERASING in item or schema.INTO in item


def update_account(
    account_id: str,
    sets: dict[str, Attribute],
    removes: list[str],
    read: dict[str, str | None],
    now: str | None,
    *,
    shown: bool = False,
) -> Write:
    """An update that sets and removes attributes on condition that others are still as they were read.

    With `now` the account is created if it is not there; without, it has to be there. An account that is being erased,
    or was given up for another one, is not changed. `shown` as in `changes.update`.
    """
    holds = [conditions.TAKES_WRITES, *(conditions.unchanged(name, text) for name, text in read.items())]
    if now is None:
        holds.append(conditions.ACCOUNT_EXISTS)
    birth = {} if now is None else account_birth(now)
    return changes.update(
        account_id,
        *holds,
        sets=sets,
        defaults={name: value for name, value in birth.items() if name not in sets},
        removes=removes,
        shown=shown,
    )
