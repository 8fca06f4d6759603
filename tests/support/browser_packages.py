"""The vendors' clients for browsers, from npm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support import npm

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER = "browser-clients"
PACKAGES = ("@segment/analytics-next@1.84.3", "@rudderstack/analytics-js@3.34.1", "rudder-sdk-js@2.52.7")


def need() -> None:
    """Skip the test on a machine without npm or its registry, unless REQUIRE_NODE is 1."""
    npm.need("REQUIRE_NODE", ("npm",), _FOLDER, *PACKAGES)


def modules() -> Path:
    """The folder that holds the packages."""
    return npm.installed(_FOLDER, *PACKAGES) / "node_modules"
