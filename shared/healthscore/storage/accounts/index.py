"""An account's line in the book, as attributes of its item: what the book's indexes are made of.

Who writes an attribute need not know what others change, but for those of profile and CRM: whoever changes the one does
so on condition that the other still reads as it was read.

    shard                  all lines are spread over so many partitions (a hash of the id)
    owner                  who looks after it, where anyone does
    who, by_name, by_arr   from the profile and the CRM: what is shown of them, and their keys in two orders
    state, by_score, by_seen   from the newest night: band and trend, and its keys in the two other orders
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from healthscore.core import book
from healthscore.core.book import SEPARATOR, AccountRow, Sort
from healthscore.core.model import Band
from healthscore.core.time import parse_instant
from healthscore.storage import schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthscore.core.model import CrmFacts

ORDER = {Sort.SCORE: "by_score", Sort.LAST_SEEN: "by_seen", Sort.NAME: "by_name", Sort.ARR: "by_arr"}
"""The attribute that holds a line's key in each order."""
INDEX = {Sort.SCORE: "by-score", Sort.LAST_SEEN: "by-seen", Sort.NAME: "by-name", Sort.ARR: "by-arr"}
"""The index that holds all lines in each order."""
IN_NO_INDEX = ("shard", "owner")
"""Attributes without which an item is in none of the book's indexes."""
SUMMARY = "who"
"""The attribute that shows profile and CRM: it changes with them, and so tells whether a line is as it was read."""
SHOWN = ("account_id", SUMMARY, "state", "by_score", "by_seen")
"""The attributes that make a whole line."""


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
        "shard": {"S": schema.index_partition(account_id)},
        "owner": {"S": owner} if owner else None,
        "who": {"S": _dumps({field: value for field, value in shown.items() if value is not None})},
        "by_name": {"S": book.name_key(account_id, name)},
        "by_arr": {"S": book.arr_key(account_id, contract.arr)},
    }


def contract_attributes(account_id: str, profile: Mapping[str, Any], crm: CrmFacts | None) -> dict[str, Any]:
    """Those of them that a CRM has a say in."""
    line = index_entry(account_id, profile, crm)
    return {name: line[name] for name in (SUMMARY, "by_arr")}


def new_account_attributes(account_id: str) -> dict[str, Any]:
    """What an account begins with that nobody has described and no night has scored."""
    attributes = {
        **index_entry(account_id, {}, None),
        "by_score": {"S": book.score_key(account_id, None)},
        "by_seen": {"S": book.seen_key(account_id, None)},
    }
    return {name: value for name, value in attributes.items() if value is not None}


def row(item: Mapping[str, Any]) -> AccountRow:
    """Read a line, or as much of one as an index holds."""
    shown = json.loads(item["who"]["S"])
    state, trend = item["state"]["S"].split(" ") if "state" in item else (None, None)
    score, seen = (_value(item, name) for name in ("by_score", "by_seen"))
    return AccountRow(
        account_id=item["account_id"]["S"],
        **shown,
        score=int(score) if score is not None and score.isdigit() else None,
        band=None if state is None else Band(state),
        trend=trend,
        last_seen_at=parse_instant(seen) if seen is not None and "T" in seen else None,
    )


def _value(item: Mapping[str, Any], name: str) -> str | None:
    return item[name]["S"].partition(SEPARATOR)[0] if name in item else None


def _dumps(value: Any) -> str:  # noqa: ANN401  (JSON)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
