"""An account's index entry: attributes of its item of which the book's indexes are made.

    shard                      the partition of the index (a hash of the id)
    owner                      who looks after the account, where anyone does
    who, by_name, by_arr       from profile and CRM: what the book shows of them, and the keys in two orders
    state, by_score, by_seen   from the newest night: band and trend, and the keys in the two other orders

The attributes of one line are written without a look at those of the others. Only profile and CRM share a line: a write
of the one holds on condition that the other is still as it was read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.core import book
from healthscore.core.book import Sort
from healthscore.storage import codec, schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthscore.core.model import CrmFacts

ORDER = {Sort.SCORE: "by_score", Sort.LAST_SEEN: "by_seen", Sort.NAME: "by_name", Sort.ARR: "by_arr"}
"""The attribute that holds an account's key in each order."""
IN_NO_INDEX = ("shard", "owner")
"""Attributes without which an item is in none of the book's indexes."""
SUMMARY = "who"
"""The attribute that shows profile and CRM: unchanged, these two are as they were read."""


def index_entry(account_id: str, profile: Mapping[str, Any], crm: CrmFacts | None) -> dict[str, Any]:
    """The attributes that a profile and a CRM decide; one that is None is to be removed."""
    name, owner = profile.get("name"), profile.get("owner")
    contract = book.Contract.of(profile, crm)
    segment = (profile.get("attributes") or {}).get("segment", profile.get("plan"))
    shown = {
        "name": name,
        "owner": owner,
        "segment": None if segment is None else str(segment),
        "plan": profile.get("plan"),
        **contract._asdict(),
    }
    return {
        "shard": codec.text(schema.index_partition(account_id)),
        "owner": codec.text(owner) if owner else None,
        SUMMARY: codec.json_text({field: value for field, value in shown.items() if value is not None}),
        "by_name": codec.text(book.name_key(account_id, name)),
        "by_arr": codec.text(book.arr_key(account_id, contract.arr)),
    }


def contract_attributes(account_id: str, profile: Mapping[str, Any], crm: CrmFacts | None) -> dict[str, Any]:
    """The attributes of an index entry that a CRM can change."""
    entry = index_entry(account_id, profile, crm)
    return {name: entry[name] for name in (SUMMARY, "by_arr")}


def new_account_attributes(account_id: str) -> dict[str, Any]:
    """The index entry of an account without profile, CRM facts and score."""
    attributes = {
        **index_entry(account_id, {}, None),
        "by_score": codec.text(book.score_key(account_id, None)),
        "by_seen": codec.text(book.seen_key(account_id, None)),
    }
    return {name: value for name, value in attributes.items() if value is not None}
