"""Node's clients of event APIs, from npm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support import npm

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER = "node-clients"
PACKAGES = ("@segment/analytics-node@3.1.0", "@rudderstack/rudder-sdk-node@3.0.13")


def need() -> None:
    """Skip the test on a machine without Node or its registry, unless REQUIRE_NODE is 1."""
    npm.need("REQUIRE_NODE", ("node", "npm"), _FOLDER, *PACKAGES)


def home() -> Path:
    """The folder whose `node_modules` hold the packages."""
    return npm.installed(_FOLDER, *PACKAGES)
