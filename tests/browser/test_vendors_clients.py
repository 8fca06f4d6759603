"""The vendors' clients for browsers, unmodified, on a page of another origin: only key and host are changed."""

from __future__ import annotations

import json
import mimetypes
import re
import time
from urllib.parse import urlparse

import pytest

from tests.support import browser_packages
from tests.support.browser import opened
from tools import ROOT
from tools.local.web import Request, Response, Server, application

pytestmark = pytest.mark.slow
TIMEOUT_SECONDS = 30
GUIDE = (ROOT / "docs" / "send-events.md").read_text(encoding="utf-8")
BUNDLED = """
<script src="/segment-bundled/index.js"></script>
<script>
  const { AnalyticsBrowser } = window.AnalyticsNext;
  const analytics = LOAD;
  analytics.group("acme", { name: "Acme Corp" }, {}, () => {
    analytics.track("report_exported");
    analytics.page("Reports");
  });
</script>
"""
PLACES = {
    "segment-bundled": "@segment/analytics-next/dist/umd",
    "segment": "@segment/analytics-next/dist/umd",
    "rudderstack": "@rudderstack/analytics-js/dist/npm/modern/bundled/umd",
    "rudderstack-legacy": "rudder-sdk-js/dist/npm",
}
"""Where the page's own server has the files of each package."""
LEGACY = """
<script src="/rudderstack-legacy/index.js"></script>
<script>
  rudderanalytics.load("YOUR_WRITE_KEY", "https://abc123.execute-api.eu-central-1.amazonaws.com", {
    configUrl: "https://abc123.execute-api.eu-central-1.amazonaws.com",
    destSDKBaseURL: location.origin,
  });
  rudderanalytics.identify("u-17", { email: "ann@acme.example" });
  rudderanalytics.group("acme", { name: "Acme Corp" });
  rudderanalytics.track("report_exported");
  rudderanalytics.page("Reports");
</script>
"""


def snippets() -> dict[str, str]:
    """The pages of the guide that load a vendor's client, and one with RudderStack's client before the present one."""
    segment, rudderstack = re.findall(r"```HTML\n(.*?)```", GUIDE, re.DOTALL)
    (load,) = re.findall(r"`(AnalyticsBrowser\.load\(.*?\))`", GUIDE)
    bundled = BUNDLED.replace("LOAD", load)
    return {"segment": segment, "segment-bundled": bundled, "rudderstack": rudderstack, "rudderstack-legacy": LEGACY}


@pytest.fixture(scope="module")
def pages(stack):
    """A server of pages, one for each client, with the client's files as a site would host them."""
    browser_packages.need()

    def answer(request: Request) -> Response:
        name, _, file = urlparse(request.target).path.strip("/").partition("/")
        if file:
            path = browser_packages.modules() / PLACES[name] / file
            return Response(200, path.read_bytes(), {"Content-Type": mimetypes.guess_type(file)[0] or "text/plain"})
        page = snippets()[name].replace("https://abc123.execute-api.eu-central-1.amazonaws.com", stack.url)
        for shown, own in (("YOUR_WRITE_KEY", "local-write"), ('"acme"', f'"{name}"'), ('"u-17"', f'"u-{name}"')):
            page = page.replace(shown, own)
        return Response(200, f"<!doctype html><title>Home</title>{page}".encode(), {"Content-Type": "text/html"})

    server = Server(application(answer, max_body=1000, too_large=Response(413)))
    server.start()
    yield server.url
    server.stop()


@pytest.mark.parametrize("name", PLACES)
def test_client__of_a_vendor__starts_and_its_calls_count(browser, stack, pages, name):
    statuses = []
    with opened(browser, pages) as witness:
        witness.page.on("response", lambda answer: statuses.append((answer.status, urlparse(answer.url))))
        witness.page.goto(f"/{name}")
        _wait_for(stack, name, events=2, witness=witness)
        elsewhere = [url for url in witness.elsewhere if not url.startswith(stack.url)]
        assert elsewhere == []
        assert [line for line in witness.console if "is deprecated" not in line] == []
    asked = [(status, url.path) for status, url in statuses if url.netloc in stack.url]
    assert {status for status, _ in asked} == {200}, asked
    profile = stack.call("GET", f"/v1/accounts/{name}", "local-read")["profile"]
    assert profile == {"name": "Acme Corp"}


@pytest.mark.parametrize("name", ["segment", "rudderstack"])
def test_client__answered_503_once__sends_its_calls_again_and_they_count_once(browser, stack, pages, name):
    refused = []

    def answer(route) -> None:
        if route.request.method == "POST" and route.request.url not in refused:
            refused.append(route.request.url)
            route.fulfill(status=503, headers={"access-control-allow-origin": "*"}, body="{}")
        else:
            route.continue_()

    before = _events(stack, name) or 0
    with opened(browser, pages) as witness:
        witness.page.route(f"{stack.url}/v1/**", answer)
        witness.page.goto(f"/{name}")
        _wait_for(stack, name, events=before + 2, witness=witness)
        witness.page.wait_for_timeout(1000)
    assert len(refused) == 4
    assert _events(stack, name) == before + 2


def _wait_for(stack, account_id: str, *, events: int, witness) -> None:
    """Wait until an account has events."""
    until = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < until:
        witness.page.wait_for_timeout(300)
        if (_events(stack, account_id) or 0) >= events:
            return
    raise AssertionError(f"the events did not come: {witness.console}, {witness.elsewhere}")


def _events(stack, account_id: str) -> int | None:
    """How many events an account has; None where there is none."""
    headers = (("authorization", "Bearer local-read"),)
    answer = stack.ask(Request("GET", f"/v1/accounts/{account_id}/health", headers, b""))
    return json.loads(answer.body)["components"]["activity"]["facts"]["events"] if answer.status == 200 else None
