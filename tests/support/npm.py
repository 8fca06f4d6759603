"""Packages of npm that tests run, installed once into the cache, however many test processes ask at once."""

from __future__ import annotations

import fcntl
import subprocess
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache"


def installed(folder: str, *packages: str) -> Path:
    """Install packages, each `name@version`, where they are not installed yet.

    Returns:
        The folder below the cache that has `node_modules` in it.
    """
    home = CACHE / folder
    home.mkdir(parents=True, exist_ok=True)
    done, wanted = home / "installed.txt", "\n".join(packages)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != wanted:
            npm = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--silent", "--prefix", str(home)]
            subprocess.run([*npm, *packages], check=True)
            done.write_text(wanted)
    return home
