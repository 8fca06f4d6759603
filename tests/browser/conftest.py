"""What every test in a browser needs: the browser, and a local stack for it to talk to."""

from __future__ import annotations

import pytest

from tests.support import browser as browsers
from tools.local.stack import LocalStack


@pytest.fixture(scope="module")
def browser():
    with browsers.launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def stack():
    with LocalStack(port=0, report=lambda _line: None) as stack:
        stack.call("PUT", "/v1/accounts/acme", "local-admin", {"name": "Acme"})
        stack.serve()
        yield stack
