"""Which company of a connected CRM is which account (table Settings).

pk crm#hubspot#company,     sk the company's id what is known of a company, and which account it is
pk crm#hubspot#claim,       sk account_id       the companies that may be this account
pk crm#hubspot#unmatched,   sk the company's id a company that is no account, and why
pk crm#hubspot#seen,        sk run and page     the companies that a full run has seen; deleted at its end
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from healthscore.storage import schema
from healthscore.storage.accounts import existence
from healthscore.storage.client import call, dynamodb, pages
from healthscore.storage.errors import BeingErasedError, ConditionFailedError
from healthscore.storage.retries import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_BATCH = 100


@dataclass(frozen=True, slots=True)
class CompanyRecord:
    """What is kept of a company."""

    company_id: str
    identity: str
    """The account id entered by hand and the domains: while it is the same, so is the claim."""
    name: str = ""
    claim: str | None = None
    """The account that it may be."""
    account_id: str | None = None
    """The account that it is."""
    digest: str = ""
    """Of the facts that were last entered for the account; of a company without a claim, why it has none."""
    written: list[Any] | None = None
    """Score, band and reason that were last written to the CRM."""
    read_as: str = field(default="", compare=False, repr=False)
    """What was read; empty where there was nothing. It is replaced only as long as it still stands there."""


def companies(provider: str, ids: Sequence[str]) -> dict[str, CompanyRecord]:
    """What is kept of companies, by id.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    found = {}
    for start in range(0, len(ids), _BATCH):
        wanted = [_key(provider, "company", company_id) for company_id in ids[start : start + _BATCH]]
        request: dict[str, Any] = {schema.settings_table(): {"Keys": wanted, "ConsistentRead": True}}
        while request:
            answer = call(dynamodb().batch_get_item, RequestItems=request)
            for item in answer["Responses"].get(schema.settings_table(), ()):
                record = _record(item)
                found[record.company_id] = record
            request = answer.get("UnprocessedKeys") or {}
    return found


def all_companies(provider: str) -> Iterator[CompanyRecord]:
    """What is kept of every company.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return map(_record, _query(f"crm#{provider}#company"))


def save_company(provider: str, record: CompanyRecord, claims: dict[str, bool] | None = None) -> bool:
    """Keep what is known of a company; False where somebody else has changed it, or its account is erased, since then.

    Args:
        provider: the CRM.
        record: what takes the place of what was read.
        claims: how the claims to its account must stand as well, where they are given.

    Raises:
        StorageUnavailableError: not kept.
    """
    put = put_request(provider, record)
    checks = existence.checks(sorted({named for named in (record.claim, record.account_id) if named is not None}))
    if claims is not None:
        checks.append({"ConditionCheck": claims_check(provider, str(record.account_id), claims)})
    try:
        if checks:
            call(dynamodb().transact_write_items, TransactItems=[{"Put": put}, *checks])
        else:
            call(dynamodb().put_item, **put)
    except ConditionFailedError:
        return False
    return True


def put_request(provider: str, record: CompanyRecord) -> dict[str, Any]:
    """What keeps a company as long as it stands as it was read: for a call of its own, or in a transaction."""
    kept = {name: getattr(record, name) for name in ("identity", "name", "claim", "account_id", "digest", "written")}
    request: dict[str, Any] = {
        "TableName": schema.settings_table(),
        "Item": {**_key(provider, "company", record.company_id), "record": _text(kept)},
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    if record.read_as:
        request["ConditionExpression"] = "#record = :read"
        request["ExpressionAttributeNames"] = {"#record": "record"}
        request["ExpressionAttributeValues"] = {":read": {"S": record.read_as}}
    return request


def forget_company(provider: str, company_id: str) -> None:
    """Forget a company that is no longer there.

    Raises:
        StorageUnavailableError: not forgotten.
    """
    for part in ("company", "unmatched"):
        call(dynamodb().delete_item, TableName=schema.settings_table(), Key=_key(provider, part, company_id))


def change_claims(
    provider: str, account_id: str, change: Callable[[dict[str, bool]], dict[str, bool]]
) -> dict[str, bool]:
    """Change which companies may be an account: by company id, whether that was entered by hand.

    Args:
        provider: the CRM.
        account_id: the account.
        change: takes the claims as they stand and answers the new ones; it may be called again.

    Raises:
        BeingErasedError: the account is gone, or being erased.
        StorageUnavailableError: not changed.
    """
    key = _key(provider, "claim", account_id)
    patience = Backoff("too many writers at once for one account's companies")
    while True:
        item = call(dynamodb().get_item, TableName=schema.settings_table(), Key=key, ConsistentRead=True).get("Item")
        read = item["claims"] if item else None
        noted: dict[str, bool] = json.loads(read["S"]) if read else {}
        claims = change(dict(noted))
        if claims == noted:
            return claims
        if read is None:
            if _first_claims(key, claims):
                return claims
        else:
            request = {"TableName": schema.settings_table(), "Item": {**key, "claims": _text(claims)}}
            as_read = {"ConditionExpression": "claims = :read", "ExpressionAttributeValues": {":read": read}}
            with contextlib.suppress(ConditionFailedError):
                call(dynamodb().put_item, **request, **as_read)
                return claims
        patience.wait()


def _first_claims(key: dict[str, Any], claims: dict[str, bool]) -> bool:
    """Note claims where there are none yet, unless the account is being erased; False where there are some.

    Raises:
        BeingErasedError: the account is gone, or being erased.
        StorageUnavailableError: not noted.
    """
    account_id = key["sk"]["S"]
    request = {"TableName": schema.settings_table(), "Item": {**key, "claims": _text(claims)}}
    put = {**request, "ConditionExpression": "attribute_not_exists(pk)"}
    try:
        call(dynamodb().transact_write_items, TransactItems=[{"Put": put}, *existence.checks([account_id])])
    except ConditionFailedError:
        if not existence.exists(account_id):
            raise BeingErasedError("an account was erased since its company was read") from None
        return False
    return True


def stake(provider: str, account_id: str, company_id: str, *, by_hand: bool) -> dict[str, bool]:
    """Note that a company may be an account; answers all claims, as for `change_claims`.

    Raises:
        BeingErasedError: the account is gone, or being erased.
        StorageUnavailableError: not noted.
    """
    mine = {company_id: by_hand}
    # As a rule, nobody else claims it: nothing has to be read.
    if _first_claims(_key(provider, "claim", account_id), mine):
        return mine
    return change_claims(provider, account_id, lambda noted: {**noted, **mine})


def claims_check(provider: str, account_id: str, claims: dict[str, bool]) -> dict[str, Any]:
    """What lets a transaction fail where other claims stand than these."""
    return {
        "TableName": schema.settings_table(),
        "Key": _key(provider, "claim", account_id),
        "ConditionExpression": "claims = :claims",
        "ExpressionAttributeValues": {":claims": _text(claims)},
    }


def save_unmatched(provider: str, company_id: str, reason: str | None, shown: dict[str, Any]) -> None:
    """Note why a company is no account, with what is shown of it; None where it is one.

    Raises:
        StorageUnavailableError: not noted.
    """
    if reason is None:
        call(dynamodb().delete_item, TableName=schema.settings_table(), Key=_key(provider, "unmatched", company_id))
    else:
        _put(provider, "unmatched", company_id, {"company": _text({"reason": reason, **shown})})


def unmatched(provider: str, limit: int, after: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """Companies that are no account, and the id to go on after; None where they are at an end.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    request = _query_request(f"crm#{provider}#unmatched") | {"Limit": limit}
    if after is not None:
        request["ExclusiveStartKey"] = _key(provider, "unmatched", after)
    answer = call(dynamodb().query, **request)
    found = [{"company_id": item["sk"]["S"], **json.loads(item["company"]["S"])} for item in answer["Items"]]
    return found, answer["LastEvaluatedKey"]["sk"]["S"] if "LastEvaluatedKey" in answer else None


