"""What calls say about ids, before anything is made of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthscore.core.identity.record import Mark
    from healthscore.core.identity.timeline import Point

Fact = tuple[str, str, Any]
"""One thing that is said: the attribute of `Relations`, the id that it is about (empty for an alias), and what."""


@dataclass(frozen=True, slots=True)
class Relations:
    """What calls say about ids, each once; times in milliseconds."""

    aliases: set[tuple[str, str]] = field(default_factory=set)
    """Two user ids of one person: the one that is given up, and the one that it becomes."""
    identified: dict[str, set[Point]] = field(default_factory=lambda: defaultdict(set))
    """By device: the users who were identified on it."""
    grouped: dict[str, set[Point]] = field(default_factory=lambda: defaultdict(set))
    """By id: the accounts that it was said to belong to."""

    marked: dict[str, set[Mark]] = field(default_factory=lambda: defaultdict(set))
    """By id: whether it is of staff or of a machine."""
    described: dict[str, dict[str, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    """By id: e-mail addresses and names."""
    is_public: bool = False
    """Whether a stranger may have said so."""

    def ids(self) -> set[str]:
        """All ids that the calls name."""
        users = {user for points in self.identified.values() for _, user in points}
        aliased = {user for pair in self.aliases for user in pair}
        return {*self.identified, *self.grouped, *self.marked, *self.described, *users, *aliased}

    def facts(self) -> list[Fact]:
        """All that is said, one by one."""
        said: list[Fact] = [("aliases", "", pair) for pair in sorted(self.aliases)]
        said += [
            (part, id_, one)
            for part in _BY_ID
            for id_, said_of in getattr(self, part).items()
            for one in sorted(said_of)
        ]
        said += [
            ("described", id_, (name, text))
            for id_, by_name in self.described.items()
            for name, texts in by_name.items()
            for text in sorted(texts)
        ]
        return said

    def halves(self) -> tuple[Relations, Relations] | None:
        """The same in two parts, to be recorded one after the other; None where only one thing is said."""
        said = self.facts()
        if len(said) < 2:  # noqa: PLR2004  (two halves)
            return None
        middle = len(said) // 2
        return self._part(said[:middle]), self._part(said[middle:])

    def _part(self, said: Iterable[Fact]) -> Relations:
        relations = Relations(is_public=self.is_public)
        for part, id_, one in said:
            if part == "aliases":
                relations.aliases.add(one)
            elif part == "described":
                relations.described[id_][one[0]].add(one[1])
            else:
                getattr(relations, part)[id_].add(one)
        return relations


_BY_ID = ("identified", "grouped", "marked")
