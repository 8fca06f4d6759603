"""The API's page under a custom domain that maps the API to a base path."""

from __future__ import annotations

import json

import pytest

from tests.browser.test_docs_page import try_out
from tests.support.browser import opened
from tools.local.stack import LocalStack

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mapped():
    with LocalStack(port=0, base_path="/scores", report=lambda _line: None) as stack:
        stack.serve()
        yield stack


def test_page__under_a_base_path__finds_its_files_and_the_api(browser, mapped):
    with opened(browser, mapped.url) as witness:
        witness.page.goto("/scores/v1/docs/")
        witness.page.locator(".opblock").first.wait_for()
        status, answer = try_out(witness.page, "/healthz")
        assert (status, json.loads(answer)) == ("200", {"status": "ok"})
        witness.nothing_amiss()
