"""The backtest over a small made-up file: what happened, how rules are judged by it, and what the command prints."""

from __future__ import annotations

import gzip
import json
from datetime import date, timedelta

import pytest

from tools.backtest.__main__ import main
from tools.backtest.accounts import account, excused, read
from tools.backtest.measures import measure, patterns, stretches
from tools.backtest.outcomes import Outcome
from tools.backtest.rules import not_seen, shrunk

MONDAY = date(2024, 1, 1)


def line(name, days, *, observed=None, left=True, start=MONDAY):
    """A line of the file: one person, who changes code and reviews on each of the days."""
    last = days[-1]
    return {
        "a": name,
        "set": "companies",
        "p": "made-up",
        "t0": start.isoformat(),
        "end": (start + timedelta(days=observed or last + 200)).isoformat(),
        "rows": [[day, 3, 1, 600, 2, 1, 0, 0, 1, 0, 0, [0], [day % 4]] for day in days],
        "last": last,
        "churned": left,
        "mature": 90,
    }


def workdays(start, end):
    return [day for day in range(start, end) if day % 7 < 5]


GONE = line("gone", workdays(0, 280))
STAYS = line("stays", workdays(0, 600), observed=610, left=False)
SHRINKS = line("shrinks", [*workdays(0, 280), *range(280, 560, 7)], observed=600, left=False)
LINES = [GONE, STAYS, SHRINKS]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "accounts.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(each) + "\n" for each in LINES)
    return path


def test_json__made_up_file__says_when_each_account_changed(path, capsys):
    assert main([str(path), "--json"]) == 0
    lines = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    by_account = {each["a"]: [of for of in lines if of["account"] == each["a"]] for each in LINES}
    for changes in by_account.values():
        assert changes[0] == {
            "account": changes[0]["account"],
            "day": 27,
            "from": None,
            "to": "monitor",
            "reasons": ["onboarding"],
        }
    last = 277
    red = [change for change in by_account["gone"] if change["to"] == "red"]
    assert [(change["day"], change["reasons"][0]) for change in red] == [(last + 14, "regime_change")]
    assert all(change["to"] != "red" for change in by_account["stays"])
    shrinking = [change for change in by_account["shrinks"] if change["to"] == "yellow"]
    assert [(change["day"], change["reasons"][0]) for change in shrinking] == [(301, "multiple")]


def test_tables__made_up_file__have_every_rule_and_pattern(path, capsys):
    assert main([str(path)]) == 0
    printed = capsys.readouterr().out
    assert "3 accounts, 3 judged" in printed
    assert "1 left; 1 lasting contractions, 1 in steady use" in printed
    for name in (
        "yellow or red, calm",
        "not seen 30 d, ended by recovery",
        "standard score < 40",
        "drop",
        "regime_change",
    ):
        assert name in printed


def test_read__line_that_is_no_account__is_named(tmp_path, capsys):
    path = tmp_path / "broken.jsonl.gz"
    with gzip.open(path, "wt") as file:
        file.write(json.dumps(GONE) + "\n\n" + json.dumps({"a": "x"}) + "\n")
    assert main([str(path)]) == 1
    assert "line 3" in capsys.readouterr().err


def test_read__no_gzip_file__says_so(tmp_path, capsys):
    path = tmp_path / "plain.jsonl"
    path.write_text("{}")
    assert main([str(path)]) == 1
    assert "could not be read" in capsys.readouterr().err


def test_outcome__five_days_a_week__is_judged_from_day_90_and_steady():
    outcome = Outcome(account(GONE))
    assert (outcome.judged, outcome.last, outcome.end) == (90, 277, 397)
    assert outcome.steady[200]
    assert outcome.years == pytest.approx((277 - 90 - 90) / 365.25)


def test_outcome__seldom_active__is_never_judged():
    assert Outcome(account(line("seldom", list(range(0, 400, 20))))).judged is None


def test_outcome__censored__ends_with_its_last_event():
    outcome = Outcome(account(STAYS))
    assert outcome.end == outcome.last == 599 - 599 % 7 + 4 - 7 * (599 % 7 < 4)


def test_outcome__use_halves_for_a_quarter__is_one_break_on_the_sunday_before():
    assert [(found.day, found.steady) for found in Outcome(account(SHRINKS)).breaks] == [(279, True)]


def test_outcome__alert_before_the_fall__is_a_contraction_and_earlier_is_false():
    outcome = Outcome(account(SHRINKS))
    assert outcome.is_contraction(280)
    assert not outcome.is_contraction(150)


def test_measure__alert_on_once_early_and_once_at_the_end__counts_false_and_announced():
    outcome = Outcome(account(GONE))
    on = bytearray(outcome.end)
    on[100:110] = b"\x01" * 10
    on[270:397] = b"\x01" * 127
    found = measure([(outcome, bytes(on))])
    assert found.false == pytest.approx(1 / outcome.years)
    assert (found.flagged, found.useful) == ((100, 100, 100, 100), 50)


def test_measure__alert_that_stays_on_from_before__is_announced_and_counts_as_false_too():
    outcome = Outcome(account(GONE))
    found = measure([(outcome, bytes([0] * 150 + [1] * (outcome.end - 150)))])
    assert (found.false > 0, found.flagged[0], found.useful) == (True, 100, 50)


def test_stretches__on_at_both_ends__are_cut_to_what_is_judged():
    assert list(stretches(bytes([1, 1, 0, 1, 0, 1]), 1, 6)) == [(1, 2), (3, 4), (5, 6)]


def test_patterns__findings__are_followed_by_an_end_a_contraction_or_neither():
    gone, shrinks = Outcome(account(GONE)), Outcome(account(SHRINKS))
    found = patterns([(gone, [("drop", 270), ("drop", 150), ("drop", 290)]), (shrinks, [("drop", 285)])])
    assert found == [("drop", 4, 50, 25, 25)]


def test_patterns__too_near_the_end_of_what_is_known__do_not_count():
    outcome = Outcome(account(STAYS))
    assert patterns([(outcome, [("drop", outcome.last - 89), ("drop", 89)])]) == []


def test_not_seen__from_so_many_days_after_the_last_event__is_on():
    nights = not_seen(account(GONE), 14)
    assert [day for day in range(260, 300) if nights[day]] == list(range(277 + 14, 300))


def test_shrunk__from_five_days_a_week_to_one__is_on_once_the_weeks_hold_half():
    nights = shrunk(account(SHRINKS), 21, 84, 12)
    assert not any(nights[105:280])
    assert nights[300]


def test_excused__fewer_than_twenty_accounts__are_no_week(path):
    assert excused(read(path)).weeks == frozenset()


def test_excused__most_of_thirty_accounts_missing_in_a_week__is_excused_for_all():
    days = [day for day in workdays(0, 280) if not 140 <= day < 147]
    accounts = [account(line(f"a{number}", days, observed=280, left=False)) for number in range(30)]
    assert excused(accounts).weeks == {(MONDAY.toordinal() - 1) // 7 + 20}
