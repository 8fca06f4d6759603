"""What the clients' group calls say of an account, beside what an admin says, who is always right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    Traits = Mapping[str, tuple[Any, int]]

ATTRIBUTE = "attributes."
"""What the names of traits that are attributes of the profile begin with."""
MAX_TRAITS = 50
"""Traits kept of one account; with more, those that were said first."""


def with_traits(known: Traits, said: Mapping[str, Any], at: int) -> dict[str, tuple[Any, int]] | None:
    """Enter what was said at an instant.

    Args:
        known: values by name, each with the milliseconds at which it was said.
        said: values by name.
        at: when they were said, in milliseconds; what was said later than that stands.

    Returns:
        The new traits, or None where no value changes.
    """
    traits = dict(known)
    for name, value in said.items():
        before = known.get(name)
        if before is None and len(traits) >= MAX_TRAITS:
            continue
        if before is None or (before[1] <= at and before[0] != value):
            traits[name] = (value, at)
    return None if traits == known else traits


def effective(traits: Traits, profile: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The profile as it is shown: what an admin has set, and what was said in traits where the admin has said nothing.

    Returns:
        The profile, and the names of what is in it from traits; attributes as `attributes.<name>`.
    """
    shown = dict(profile)
    attributes = dict(profile.get("attributes", {}))
    taken = []
    for name, (value, _) in traits.items():
        target, key = (attributes, name.removeprefix(ATTRIBUTE)) if name.startswith(ATTRIBUTE) else (shown, name)
        if key not in target:
            target[key] = value
            taken.append(name)
    if attributes:
        shown["attributes"] = attributes
    return shown, tuple(sorted(taken))
