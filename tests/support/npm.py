"""Packages of npm that tests run, installed once into the cache, however many test processes ask at once."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

CACHE = Path(__file__).parents[2] / ".cache"
_TIMEOUT_SECONDS = 300


def installed(folder: str, *packages: str) -> Path:
    """Install packages, each `name@version`, where they are not installed yet.

    Returns:
        The folder below the cache that has `node_modules` in it.

    Raises:
        OSError, subprocess.SubprocessError: there is no npm, or it cannot get them.
    """
    home = CACHE / folder
    home.mkdir(parents=True, exist_ok=True)
    done, wanted = home / "installed.txt", "\n".join(packages)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != wanted:
            npm = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--silent", "--prefix", str(home)]
            subprocess.run([*npm, *packages], check=True, timeout=_TIMEOUT_SECONDS)
            done.write_text(wanted)
    return home


def need(variable: str, tools: tuple[str, ...], folder: str, *packages: str) -> None:
    """Skip the test on a machine that lacks a tool or cannot reach npm's registry, unless `variable` is set to 1."""
    reason = _obstacle(tools, folder, packages)
    if reason and os.environ.get(variable) != "1":
        pytest.skip(f"{reason} (with {variable}=1 this is an error)")
    if reason:
        pytest.fail(reason)


@cache
def _obstacle(tools: tuple[str, ...], folder: str, packages: tuple[str, ...]) -> str | None:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        return f"{' and '.join(missing)} not found"
    try:
        installed(folder, *packages)
    except (OSError, subprocess.SubprocessError) as error:
        return f"npm cannot install {', '.join(packages)}: {type(error).__name__}"
    return None
