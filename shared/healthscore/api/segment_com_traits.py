"""Cleans the traits of group and identify calls.

Traits are whatever a client's developers put into them. A trait that fits a field of the profile by its name and its
rules fills that field; any other plain value becomes an attribute; what is neither is left out, and never an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.api import fields
from healthscore.core.identity.traits import ATTRIBUTE
from healthscore.http.plain import MAX_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

MAX_TRAITS = 40
"""Attributes taken from one call. The limit of an account is higher, and counts those that an admin has set as well."""
_ACCOUNT_FIELDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "name": ("name", fields.text),
    "plan": ("plan", fields.text),
    "owner": ("owner", fields.text),
    "owner_email": ("owner_email", fields.email),
    "ownerEmail": ("owner_email", fields.email),
    "created_at": ("created_at", fields.day_or_instant),
    "createdAt": ("created_at", fields.day_or_instant),
    "renewal_date": ("renewal_date", fields.day),
    "renewalDate": ("renewal_date", fields.day),
    "arr": ("arr", fields.amount),
}
"""Traits of an account that are a field of its profile: the field, and its rule."""
_PERSON_FIELDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "name": ("name", fields.text),
    "email": ("email", fields.email),
    "title": ("title", fields.text),
}


PUBLIC_FIELDS = frozenset({"name"})
"""What a key that may be public may say about an account: nothing that moves money or mail, or matches a company."""


def account_traits(traits: Mapping[str, Any], allowed: Collection[str] | None = None) -> dict[str, Any]:
    """What the traits of a group call say about an account.

    Args:
        traits: as they were sent.
        allowed: the fields that are taken; None for all of them, and attributes.

    Returns:
        Fields of the profile by name, and further traits as `attributes.<name>`; all valid as a profile's are.
    """
    fields = _fields(traits, _ACCOUNT_FIELDS)
    if allowed is not None:
        return {name: value for name, value in fields.items() if name in allowed}
    for name, value in traits.items():
        if name not in _ACCOUNT_FIELDS and len(fields) < MAX_TRAITS and _is_attribute(name, value):
            fields[f"{ATTRIBUTE}{name}"] = value
    return fields


def person_traits(traits: Mapping[str, Any]) -> dict[str, Any]:
    """What an identify call says about a person: name, e-mail address, title, whether it is staff or a machine."""
    fields = _fields(traits, _PERSON_FIELDS)
    if "name" not in fields:
        names = [traits.get(name) for name in ("firstName", "lastName")]
        fields |= _fields({"name": " ".join(name for name in names if isinstance(name, str))}, _PERSON_FIELDS)
    if isinstance(traits.get("internal"), bool):
        fields["internal"] = traits["internal"]
    return fields


def _fields(traits: Mapping[str, Any], rules: Mapping[str, tuple[str, Callable[[Any], Any]]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, (target, rule) in rules.items():
        value = traits.get(name)
        if value is None or (rule is not fields.amount and not isinstance(value, str)):
            continue
        try:
            found.setdefault(target, rule(value))
        except ValueError:
            continue
    return found


def _is_attribute(name: str, value: object) -> bool:
    if value is None or (isinstance(value, str) and len(value) > MAX_TEXT):
        return False
    try:
        fields.attributes({name: value})
    except ValueError:
        return False
    return True
