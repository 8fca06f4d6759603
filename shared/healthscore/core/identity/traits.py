"""Traits of accounts and people, as clients send them; for an account, an admin's profile takes precedence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.core.identity.stored_size import stored_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    Traits = Mapping[str, tuple[Any, int]]

ATTRIBUTE = "attributes."
"""The prefix of traits that are attributes of the profile."""
FILLS = None
"""In the place of a call's time: the call fills traits, and replaces none."""
MAX_TRAITS = 50
"""Traits kept of one account; of more, those that came first."""
TRAITS_BYTES = 32 * 1024
"""Room for them, as JSON; a trait, or a longer value of one, for which there is none is left out."""


def with_traits(known: Traits, new: Mapping[str, Any], at: int | None) -> dict[str, tuple[Any, int]] | None:
    """Add the traits of a call.

    Args:
        known: values by name, each with the time of its call in milliseconds.
        new: values by name.
        at: the time of the call, in milliseconds; traits of a later call stay. `FILLS` for a call that may only say
            what nobody has said: any other call replaces it, as one from the year 1970.

    Returns:
        The new traits, or None where no value changes.
    """
    traits = dict(known)
    size = stored_size(traits)
    if at is FILLS:
        new, at = {name: value for name, value in new.items() if name not in known}, 0
    for name, value in new.items():
        before = known.get(name)
        if before is None and len(traits) >= MAX_TRAITS:
            continue
        if before is None or (before[1] <= at and before[0] != value):
            more = stored_size({name: (value, at)}) - (0 if before is None else stored_size({name: before}))
            if more <= 0 or size + more <= TRAITS_BYTES:
                traits[name] = (value, at)
                size += more
    return None if traits == known else traits


def effective(traits: Traits, profile: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The profile as it is shown: the fields that an admin has set, and traits for those that no admin has set.

    Returns:
        The profile, and the names of the fields that are from traits; attributes as `attributes.<name>`.
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
