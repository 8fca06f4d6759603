"""What is known of each account now (table Accounts).

One item holds everything, in parts that different writers own: people and integrations write the profile and the CRM
facts, ingestion the first-seen times, the nightly run the latest score. Each part is an attribute of its own, changed
only on condition that it still reads as it was read, so that no writer can undo another's work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.core import book
from healthscore.core.account import RECENT_NIGHTS
from healthscore.core.documents import crm_from_json, daily_to_json, snapshot_to_json
from healthscore.core.identity.traits import effective, with_traits
from healthscore.core.model import Component
from healthscore.core.scoring.trend import trends
from healthscore.core.time import format_instant, parse_instant
from healthscore.storage import schema
from healthscore.storage.accounts import history, index, search_index
from healthscore.storage.accounts.account_item import crm_text, dumps, part, read_item, try_item
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import AccountErasedError, BeingErasedError, ConditionFailedError
from healthscore.storage.retries import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from healthscore.core.account import Account
    from healthscore.core.model import CrmFacts, DailyScore, Snapshot
    from healthscore.storage.accounts.account_item import Unreadable


def get(account_id: str, *, consistent: bool = True) -> Account | None:
    """Read one account; None where there is none, or where it is being erased.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    item = _get_item(account_id, consistent=consistent)
    return read_item(item) if item and schema.ERASING not in item else None


def scan(segment: int, segments: int, after: str | None = None) -> Iterator[Account | Unreadable]:
    """The accounts of one of `segments` parts of the table, page by page; the parts together hold every account.

    An item that cannot be read hides no other: it is answered as such, in its turn.

    Args:
        segment: which part, from 0.
        segments: how many there are.
        after: an account of this part that was answered before: the answer goes on behind it.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    items = pages(
        dynamodb().scan,
        TableName=schema.accounts_table(),
        Segment=segment,
        TotalSegments=segments,
        **({} if after is None else {"ExclusiveStartKey": {"account_id": {"S": after}}}),
    )
    return map(try_item, items)


def save_profile(account_id: str, change: Callable[[dict[str, Any]], dict[str, Any]], now: datetime) -> Account:
    """Change an account's profile; creates the account.

    Args:
        account_id: the account.
        change: takes the profile as it stands (empty for a new account) and answers the new one; it may be called
            again where somebody else changed the profile meanwhile.
        now: becomes the birthday of an account that is created.

    Raises:
        StorageUnavailableError: not saved.
    """
    patience = Backoff("too many writers at once for one account")
    while True:
        item = _standing(account_id)
        profile = change(part(item, "profile", {}))
        try:
            return _describe(account_id, item, {"profile": profile}, now)
        except ConditionFailedError:
            patience.wait()
            continue


def save_traits(account_id: str, said: Mapping[str, Any], at: int, now: datetime) -> None:
    """Enter what a group call says about an account; creates the account.

    Args:
        account_id: the account.
        said: fields of the profile by name, and attributes as `attributes.<name>`; all of them valid.
        at: when it was said, in milliseconds since the Unix epoch; what was said later than that stands.
        now: becomes the birthday of an account that is created.

    Raises:
        StorageUnavailableError: not saved.
    """
    patience = Backoff("too many writers at once for one account")
    while True:
        item = _standing(account_id)
        traits = with_traits(part(item, "traits", {}), said, at)
        if traits is None:
            return
        try:
            _describe(account_id, item, {"traits": traits}, now)
        except ConditionFailedError:
            patience.wait()
            continue
        return


def _describe(account_id: str, item: dict[str, Any], change: dict[str, Any], now: datetime) -> Account:
    """Write a profile or traits, and with it the account's line in the book and the words that it is found by."""
    parts = {"profile": part(item, "profile", {}), "traits": part(item, "traits", {})} | change
    profile, _ = effective(parts["traits"], parts["profile"])
    crm = part(item, "crm", None)
    line = index.index_entry(account_id, profile, None if crm is None else crm_from_json(crm))
    sets = {name: {"S": dumps(value)} for name, value in change.items()}
    sets |= {name: value for name, value in line.items() if value is not None}
    removes = [name for name, value in line.items() if value is None]
    read = {name: item.get(name, {}).get("S") for name in (*parts, "crm")}
    update = update_request(account_id, sets, removes, read, format_instant(now))
    before = search_index.entries_of(item)
    after = book.entries(account_id, profile.get("name"))
    if before == after:
        return read_item(call(dynamodb().update_item, **update, ReturnValues="ALL_NEW")["Attributes"])
    changes = [*search_index.puts(account_id, after - before), *search_index.deletes(account_id, before - after)]
    call(dynamodb().transact_write_items, TransactItems=[{"Update": update}, *changes])
    return read_item(_get_item(account_id))