def note_seen(provider: str, run: str, page: int, ids: Iterable[str]) -> None:
    """Note which companies a page of a full run had.

    Raises:
        StorageUnavailableError: not noted.
    """
    _put(provider, "seen", f"{run}#{page:06d}", {"ids": {"S": " ".join(ids)}})


def seen(provider: str, run: str) -> set[str]:
    """The companies that a full run has had.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    items = (item for item in _query(f"crm#{provider}#seen") if item["sk"]["S"].startswith(f"{run}#"))
    return {company_id for item in items for company_id in item["ids"]["S"].split()}


def forget_seen(provider: str) -> None:
    """Forget what full runs have noted.

    Raises:
        StorageUnavailableError: not forgotten.
    """
    _delete_all(f"crm#{provider}#seen")


def forget_all(provider: str) -> None:
    """Forget everything that is kept of a CRM's companies.

    Raises:
        StorageUnavailableError: not everything is forgotten; calling again goes on.
    """
    for part in ("company", "claim", "unmatched", "seen"):
        _delete_all(f"crm#{provider}#{part}")


def _key(provider: str, part: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": f"crm#{provider}#{part}"}, "sk": {"S": sk}}


def _put(provider: str, part: str, sk: str, attributes: dict[str, Any]) -> None:
    call(dynamodb().put_item, TableName=schema.settings_table(), Item={**_key(provider, part, sk), **attributes})


def _query_request(pk: str) -> dict[str, Any]:
    return {
        "TableName": schema.settings_table(),
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": pk}},
        "ConsistentRead": True,
    }


def _query(pk: str) -> Iterator[dict[str, Any]]:
    return pages(dynamodb().query, **_query_request(pk))


def _delete_all(pk: str) -> None:
    for item in list(_query(pk)):
        call(dynamodb().delete_item, TableName=schema.settings_table(), Key={"pk": item["pk"], "sk": item["sk"]})


def _text(value: Any) -> dict[str, str]:  # noqa: ANN401  (JSON)
    return {"S": json.dumps(value, ensure_ascii=False, separators=(",", ":"))}


def _record(item: dict[str, Any]) -> CompanyRecord:
    text = item["record"]["S"]
    return CompanyRecord(item["sk"]["S"], **json.loads(text), read_as=text)
