"""What the item of an account says (table Accounts)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthscore.core.account import Account
from healthscore.core.documents import crm_from_json, crm_to_json, daily_from_json, snapshot_from_json
from healthscore.core.identity.traits import effective
from healthscore.core.time import from_millis, parse_instant
from healthscore.storage import schema
from healthscore.storage.accounts.index import SUMMARY

if TYPE_CHECKING:
    from healthscore.core.alerts.acknowledgement import Acknowledgement
    from healthscore.core.model import CrmFacts

FORGETTING = "forgetting"
"""The attribute that holds the users whose erasure has begun."""
ACKNOWLEDGEMENT = "handled"
"""The attribute that holds what was said last about an alert of the account."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An account whose item is not what this version writes."""

    account_id: str
    error: Exception


def read_item(item: dict[str, Any]) -> Account:
    """Read an account's item.

    Raises:
        KeyError: it is not what this version writes; so do TypeError and ValueError.
    """
    crm, latest = part(item, "crm", None), part(item, "latest", None)
    profile, from_traits = effective(part(item, "traits", {}), part(item, "profile", {}))
    return Account(
        account_id=item["account_id"]["S"],
        since=parse_instant(item["since"]["S"]),
        profile=profile,
        from_traits=from_traits,
        crm=None if crm is None else crm_from_json(crm),
        first_seen={name: from_millis(ms) for name, ms in part(item, "names", {}).items()},
        latest=None if latest is None else snapshot_from_json(latest),
        recent=tuple(daily_from_json(daily) for daily in part(item, "recent", [])),
        erasing=schema.ERASING in item,
        forgetting=tuple(item.get(FORGETTING, {}).get("SS", ())),
        index_summary=item[SUMMARY]["S"] if SUMMARY in item else None,
        acknowledgement=_acknowledgement(item),
    )


def _acknowledgement(item: dict[str, Any]) -> Acknowledgement | None:
    if ACKNOWLEDGEMENT not in item:
        return None
    from healthscore.core.alerts.acknowledgement import Acknowledgement  # noqa: PLC0415  (4 ms of ingest's cold start)

    return Acknowledgement.from_json(part(item, ACKNOWLEDGEMENT, None))


def try_item(item: dict[str, Any]) -> Account | Unreadable:
    """Read an account's item, or say why it cannot be read."""
    try:
        return read_item(item)
    except (KeyError, TypeError, ValueError) as error:
        return Unreadable(item["account_id"]["S"], error)


def part(item: dict[str, Any], name: str, default: Any) -> Any:  # noqa: ANN401  (JSON)
    """An attribute that holds JSON, or `default` where the item does not have it."""
    return json.loads(item[name]["S"]) if name in item else default


def crm_text(facts: CrmFacts) -> str:
    """CRM facts as an account and its history hold them."""
    return dumps(crm_to_json(facts))


def dumps(value: Any) -> str:  # noqa: ANN401  (JSON)
    """JSON as attributes hold it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
