"""Which company of a connected CRM is which account (table Settings).

pk crm#hubspot#company,     sk the company's id what is known of a company, and which account it is
pk crm#hubspot#claim,       sk account_id       the companies that may be this account
pk crm#hubspot#unmatched,   sk the company's id a company that is no account, and why
pk crm#hubspot#seen,        sk run and page     the companies that a full run has seen; deleted at its end
pk crm#hubspot#unreadable,  see `storage.crm.unreadable`
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.accounts import existence
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import BeingErasedError, ConditionFailedError, StorageUnavailableError
from healthscore.storage.retries import retried

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from healthscore.storage.codec import Item
    from healthscore.storage.writes import Write

RECORD = "record"
"""The attribute that holds what is kept of a company."""
TOO_MANY_WRITERS = "too many writers at once for one account's companies"
MOST_CLAIMS = 1_000
"""Companies that claim one account by its id, and as many by their domains, at most. Where two of a kind do, none
of them is the account; so further ones change nothing."""


@dataclass(frozen=True, slots=True)
class CompanyRecord:
    """What is kept of a company."""

    company_id: str
    identity: str
    """The account id entered by hand and the domains: while these are unchanged, so is the claim."""
    name: str = ""
    claim: str | None = None
    """The account that it claims to be."""
    account_id: str | None = None
    """The account that it is matched with."""
    digest: str = ""
    """Of the facts that were last saved for the account; of a company without a claim, why it has none."""
    written: list[Any] | None = None
    """Score, band and reason that were last written to the CRM."""
    rests_on: list[str] = field(default_factory=list)
    """The CRM's ids of the tickets, deals and contacts that the facts rest on."""
    read_as: str = field(default="", compare=False, repr=False)
    """The text that was read; empty where there was none. It is replaced only while it is unchanged."""


def companies(provider: str, ids: Sequence[str]) -> dict[str, CompanyRecord]:
    """What is kept of companies, by id.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    table = schema.settings_table()
    wanted = [(table, _key(provider, "company", company_id)) for company_id in ids]
    records = [_record(item) for _, item in reads.batch_get(wanted, {table: {"ConsistentRead": True}})]
    return {record.company_id: record for record in records}


def all_companies(provider: str) -> Iterator[CompanyRecord]:
    """What is kept of every company.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return map(_record, _items(provider, "company"))


def resting_on(provider: str, record_ids: Collection[str]) -> list[str]:
    """Ids of the companies whose facts rest on any of these records. Every company is read.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    wanted = set(record_ids)
    return [record.company_id for record in all_companies(provider) if not wanted.isdisjoint(record.rests_on)]


def save_company(provider: str, record: CompanyRecord, claims: dict[str, bool] | None = None) -> bool:
    """Keep what is known of a company; False where it was changed since it was read, or its account was erased.

    Args:
        provider: the CRM.
        record: what replaces the record that was read.
        claims: the claims to its account must still be these, where they are given.

    Raises:
        StorageUnavailableError: not kept.
    """
    put = put_record(provider, record)
    checks = existence.checks(sorted({named for named in (record.claim, record.account_id) if named is not None}))
    if claims is not None:
        checks.append(check_claims(provider, str(record.account_id), claims))
    try:
        writes.apply(put, *checks)
    except ConditionFailedError:
        return False
    return True


def put_record(provider: str, record: CompanyRecord) -> Write:
    """The write that keeps a company's record as long as it is unchanged."""
    names = ("identity", "name", "claim", "account_id", "digest", "written", "rests_on")
    kept = {name: getattr(record, name) for name in names}
    as_read = conditions.unchanged(RECORD, record.read_as) if record.read_as else conditions.ABSENT
    item = {**_key(provider, "company", record.company_id), RECORD: codec.json_text(kept)}
    return writes.put(schema.settings_table(), item, as_read)


def delete_company(provider: str, company_id: str) -> None:
    """Delete the records of a company that is no longer in the CRM.

    Raises:
        StorageUnavailableError: not deleted.
    """
    for part in ("company", "unmatched"):
        writes.apply(writes.delete(schema.settings_table(), _key(provider, part, company_id)))


@retried(TOO_MANY_WRITERS)
def change_claims(
    provider: str, account_id: str, change: Callable[[dict[str, bool]], dict[str, bool]]
) -> dict[str, bool]:
    """Change which companies may be an account: by company id, whether that was entered by hand.

    Args:
        provider: the CRM.
        account_id: the account.
        change: takes the present claims and answers the new ones; it may be called again.

    Raises:
        BeingErasedError: the account is gone, or being erased.
        StorageUnavailableError: not changed.
    """
    key = _key(provider, "claim", account_id)
    item = _claims_item(provider, account_id)
    present: dict[str, bool] = codec.json_of(item, "claims", {})
    claims = change(dict(present))
    if claims == present:
        return claims
    if not item:
        _first_claims(key, claims)
    else:
        put = {**key, "claims": codec.json_text(claims)}
        as_read = conditions.unchanged("claims", codec.text_of(item, "claims"))
        writes.apply(writes.put(schema.settings_table(), put, as_read))
    return claims


def _first_claims(key: Item, claims: dict[str, bool]) -> None:
    """Note claims where there are none yet, unless the account is being erased.

    Raises:
        ConditionFailedError: there are some.
        BeingErasedError: the account is gone, or being erased.
        StorageUnavailableError: not noted.
    """
    account_id = codec.text_of(key, "sk")
    put = writes.put(schema.settings_table(), {**key, "claims": codec.json_text(claims)}, conditions.ABSENT)
    try:
        writes.transact(put, *existence.checks([account_id]))
    except ConditionFailedError:
        if not existence.exists(account_id):
            raise BeingErasedError("an account was erased since its company was read") from None
        raise


