"""Packages of npm that tests run, installed once into the cache."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

PACKAGES = ("@segment/analytics-node@3.1.0", "@rudderstack/rudder-sdk-node@3.0.13")
_HOME = Path(__file__).parents[2] / ".cache" / "node-clients"


def missing_tools() -> list[str]:
    """What it takes and this machine lacks."""
    return [tool for tool in ("node", "npm") if shutil.which(tool) is None]


def home() -> Path:
    """The folder whose `node_modules` hold the packages."""
    wanted = {name: version for name, _, version in (package.rpartition("@") for package in PACKAGES)}
    if _installed() != wanted:
        _HOME.mkdir(parents=True, exist_ok=True)
        npm = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--silent", "--prefix", str(_HOME), *PACKAGES]
        subprocess.run(npm, check=True)
    return _HOME


def _installed() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        name = package.rpartition("@")[0]
        manifest = _HOME / "node_modules" / name / "package.json"
        if manifest.exists():
            found[name] = json.loads(manifest.read_text())["version"]
    return found
