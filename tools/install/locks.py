"""What a lock asks for, what an environment was set up with, and what follows from both."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = re.compile(r"^([\w.-]+==\S+)(?: ; (.+?))? \\\n(?:    --hash=.*\n?)+", re.MULTILINE)


class SetupError(Exception):
    """The environment cannot be set up; the text is a sentence for whoever asked for it."""


@dataclass(frozen=True)
class Lock:
    """What a lock asks for."""

    path: Path
    pins: frozenset[str]
    """Each `name==version` with its marker, if it has one, and a digest of its hashes."""
    everywhere: frozenset[str]
    """Each `name==version` that has no marker, and is therefore installed everywhere."""
    count: int
    """How many projects that are."""


@dataclass(frozen=True)
class Stamp:
    """What an environment was set up with; it is written when everything is done."""

    place: str
    """The environment's own path: its scripts name it."""
    python: str
    """The interpreter, as `environment.identity` names it."""
    lock: str
    pins: list[str]
    distributions: list[str]
    """The `.dist-info` folders of the lock's packages, relative to the environment."""


def read_lock(path: Path) -> Lock:
    """Read a lock.

    Raises:
        SetupError: There is none, or nothing is locked in it.
    """
    try:
        blocks = list(_BLOCK.finditer(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}.") from None
    if not blocks:
        raise SetupError(f"Nothing is locked in {path}: make lock")
    return Lock(
        path,
        frozenset(
            " ; ".join(filter(None, block.groups())) + " " + hashlib.sha256(block[0].encode()).hexdigest()[:16]
            for block in blocks
        ),
        frozenset(block[1] for block in blocks if not block[2]),
        len({block[1].partition("==")[0] for block in blocks if "win32" not in (block[2] or "")}),
    )


def what_to_do(stamp: Stamp | None, lock: Lock) -> str:
    """Decide from what an environment was set up with what it lacks.

    Returns:
        `nothing`, `add` where what is there is a part of the lock, or `anew`.
    """
    if stamp is None:
        return "anew"
    there = set(stamp.pins)
    # Another lock may have brought more. The same one brings exactly what it says: what has left it must not stay.
    if lock.pins == there or (lock.path.name != stamp.lock and lock.pins < there):
        return "nothing"
    return "add" if there < lock.pins else "anew"
