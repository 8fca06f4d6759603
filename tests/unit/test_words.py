"""Identifiers and file names use one word for each idea: none that docs/words.md replaced by another."""

from __future__ import annotations

import re
import tokenize
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("shared", "functions", "tools", "tests")
REPLACED = {
    "anew": "again",
    "belonging": "a person's accounts",
    "deed": "tracked event",
    "fence": "version check",
    "fleet": "tracking outage",
    "forgetting": "pending user erasures",
    "heeded": "suppression",
    "homecoming": "reassigning pending events",
    "lane": "write shard",
    "patience": "backoff or timeout",
    "scrub": "pseudonymise",
    "standing": "stored, or existence checks",
    "tally": "totals or counts",
    "telling": "alerting",
    "told": "alerted, or sent",
}
"""Words that the code no longer uses, in the singular, and the words instead."""
WIRE_NAMES = {"FLEET_SILENT"}
"""Constants that are named after a wire or stored name, which stays."""
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@cache  # files name the same things again and again
def replaced_words(identifier: str) -> set[str]:
    """The replaced words in an identifier or a file name, in the singular."""
    if identifier in WIRE_NAMES:
        return set()
    return REPLACED.keys() & {_singular(part.lower()) for part in _PART.findall(identifier)}


def _singular(word: str) -> str:
    return re.sub("ies$", "y", word).removesuffix("s")


def files() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def found(path: Path) -> list[str]:
    """The replaced words of a file, each with its line and the word to use."""
    place = path.relative_to(ROOT)
    words = [f"{place}: {word} -> {REPLACED[word]}" for word in sorted(replaced_words(str(place)))]
    with path.open("rb") as source:
        for token in tokenize.tokenize(source.readline):
            if token.type == tokenize.NAME:
                line = f"{place}:{token.start[0]} {token.string}"
                words += [f"{line}: {word} -> {REPLACED[word]}" for word in sorted(replaced_words(token.string))]
    return words


def test_code__names__use_no_replaced_word():
    assert [line for path in files() for line in found(path)] == []


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("lanes_for", {"lane"}),
        ("_tally", {"tally"}),
        ("TestTallies", {"tally"}),
        ("PersonBelonging", {"belonging"}),
        ("storage/homecoming.py", {"homecoming"}),
        ("FLEET", {"fleet"}),
        ("FLEET_SILENT", set()),
        ("planes", set()),
        ("defence", set()),
    ],
)
def test_replaced_words__identifier__is_searched_word_by_word(identifier, expected):
    assert replaced_words(identifier) == expected
