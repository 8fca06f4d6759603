"""Users who do not count: staff and machines, whose events are kept and counted apart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthscore.core.identity.record import IdRecord


@dataclass(frozen=True, slots=True)
class NotCounted:
    """The setting that says which users do not count, beside those whom calls mark by the trait `internal`.

    Attributes:
        ids: user and anonymous ids.
        email_domains: domains of e-mail addresses, those below them included.
        names: patterns of people's names; a star stands for any text, or none.
    """

    ids: tuple[str, ...] = ()
    email_domains: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def is_of(self, record: IdRecord) -> bool:
        """Whether the person does not count for whom a record stands."""
        if record.internal:
            return True
        users = [record.id, *record.users]
        if self.ids and not {id_[1:] for id_ in users}.isdisjoint(self.ids):
            return True
        if self.email_domains:
            addresses = (id_[1:] for id_ in users if id_.startswith("u"))
            if any(map(self._is_of_domain, (*addresses, *_described(record, "email")))):
                return True
        return bool(self.names) and any(
            fits(pattern, name) for name in _described(record, "name") for pattern in self.names
        )

    def is_listed(self, id_: str) -> bool:
        """Whether an id is one of those that the setting lists; as `core.day_log.codec.Entry.person`."""
        return id_[1:] in self.ids

    @property
    def text(self) -> str | None:
        """A text that is the same for the same setting, whatever its order; None where everybody counts."""
        if self == EVERYBODY_COUNTS:
            return None
        texts = sorted((kind, text) for kind, listed in self.to_json().items() for text in listed)
        return blake2b(json.dumps(texts).encode(), digest_size=8).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The setting as `GET /v1/settings` shows it and as it is stored."""
        return {"ids": list(self.ids), "email_domains": list(self.email_domains), "names": list(self.names)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> NotCounted:
        """Read what `to_json` wrote; what is missing is empty."""
        return cls(*(tuple(stored.get(name, ())) for name in ("ids", "email_domains", "names")))

    def _is_of_domain(self, address: str) -> bool:
        _, at, domain = address.casefold().rpartition("@")
        return bool(at) and any(domain == one or domain.endswith(f".{one}") for one in _folded(self.email_domains))


EVERYBODY_COUNTS = NotCounted()


def fits(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern: case does not matter, and a star stands for any text.

    It takes the earliest place for each part of the pattern, so no pattern makes it slow.
    """
    pattern, name = pattern.casefold(), name.casefold()
    first, *parts = pattern.split("*")
    if not parts:
        return name == first
    *between, last = parts
    if not name.startswith(first) or len(name) < len(first) + len(last) or not name.endswith(last):
        return False
    name = name[len(first) : len(name) - len(last)]
    for part in between:
        _, found, name = name.partition(part) if part else ("", "*", name)
        if not found:
            return False
    return True


@lru_cache(maxsize=8)
def _folded(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text.casefold().removeprefix("@").removeprefix(".") for text in texts)


def _described(record: IdRecord, trait: str) -> Iterable[str]:
    return (value for traits in record.described.values() for value in traits.get(trait, ()))