def add_claim(provider: str, account_id: str, company_id: str, *, by_hand: bool) -> dict[str, bool]:
    """Store a company's claim to an account.

    Args:
        provider: the CRM.
        account_id: the account.
        company_id: the company.
        by_hand: whether somebody entered the account's id in the CRM; such a claim goes before any other.

    Returns:
        All claims to the account, as `change_claims` does; without the company's where there are `MOST_CLAIMS`.

    Raises:
        BeingErasedError: the account is gone, or being erased.
        StorageUnavailableError: not noted.
    """
    mine = {company_id: by_hand}

    def with_mine(claims: dict[str, bool]) -> dict[str, bool]:
        has_room = sum(other is by_hand for other in claims.values()) < MOST_CLAIMS
        return {**claims, **mine} if has_room or company_id in claims else claims

    # As a rule, no other company claims it: nothing has to be read.
    with contextlib.suppress(ConditionFailedError):
        _first_claims(_key(provider, "claim", account_id), mine)
        return mine
    return change_claims(provider, account_id, with_mine)


def follow_merge(provider: str, old: str, new: str) -> None:
    """Have the companies of an account that was given up be those of the account that goes on.

    A company is the account at once where no other one claims it; else the next reading of the CRM decides.

    Raises:
        StorageUnavailableError: some may be left; calling this again goes on.
    """
    mine: dict[str, bool] = codec.json_of(_claims_item(provider, old), "claims", {})
    for record in [record for record in all_companies(provider) if old in (record.claim, record.account_id)]:
        by_hand = mine.get(record.company_id, False)
        claims = add_claim(provider, new, record.company_id, by_hand=by_hand)
        sole = list(claims) == [record.company_id]
        claimed = new if record.company_id in claims else None
        moved = replace(record, claim=claimed, account_id=new if sole else None, digest="")
        if not save_company(provider, moved):
            raise StorageUnavailableError("a company was changed meanwhile")
    writes.delete_all(schema.settings_table(), [_key(provider, "claim", old)])


def check_claims(provider: str, account_id: str, claims: dict[str, bool]) -> Write:
    """A check, as part of a transaction, that the claims to an account are still these."""
    key = _key(provider, "claim", account_id)
    return writes.check(schema.settings_table(), key, conditions.equals("claims", codec.json_text(claims)))


def save_unmatched(provider: str, company_id: str, reason: str | None, shown: dict[str, Any]) -> None:
    """Note why a company is no account, with what is shown of it; None where it is one.

    Raises:
        StorageUnavailableError: not noted.
    """
    key = _key(provider, "unmatched", company_id)
    if reason is None:
        write = writes.delete(schema.settings_table(), key)
    else:
        write = writes.put(schema.settings_table(), {**key, "company": codec.json_text({"reason": reason, **shown})})
    writes.apply(write)


def unmatched(provider: str, limit: int, after: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """Companies that are no account, and the id to go on after; None behind the last.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    request = reads.partition(schema.settings_table(), schema.company_pk(provider, "unmatched")) | {"Limit": limit}
    if after is not None:
        request["ExclusiveStartKey"] = _key(provider, "unmatched", after)
    answer = call(dynamodb().query, **request)
    found = [{"company_id": codec.text_of(item, "sk"), **codec.json_of(item, "company")} for item in answer["Items"]]
    return found, codec.text_of(answer["LastEvaluatedKey"], "sk") if "LastEvaluatedKey" in answer else None


def note_seen(provider: str, run: str, page: int, ids: Iterable[str]) -> None:
    """Note which companies a page of a full run had.

    Raises:
        StorageUnavailableError: not noted.
    """
    item = {**_key(provider, "seen", f"{run}#{page:06d}"), "ids": codec.text(" ".join(ids))}
    writes.apply(writes.put(schema.settings_table(), item))


def seen(provider: str, run: str) -> set[str]:
    """The companies that a full run has had.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    items = (item for item in _items(provider, "seen") if codec.text_of(item, "sk").startswith(f"{run}#"))
    return {company_id for item in items for company_id in codec.text_of(item, "ids").split()}


def forget_seen(provider: str) -> None:
    """Forget what full runs have noted.

    Raises:
        StorageUnavailableError: not deleted.
    """
    _delete_all(provider, "seen")


def forget_all(provider: str) -> None:
    """Forget everything that is kept of a CRM's companies.

    Raises:
        StorageUnavailableError: not everything is forgotten; calling again goes on.
    """
    for part in ("company", "claim", "unmatched", "seen", "unreadable"):
        _delete_all(provider, part)


def _claims_item(provider: str, account_id: str) -> Item:
    return reads.get(schema.settings_table(), _key(provider, "claim", account_id)) or {}


def _key(provider: str, part: str, sk: str) -> Item:
    return codec.key(schema.company_pk(provider, part), sk)


def _items(provider: str, part: str) -> Iterator[Item]:
    request = reads.partition(schema.settings_table(), schema.company_pk(provider, part))
    return pages(dynamodb().query, **request)


def _delete_all(provider: str, part: str) -> None:
    for item in list(_items(provider, part)):
        writes.apply(writes.delete(schema.settings_table(), codec.key_of(item)))


def _record(item: Item) -> CompanyRecord:
    text = codec.text_of(item, RECORD)
    return CompanyRecord(codec.text_of(item, "sk"), **json.loads(text), read_as=text)
