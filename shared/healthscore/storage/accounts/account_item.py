"""An account's item, read as a value of the core (table Accounts)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthscore.core.account import Account
from healthscore.core.documents import crm_from_json, crm_to_json
from healthscore.core.identity.traits import effective
from healthscore.core.time import from_millis, parse_instant
from healthscore.storage import codec, schema
from healthscore.storage.accounts import fold_state, stored_scores

if TYPE_CHECKING:
    from healthscore.core.alerts.acknowledgement import Acknowledgement
    from healthscore.core.model import CrmFacts, Snapshot

PENDING_USER_ERASURES = "forgetting"
"""The attribute that holds the users whose erasure has begun and may not be finished."""
COUNTED_BY = "counted"
"""The attribute that holds the setting by which users do not count that the account's days follow."""


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
    crm = codec.json_of(item, "crm")
    profile, from_traits = effective(codec.json_of(item, "traits", {}), codec.json_of(item, "profile", {}))
    marked = fold_state.of_item(item)
    return Account(
        account_id=codec.text_of(item, "account_id"),
        since=parse_instant(codec.text_of(item, "since")),
        profile=profile,
        from_traits=from_traits,
        crm=None if crm is None else crm_from_json(crm),
        first_seen={name: from_millis(ms) for name, ms in codec.json_of(item, "names", {}).items()},
        latest=_latest(item),
        recent=stored_scores.recent_of(item),
        scores_version=codec.optional_text_of(item, stored_scores.VERSION),
        erasing=schema.ERASING in item,
        into=codec.optional_text_of(item, schema.INTO),
        pending_user_erasures=codec.texts_of(item, PENDING_USER_ERASURES),
        earlier_book=codec.optional_text_of(item, schema.EARLIER_BOOK),
        counted_by=codec.optional_text_of(item, COUNTED_BY),
        earlier_profiles=codec.optional_text_of(item, schema.EARLIER_PROFILES),
        own_profile=codec.optional_text_of(item, "profile"),
        late=marked.mark,
        folded=None if marked.folded is None else marked.folded.day,
        pending_days={} if marked.folded is None else dict(marked.folded.pending),
        acknowledgement=_acknowledgement(item),
    )


def _latest(item: dict[str, Any]) -> Snapshot | None:
    return stored_scores.snapshot_of(item[stored_scores.LATEST]) if stored_scores.LATEST in item else None


def _acknowledgement(item: dict[str, Any]) -> Acknowledgement | None:
    if schema.ACKNOWLEDGEMENT not in item:
        return None
    from healthscore.core.alerts.acknowledgement import Acknowledgement  # noqa: PLC0415  (4 ms of ingest's cold start)

    return Acknowledgement.from_json(codec.json_of(item, schema.ACKNOWLEDGEMENT))


def try_item(item: dict[str, Any]) -> Account | Unreadable:
    """Read an account's item; answers the error where it is not what this version writes."""
    try:
        return read_item(item)
    except (KeyError, TypeError, ValueError) as error:
        return Unreadable(codec.text_of(item, "account_id"), error)


def crm_text(facts: CrmFacts) -> str:
    """CRM facts as an account and its history hold them."""
    return codec.dumps(crm_to_json(facts))
