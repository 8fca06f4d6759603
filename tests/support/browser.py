"""Chromium, as tests of pages drive it: one browser a process, a fresh profile a test, and a witness of what it does.

The browser is the machine's own (`apt-get install chromium-headless-shell`, Chrome, or the one at CHROMIUM). Tests that
need it are skipped without one, unless REQUIRE_BROWSER=1.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

TIMEOUT_SECONDS = 60
"""How long an element is waited for: only a test that fails waits so long."""
DESKTOP, PHONE = (1280, 900), (390, 844)
"""Widths and heights of a window."""
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ON_MACOS = ("Google Chrome.app/Contents/MacOS/Google Chrome", "Chromium.app/Contents/MacOS/Chromium")
_ARGUMENTS = [
    "--disable-gpu",
    "--disable-dev-shm-usage",  # containers have little shared memory
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # the browser reaches no other machine either
]
_WATCH = """
window.policyViolations = [];
document.addEventListener("securitypolicyviolation", event => policyViolations.push(
  `${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`), true);
"""


@dataclass
class Witness:
    """What a page did that no page of ours may do.

    Attributes:
        origin: where the page came from.
        elsewhere: URLs of requests that left the origin.
        console: errors and warnings on the browser's console, and exceptions that nobody caught.
    """

    page: Page
    origin: str
    elsewhere: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(_WATCH)
        self.page.on("request", self._requested)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.console.append(f"exception: {error}"))

    def violations(self) -> list[str]:
        """What the page's Content-Security-Policy has kept it from."""
        found: list[str] = self.page.evaluate("policyViolations")
        return found

    def stored(self) -> str:
        """All that the page has left in the browser, as text."""
        text: str = self.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        cookies = self.page.context.cookies()
        return f"{text} {cookies}"

    def nothing_amiss(self) -> None:
        """Assert that the page asked only its own origin, kept to its policy, and logged no trouble."""
        assert self.elsewhere == []
        assert self.violations() == []
        assert self.console == []

    def _requested(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "data:", "blob:")):
            self.elsewhere.append(request.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.console.append(f"{message.type}: {message.text}")


def program() -> str | None:
    """Find a Chromium on this machine."""
    named = os.environ.get("CHROMIUM")
    apps = [str(Path("/Applications") / name) for name in _ON_MACOS]
    return next((found for name in [named, *_NAMES, *apps] if name and (found := shutil.which(name))), None)


@contextmanager
def launched() -> Iterator[Browser]:
    """Start the browser; skip the test where there is none, unless REQUIRE_BROWSER=1."""
    found = program()
    if found is None:
        reason = "there is no Chromium (apt-get install chromium-headless-shell, or CHROMIUM=/path/to/it)"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(f"{reason} (with REQUIRE_BROWSER=1 this is an error)")
    with sync_playwright() as playwright:
        # Its sandbox needs privileges that containers and root lack; the only pages it opens are ours.
        browser = playwright.chromium.launch(executable_path=found, args=_ARGUMENTS, chromium_sandbox=False)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Browser, origin: str, *, dark: bool = False, size: tuple[int, int] = DESKTOP) -> Iterator[Witness]:
    """Open an empty page in a profile of its own, which is gone afterwards.

    Args:
        browser: as `launched` gives it.
        origin: from which alone the page may load, such as http://127.0.0.1:3000.
        dark: whether the reader's system is set to dark colours.
        size: of the window.
    """
    context = browser.new_context(
        base_url=origin,
        color_scheme="dark" if dark else "light",
        viewport={"width": size[0], "height": size[1]},
        reduced_motion="reduce",
    )
    try:
        context.set_default_timeout(TIMEOUT_SECONDS * 1000)
        yield Witness(context.new_page(), origin)
    finally:
        context.close()
