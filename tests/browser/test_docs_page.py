"""The API's page in a browser: it shows every operation, makes requests, and gives nothing away."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import DESKTOP, PHONE, opened
from tools.local.web import Request

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.slow
UNNAMED = """
[...document.querySelectorAll("button, input, select, a[href]")].filter(control => control.offsetParent
  && !(control.innerText.trim() || control.ariaLabel || control.title || control.placeholder || control.labels?.length
    || control.getAttribute("aria-labelledby"))).map(control => control.outerHTML.slice(0, 200))
"""
"""Controls that can be seen, and that a screen reader has no name for."""

BACKGROUND = """
(() => {
  for (let element = document.querySelector(".information-container"); element; element = element.parentElement) {
    const colour = getComputedStyle(element).backgroundColor.match(/[\\d.]+/g).map(Number);
    if (colour.length < 4 || colour[3] > 0) return colour.slice(0, 3);
  }
  return [255, 255, 255];
})()
"""
"""Red, green and blue behind the page's first lines; white where no element has a background."""

FRAME = """
url => {
  const frame = document.createElement("iframe");
  frame.src = url;
  document.body.append(frame);
}
"""


@contextmanager
def docs(browser, stack, **options):
    """The page, when it shows its operations; in the end, nothing was amiss with it."""
    with opened(browser, stack.url, **options) as witness:
        witness.page.goto("/v1/docs")
        witness.page.locator(".opblock").first.wait_for()
        yield witness
        witness.nothing_amiss()


def by_keyboard(page: Page, control: Locator) -> None:
    control.focus()
    page.keyboard.press("Enter")


def authorize(page: Page, key: str) -> None:
    """Give the page a key, without a mouse."""
    by_keyboard(page, page.get_by_role("button", name="Authorize").first)
    page.locator("#auth-bearer-value").fill(key)
    page.keyboard.press("Enter")
    by_keyboard(page, page.get_by_role("button", name="Close").first)


def try_out(page: Page, path: str) -> tuple[str, str]:
    """Open a GET operation and send it as it stands.

    Returns:
        The status and the answer, as the page shows them.
    """
    operation = page.locator(".opblock-get", has=page.locator(f'[data-path="{path}"]'))
    by_keyboard(page, operation.locator(".opblock-summary-control"))
    by_keyboard(page, operation.get_by_role("button", name="Try it out"))
    by_keyboard(page, operation.get_by_role("button", name="Execute"))
    answer = operation.locator(".live-responses-table .response")
    status = answer.locator(".response-col_status").first
    status.wait_for()
    return status.inner_text().split()[0], answer.locator(".microlight, pre").first.inner_text()


def brightness(page: Page) -> float:
    """How bright the page's background is, from 0 (black) to 255."""
    channels: list[float] = page.evaluate(BACKGROUND)
    return sum(channels) / 3


@pytest.mark.parametrize(("dark", "size"), [(False, DESKTOP), (True, PHONE)], ids=["light, desktop", "dark, phone"])
def test_page__on_any_system__shows_every_operation_in_its_colours_and_width(browser, stack, dark, size):
    document = json.loads(stack.ask(Request("GET", "/v1/openapi.json", (), b"")).body)
    described = {f"{method} {path}" for path, methods in document["paths"].items() for method in methods}
    with docs(browser, stack, dark=dark, size=size) as witness:
        page = witness.page
        shown = page.locator(".opblock").evaluate_all(
            "blocks => blocks.map(block => block.querySelector('.opblock-summary-method').innerText.toLowerCase()"
            " + ' ' + block.querySelector('[data-path]').dataset.path)"
        )
        assert set(shown) == described
        assert len(shown) == len(described)
        assert page.locator(".errors-wrapper").count() == 0
        assert page.title() == "Healthscore API"
        assert (brightness(page) < 128) is dark
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert page.evaluate(UNNAMED) == []


def test_page__when_the_system_turns_dark__turns_dark(browser, stack):
    with docs(browser, stack) as witness:
        assert brightness(witness.page) > 128
        witness.page.emulate_media(color_scheme="dark")
        witness.page.locator("html.dark-mode").wait_for()
        assert brightness(witness.page) < 128


def test_page__without_a_key__tries_what_needs_none(browser, stack):
    with docs(browser, stack) as witness:
        status, answer = try_out(witness.page, "/healthz")
        assert (status, json.loads(answer)) == ("200", {"status": "ok"})


def test_page__with_a_key__tries_what_needs_it_and_forgets_the_key(browser, stack):
    sent = []
    with docs(browser, stack) as witness:
        page = witness.page
        authorize(page, "local-read")
        page.on("request", lambda request: sent.append(request.headers.get("authorization")))
        status, answer = try_out(page, "/v1/accounts")
        assert (status, sent) == ("200", ["Bearer local-read"])
        assert [account["account_id"] for account in json.loads(answer)["accounts"]] == ["acme"]
        assert witness.stored() == '[{},{},""] []'
        page.goto("about:blank")
        page.goto("/v1/docs")
        page.locator(".opblock").first.wait_for()
        del sent[:]
        status, _ = try_out(page, "/v1/accounts")
        assert (status, sent) == ("401", [None])
        assert len(witness.console) == 1
        assert "status of 401 " in witness.console.pop()  # every answer of 401 is an error on the console


def test_page__with_a_slash_at_its_end__is_the_same(browser, stack):
    with opened(browser, stack.url) as witness:
        witness.page.goto("/v1/docs/")
        witness.page.locator(".opblock").first.wait_for()
        witness.nothing_amiss()


def test_page__by_keyboard_alone__reaches_authorize(browser, stack):
    with docs(browser, stack) as witness:
        page = witness.page
        for _ in range(12):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.innerText") == "Authorize":
                break
        assert page.evaluate("document.activeElement.innerText") == "Authorize"
        page.keyboard.press("Enter")
        page.locator("#auth-bearer-value").wait_for()


def test_page__framed_by_another__is_not_shown(browser, stack):
    with opened(browser, stack.url) as witness:
        witness.page.goto("/v1/openapi.json")
        with witness.page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            witness.page.evaluate(FRAME, "/v1/docs")


def test_witness__of_a_page_that_misbehaves__sees_it(browser, stack):
    """So that finding nothing amiss above means something."""
    with opened(browser, stack.url) as witness:
        page = witness.page
        page.goto("/v1/docs")
        page.locator(".opblock").first.wait_for()
        witness.nothing_amiss()
        page.evaluate("""() => {
          const script = document.createElement("script");
          script.textContent = "window.ran = true";
          document.head.append(script);
          localStorage.setItem("kept", "local-read");
          return fetch("http://elsewhere.example/").catch(() => null);
        }""")
        assert page.evaluate("window.ran") is None
        assert {line.split()[0] for line in witness.violations()} == {"script-src-elem", "connect-src"}
        assert any("elsewhere.example" in line for line in witness.violations())
        assert "local-read" in witness.stored()
        assert witness.console
        with pytest.raises(AssertionError):
            witness.nothing_amiss()
