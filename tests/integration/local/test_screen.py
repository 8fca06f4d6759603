"""The screen that a newcomer reads."""

import io
import re
import sys

import pytest

from tools.demo.seed import DemoAccount
from tools.demo.stories import STORIES
from tools.local.screen import screen, wants_color

ROWS = [
    DemoAccount("low-co", "/v1/accounts/low-co", 9, "critical", "red", "gone"),
    DemoAccount("high/ltd", "/v1/accounts/~aGlnaC9sdGQ", 100, "healthy", "ok", "new"),
]


def test_screen__accounts__best_first_in_columns():
    header, first, second, coded = screen("http://x", ROWS, color=False).split("\n\n")[1].splitlines()
    assert (first[:8], second[:8]) == ("high/ltd", "low-co  ")
    assert header.index("band") == first.index("healthy") == second.index("critical")
    assert header.index("state") == first.index("ok") == second.index("red")
    assert coded == "In paths, high/ltd is ~aGlnaC9sdGQ."


def test_screen__accounts_of_the_demo__fit_into_80_columns():
    rows = [DemoAccount(story.account_id, "", 100, "critical", "monitor", story.plot) for story in STORIES]
    table = screen("http://x", rows, color=False).split("\n\n")[1]
    assert max(map(len, table.splitlines())) <= 80


def test_screen__colour__same_text_otherwise():
    plain, colored = (screen("http://x", ROWS, color=color) for color in (False, True))
    assert "\033" not in plain
    assert "\033[31mcritical" in colored
    assert re.sub(r"\033\[\d+m", "", colored) == plain


def test_screen__empty_workspace__commands_for_an_account_to_come():
    text = screen("http://x", [], color=False, dynamodb_endpoint="http://y")
    assert "The workspace is empty" in text
    assert "/v1/accounts/acme/health" in text
    assert "The tables are in http://y." in text


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "environment", "wanted"),
    [
        (Terminal(), {}, True),
        (io.StringIO(), {}, False),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
    ],
)
def test_wants_color__terminal_that_can__only_then(monkeypatch, stream, environment, wanted):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", stream)
    assert wants_color() is wanted