def save_crm(account_id: str, facts: CrmFacts) -> Account:
    """Replace what the CRM says about an account; creates the account.

    The facts are kept in its history as well, in the same transaction, so that a score as of any past instant can be
    computed from what was known then.

    Raises:
        StorageUnavailableError: not saved.
    """
    patience = Backoff("too many writers at once for one account")
    while True:
        item = _standing(account_id)
        born = [] if item else search_index.puts(account_id, book.entries(account_id, None))
        profile, _ = effective(part(item, "traits", {}), part(item, "profile", {}))
        sets = {"crm": {"S": crm_text(facts)}, **index.contract_attributes(account_id, profile, facts)}
        read = {index.SUMMARY: item.get(index.SUMMARY, {}).get("S")}
        update = update_request(account_id, sets, [], read, format_instant(facts.received_at))
        try:
            call(
                dynamodb().transact_write_items,
                TransactItems=[{"Update": update}, history.put_crm(account_id, facts), *born],
            )
        except ConditionFailedError:
            patience.wait()
            continue
        return read_item(_get_item(account_id))


def save_score(account: Account, snapshot: Snapshot) -> None:
    """Enter a night's score into an account's latest score and recent nights.

    A night that is older than the latest one (a backfill) is entered among the recent nights only; a night that is
    entered again replaces itself.

    Raises:
        AccountErasedError: the account was erased meanwhile, or is being erased; it is not brought back.
        StorageUnavailableError: not saved.
    """
    item = None
    patience = Backoff("too many writers at once for one account")
    while True:
        if item is not None:
            account = read_item(item)
        read = dumps([daily_to_json(daily) for daily in account.recent]) if account.recent else None
        nights = {daily.day: daily for daily in (*account.recent, snapshot.daily)}
        recent = [nights[day] for day in sorted(nights)][-RECENT_NIGHTS:]
        sets = {"recent": {"S": dumps([daily_to_json(daily) for daily in recent])}}
        newest = account.latest
        if newest is None or snapshot.day >= newest.day:
            newest = snapshot
            sets["latest"] = {"S": dumps(snapshot_to_json(snapshot))}
        sets |= _line(account.account_id, newest, recent)
        try:
            call(dynamodb().update_item, **update_request(account.account_id, sets, [], {"recent": read}, None))
        except ConditionFailedError:
            item = _get_item(account.account_id)
            if not item or schema.ERASING in item:
                raise AccountErasedError from None
            patience.wait()
        else:
            return


def _get_item(account_id: str, *, consistent: bool = True) -> dict[str, Any]:
    answer = call(
        dynamodb().get_item,
        TableName=schema.accounts_table(),
        Key={"account_id": {"S": account_id}},
        ConsistentRead=consistent,
    )
    return answer.get("Item", {})


def _line(account_id: str, snapshot: Snapshot, recent: Sequence[DailyScore]) -> dict[str, Any]:
    """What a night's snapshot says in the book; the trend compares it with the nights before."""
    last_seen = snapshot.facts.get(Component.RECENCY, {}).get("last_seen_at")
    trend = trends(snapshot.daily, recent).overall.direction
    return {
        "state": {"S": f"{snapshot.band.value} {trend.value}"},
        "by_score": {"S": book.score_key(account_id, snapshot.score)},
        "by_seen": {"S": book.seen_key(account_id, parse_instant(last_seen) if last_seen else None)},
    }


def _standing(account_id: str) -> dict[str, Any]:
    """An account's item before it is changed, empty where there is none yet.

    Raises:
        BeingErasedError: a change must wait until nothing of the account is left.
    """
    item = _get_item(account_id)
    if schema.ERASING in item:
        raise BeingErasedError("the account is being erased")
    return item


def update_request(
    account_id: str, sets: dict[str, Any], removes: list[str], read: dict[str, str | None], now: str | None
) -> dict[str, Any]:
    """An update that sets and removes attributes on condition that others still read as they were read.

    With `now` the account is created if it is not there; without, it has to be there. One that is being erased is not
    changed.
    """
    names = {f"#{name}": name for name in (*sets, *removes, *read)}
    values = {f":{name}": value for name, value in sets.items()}
    assignments = [f"#{name} = :{name}" for name in sets]
    conditions = [schema.NOT_ERASING]
    for name, text in read.items():
        if text is None:
            conditions.append(f"attribute_not_exists(#{name})")
        else:
            conditions.append(f"#{name} = :read_{name}")
            values[f":read_{name}"] = {"S": text}
    if now is None:
        conditions.append("attribute_exists(account_id)")
    else:
        birth = {"since": {"S": now}, **index.new_account_attributes(account_id)}
        for name, value in birth.items():
            if name not in sets:
                names[f"#{name}"] = name
                assignments.append(f"#{name} = if_not_exists(#{name}, :{name})")
                values[f":{name}"] = value
    expression = "SET " + ", ".join(assignments)
    if removes:
        expression += " REMOVE " + ", ".join(f"#{name}" for name in removes)
    return {
        "TableName": schema.accounts_table(),
        "Key": {"account_id": {"S": account_id}},
        "UpdateExpression": expression,
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
