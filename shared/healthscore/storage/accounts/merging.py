"""Giving an account up for another one: what changes at once, in one transaction (tables Accounts, Activity, Settings).

The item of the account that is given up stays as a signpost: it names the account that goes on, and keeps the domains
by which companies of a CRM find it. What is known of the account fills what is not known of the other one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.core.account import RECENT_NIGHTS
from healthscore.core.day_log.first_seen import merge_first_seen
from healthscore.core.identity.traits import with_traits
from healthscore.core.signals.earlier_profiles import merged, without_churned
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.accounts import (
    accounts,
    changes,
    earlier_book,
    earlier_profiles,
    fold_state,
    history,
    merges,
    more_names,
    stored_scores,
)
from healthscore.storage.accounts.account_item import COUNTED_BY, PENDING_USER_ERASURES, read_item
from healthscore.storage.errors import AccountErasedError
from healthscore.storage.retries import retried

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from healthscore.core.signals.earlier_profiles import Earlier, Fields
    from healthscore.storage.codec import Attribute, Item
    from healthscore.storage.writes import Write

MAX_MERGES, MAX_BYTES = 1000, 200_000
"""How many merges a workspace may have, and bytes of their text: all of them are one item."""
DOMAINS = ("domain", "website")
"""Fields of a profile, and attributes, by which companies of a CRM find an account."""
_TEXTS = (
    "profile",
    "traits",
    "crm",
    "names",
    schema.EARLIER_PROFILES,
    schema.ACKNOWLEDGEMENT,
    stored_scores.VERSION,
)
"""What is known of an account, each a text that a write replaces as a whole."""
_SCORES = (stored_scores.LATEST, stored_scores.RECENT)


class MergeRefusedError(Exception):
    """The merge makes no sense; the message says why, and completes a sentence that begins with "The account"."""


class TooManyMergesError(Exception):
    """There is no room for another merge."""


@retried(accounts.TOO_MANY_WRITERS)
def begin(old: str, new: str, milestones: Collection[str]) -> str:
    """Give an account up for another one; nothing happens where that was done before.

    Args:
        old: the account to give up.
        new: the account that goes on, or an id that was given up for it.
        milestones: event names whose first time is always remembered.

    Returns:
        The id by which the account goes on.

    Raises:
        AccountErasedError: one of the accounts is not there, or is being erased; its id is the argument.
        MergeRefusedError: the two are one account, or `old` was merged into yet another one.
        TooManyMergesError: see there.
        StorageUnavailableError: it is not known whether it is given up.
    """
    stored = merges.read()
    new = stored.merges.canonical(new)
    if new == stored.merges.into.get(old):
        return new
    if old in stored.merges.into:
        raise MergeRefusedError("was merged into another account before")
    if old == new:
        raise MergeRefusedError("cannot be merged into itself, or into an account that was merged into it")
    changed = stored.merges.with_merge(old, new)
    if len(changed.into) > MAX_MERGES or len(codec.dumps(changed.to_json()).encode()) > MAX_BYTES:
        raise TooManyMergesError
    given_up, goes_on = (_item(account_id) for account_id in (old, new))
    filled = _filled(given_up, goes_on, milestones)
    erasing = given_up.get(PENDING_USER_ERASURES)
    updates = [
        changes.update(
            old,
            conditions.ACCOUNT_EXISTS,
            conditions.TAKES_WRITES,
            *(conditions.unchanged(name, codec.optional_text_of(given_up, name)) for name in _TEXTS),
            sets={schema.INTO: codec.text(new), "profile": codec.json_text(_domains(given_up))},
            removes=[
                *(name for name in _TEXTS if name != "profile"),
                *_SCORES,
                PENDING_USER_ERASURES,
                *fold_state.ATTRIBUTES,
                *earlier_book.ATTRIBUTES,
            ],
        ),
        changes.update(
            new,
            conditions.ACCOUNT_EXISTS,
            conditions.TAKES_WRITES,
            *(conditions.unchanged(name, codec.optional_text_of(goes_on, name)) for name in _TEXTS),
            sets=filled,
            removes=[COUNTED_BY],
            adds={} if erasing is None else {PENDING_USER_ERASURES: erasing},
        ),
    ]
    facts = read_item(given_up).crm if "crm" not in goes_on else None
    kept = [] if facts is None else [history.put_crm(new, facts)]
    kept += _overtaken_snapshot(given_up, goes_on)
    names = filled.get("names", goes_on.get("names"))
    if names is not None:
        more_names.keep(new, names["S"], codec.json_of(given_up, "names", {}).items())
    writes.transact(stored.put(changed), *updates, *earlier_book.deletes(given_up), *kept)
    return new


def _item(account_id: str) -> Item:
    item = reads.get(schema.accounts_table(), codec.account_key(account_id))
    if item is None or schema.ERASING in item:
        raise AccountErasedError(account_id)
    return item


def _filled(given_up: Item, goes_on: Item, milestones: Collection[str]) -> dict[str, Attribute]:
    """What is to be set in the item of the account that goes on."""
    old, new = read_item(given_up), read_item(goes_on)
    traits = _traits(codec.json_of(given_up, "traits", {}), codec.json_of(goes_on, "traits", {}))
    profile = _profile(codec.json_of(given_up, "profile", {}), codec.json_of(goes_on, "profile", {}), new.profile)
    sets = {
        name: given_up[name] for name in ("crm", schema.ACKNOWLEDGEMENT) if name in given_up and name not in goes_on
    }
    sets |= {"profile": codec.json_text(profile), "traits": codec.json_text(traits)}
    sets |= _earlier_profiles(given_up, goes_on, {**goes_on, **sets})
    known = codec.json_of(goes_on, "names", {})
    names = merge_first_seen(known, codec.json_of(given_up, "names", {}).items(), milestones)
    if names is not None:
        sets["names"] = codec.json_text(names)
    sets["since"] = min(given_up["since"], goes_on["since"], key=lambda since: since["S"])
    nights = {daily.day: daily for daily in (*old.recent, *new.recent)}
    recent = [nights[day] for day in sorted(nights)][-RECENT_NIGHTS:]
    if recent:
        sets[stored_scores.RECENT] = stored_scores.recent_attribute(recent)
        sets[stored_scores.VERSION] = stored_scores.version_attribute({**goes_on, **sets})
    if old.latest is not None and (new.latest is None or new.latest.day < old.latest.day):
        sets[stored_scores.LATEST] = given_up[stored_scores.LATEST]
        sets[stored_scores.VERSION] = stored_scores.version_attribute({**goes_on, **sets})
    return sets


def _earlier_profiles(given_up: Item, goes_on: Item, after: Item) -> dict[str, Attribute]:
    """What held before of what rules read, of both accounts; the CRM facts of one of them count alone, as now."""

    def known(item: Item) -> tuple[Fields, Earlier]:
        text = codec.optional_text_of(item, schema.EARLIER_PROFILES)
        return earlier_profiles.read_now(item), earlier_profiles.read_text(text)

    other = known(given_up)
    if "crm" in goes_on:
        other = without_churned(*other)
    both = merged(known(goes_on), other, earlier_profiles.read_now(after))
    return {schema.EARLIER_PROFILES: codec.json_text(both)} if both or schema.EARLIER_PROFILES in goes_on else {}


def _overtaken_snapshot(given_up: Item, goes_on: Item) -> list[Write]:
    """Of the newest snapshots of both, the one for which the item of the account that goes on has no room."""
    both = [(read_item(item).latest, codec.text_of(item, "account_id")) for item in (given_up, goes_on)]
    newest = [(snapshot, account_id) for snapshot, account_id in both if snapshot is not None]
    if len(newest) < len(both):
        return []
    snapshot, account_id = min(newest, key=lambda one: one[0].day)
    return [history.copy(account_id, snapshot)]


def _traits(given_up: Mapping[str, Any], goes_on: Mapping[str, Any]) -> dict[str, Any]:
    traits = dict(goes_on)
    for name, (value, at) in given_up.items():
        if name not in goes_on:
            traits = with_traits(traits, {name: value}, at) or traits
    return traits


def _profile(given_up: Mapping[str, Any], goes_on: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    """A profile with what is known of the other account where nothing is shown so far."""
    attributes = {
        name: value for name, value in given_up.get("attributes", {}).items() if name not in shown.get("attributes", {})
    } | goes_on.get("attributes", {})
    filled = {name: value for name, value in given_up.items() if name not in shown} | dict(goes_on)
    return {**filled, "attributes": attributes} if attributes else filled


def _domains(given_up: Item) -> dict[str, Any]:
    shown = read_item(given_up).profile
    kept = {name: shown[name] for name in DOMAINS if name in shown}
    attributes = {name: value for name, value in shown.get("attributes", {}).items() if name in DOMAINS}
    return {**kept, "attributes": attributes} if attributes else kept
