from __future__ import annotations

import pytest

from functions.insights import handler as insights
from healthscore.http.api_keys import CachedKeys, key_hash
from healthscore.storage import workspace
from healthscore.storage.workspace import ApiKey
from tests.integration.book.asking import READ_KEY
from tests.support.gateway import NOW


@pytest.fixture
def read_key(monkeypatch):
    monkeypatch.setattr(insights, "find_key", CachedKeys(workspace.find_key))
    workspace.add_key(ApiKey(key_hash(READ_KEY), "read", "test", NOW, "read"))
