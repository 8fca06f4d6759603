from __future__ import annotations

from healthscore.core.dataset.question import SHOWN
from tests.support.openapi import described


def test_account_line__is_described__with_every_shown_column():
    described_line = described()["components"]["schemas"]["AccountLine"]
    assert set(described_line["properties"]) == {*SHOWN, "path"}
