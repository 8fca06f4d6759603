"""Reads locks and stamps, and decides from both what has to be installed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = re.compile(r"^([\w.-]+==\S+)(?: ; (.+?))? \\\n(?:    --hash=.*\n?)+", re.MULTILINE)


class SetupError(Exception):
    """The environment cannot be set up; the message is a sentence for the user."""


@dataclass(frozen=True)
class Lock:
    """The packages that a lock names."""

    path: Path
    pins: frozenset[str]
    """Each `name==version` with its marker, if it has one, and a digest of its hashes."""
    everywhere: frozenset[str]
    """Each `name==version` that has no marker, and is therefore installed everywhere."""
    count: int
    """Number of projects, without those for Windows only."""


@dataclass(frozen=True)
class Stamp:
    """The interpreter and packages of a complete environment; setting it up ends with writing this."""

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
        SetupError: The file cannot be read, or locks nothing.
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
    """Compare an environment with a lock.

    Returns:
        `nothing` to do; `add` packages, where the environment has a part of the lock; or `recreate` it.
    """
    if stamp is None:
        return "recreate"
    there = set(stamp.pins)
    # Packages of another, larger lock may stay. Packages that were removed from the same lock must not.
    if lock.pins == there or (lock.path.name != stamp.lock and lock.pins < there):
        return "nothing"
    return "add" if there < lock.pins else "recreate"
