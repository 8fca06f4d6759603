"""The changes of what rules read of an account, kept in its item and saved with what changes (table Accounts).

As JSON: `[[milliseconds, {field: value until then}]]`. Only who changes or judges an account imports this.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from healthscore.core.identity.traits import effective
from healthscore.core.signals.earlier_profiles import read_by_rules, with_change
from healthscore.storage import codec, schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthscore.core.signals.earlier_profiles import Earlier
    from healthscore.storage.codec import Attribute, Item


def read_text(text: str | None) -> Earlier:
    """Read the changes as they are stored."""
    return [] if text is None else [(until, changed) for until, changed in json.loads(text)]


def read_now(item: Item, parts: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What rules read of an account now.

    Args:
        item: the account's item.
        parts: profile, traits or CRM facts, as JSON values, in the place of the item's.
    """
    stored: dict[str, Any] = {name: codec.json_of(item, name, {}) for name in ("profile", "traits", "crm")}
    stored |= parts or {}
    profile, _ = effective(stored["traits"], stored["profile"])
    return read_by_rules(profile, churned=stored["crm"].get("churned"))


def set_after(item: Item, parts: Mapping[str, Any], at: int) -> tuple[dict[str, Attribute], dict[str, str | None]]:
    """What is to be set along with a change of an account.

    Args:
        item: the account's item before the change; empty for a new account, of which nothing was known differently.
        parts: profile, traits or CRM facts after the change, as JSON values.
        at: the instant of the change, in milliseconds.

    Returns:
        The attribute to set, and its text as it was read, which it must still have; both empty where nothing changes
        that rules read.
    """
    if not item:
        return {}, {}
    text = codec.optional_text_of(item, schema.EARLIER_PROFILES)
    return set_between(text, read_now(item), read_now(item, parts), at)


def set_between(
    text: str | None, before: Mapping[str, Any], after: Mapping[str, Any], at: int
) -> tuple[dict[str, Attribute], dict[str, str | None]]:
    """As `set_after`, of what rules read before and after the change, and the attribute's text as it was read."""
    changed = with_change(read_text(text), before, after, at)
    if changed is None:
        return {}, {}
    return {schema.EARLIER_PROFILES: codec.json_text(changed)}, {schema.EARLIER_PROFILES: text}
