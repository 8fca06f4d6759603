"""Tables in this process, and runs that make one call after the other."""

from __future__ import annotations

import pytest

from healthscore.services.nightly import process
from healthscore.services.notifications import outbox
from tests.integration.nightly.nights import Inline, Topic


@pytest.fixture
def topic(moto, monkeypatch):
    monkeypatch.setattr(process, "ThreadPoolExecutor", Inline)
    monkeypatch.setattr(outbox, "ThreadPoolExecutor", Inline)
    return Topic()
