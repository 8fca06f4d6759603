"""Node's clients of event APIs, from npm."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.support import npm

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = ("@segment/analytics-node@3.1.0", "@rudderstack/rudder-sdk-node@3.0.13")


def missing_tools() -> list[str]:
    """What it takes and this machine lacks."""
    return [tool for tool in ("node", "npm") if shutil.which(tool) is None]


def home() -> Path:
    """The folder whose `node_modules` hold the packages."""
    return npm.installed("node-clients", *PACKAGES)
