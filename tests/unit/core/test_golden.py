"""Golden cases: each file of tests/golden has facts and the expected health answer.

`expected` has the parts that the case is about; the answer may have more. `whole` is an answer of which every byte
counts. `recent` are nightly scores, `previous` are the facts of the night before.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from healthscore.core.documents import crm_from_json, daily_from_json
from healthscore.core.health import assess, document, snapshot
from healthscore.core.model import Facts, Milestone
from healthscore.core.time import parse_instant

GOLDEN = Path(__file__).parents[2] / "golden"
CASES = sorted(GOLDEN.glob("*.json"))


def read(path):
    return json.loads(path.read_text("utf-8"))


def facts_of(given):
    last_seen_at, crm = given["last_seen_at"], given["crm"]
    return Facts(
        **given
        | {
            "as_of": parse_instant(given["as_of"]),
            "as_of_day": date.fromisoformat(given["as_of_day"]),
            "last_seen_at": parse_instant(last_seen_at) if last_seen_at else None,
            "milestones": tuple(Milestone(name, parse_instant(at)) for name, at in given["milestones"].items()),
            "configured_milestones": tuple(given["configured_milestones"]),
            "crm": crm_from_json(crm) if crm else None,
        }
    )


def answer(case):
    previous = case["previous"] and snapshot(assess("acme", facts_of(case["previous"]), [], None))
    recent = [daily_from_json(daily) for daily in case["recent"]]
    return document(assess("acme", facts_of(case["facts"]), recent, previous))


def parts(actual, expected):
    """The parts of an answer that a case names: objects are compared by the named keys, other values as a whole."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return {key: parts(actual.get(key, "missing"), value) for key, value in expected.items()}
    return actual


def test_golden__folder__is_not_empty():
    assert CASES


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_golden__case__is_answered_as_expected(path):
    case = read(path)
    assert parts(answer(case), case["expected"]) == case["expected"]


@pytest.mark.parametrize("path", [path for path in CASES if "whole" in read(path)], ids=lambda path: path.stem)
def test_golden__whole_answer__is_the_same_byte_for_byte(path):
    case = read(path)
    assert json.dumps(answer(case), indent=2) == json.dumps(case["whole"], indent=2)
