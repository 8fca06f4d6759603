"""The golden cases of the rules of early warning: each has its rule, its input and what is expected of it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from healthscore.core.detectors import accelerating, champion, fade, growth, multiple, onboarding
from healthscore.core.detectors.champion_state import ChampionState
from healthscore.core.detectors.drop import YELLOW_WEEKS, drops_of
from healthscore.core.detectors.finding import Level
from healthscore.core.detectors.regime_change import is_regime_change
from healthscore.core.detectors.silence import Silence, overdue_after
from healthscore.core.signals.acceleration import acceleration
from healthscore.core.signals.active_days import ActiveDays
from healthscore.core.signals.calendar import first_whole_week
from healthscore.core.signals.excused import Excused
from healthscore.core.signals.level import level
from healthscore.core.signals.model import BREADTH, MINIMUM_DAYS, Family
from healthscore.core.signals.recovery import recovered_percent
from healthscore.core.signals.rhythm import rhythm, silent_days
from healthscore.core.signals.slope import slope

CASES = json.loads((Path(__file__).parents[3] / "golden" / "signals" / "cases.json").read_text("utf-8"))


def drop(weeks, minimum):
    current = drops_of(weeks, minimum).current
    if current is None:
        return {"state": "none"}
    return {
        "state": current.state.value,
        "low_weeks": current.low_weeks,
        "before": current.before,
        "unusual": current.unusual,
        "baseline": current.baseline,
    }


def silence(active, today, cadence=None, excused_weeks=0):
    last = active[-1]
    days = ActiveDays(active)
    before = rhythm(days, last)
    first = first_whole_week(last + 1)
    silent = silent_days(last, today, Excused(range(first, first + excused_weeks)))
    found = Silence(
        last=last,
        day=today,
        days=silent,
        weeks_active=before.weeks_active,
        days_active=before.days_active,
        overdue_after=overdue_after(before.weeks_active, cadence),
        cadence=cadence,
    )
    return {
        "verdict": verdict(found),
        "silent_days": found.days,
        "weeks_active_of_13": found.weeks_active,
        "days_active_of_91": found.days_active,
        "overdue_after": found.overdue_after,
        "usual_pauses": str(found.usual_pauses),
    }


def verdict(found):
    """The gravest that a silence is."""
    if found.days >= found.out_of_use_after:
        return "out of use"
    if is_regime_change(found):
        return "regime change"
    return "overdue" if found.days >= found.overdue_after else "ok"


def recovery(weeks, baseline):
    return {"percent": str(recovered_percent(weeks, baseline))}


def level_of(weeks):
    found = level(weeks)
    return {"now": found.now, "base": found.base, "percent": str(found.percent)}


def start(day, active_days, features, users, *, multi_user=True):
    found = onboarding.start(day, active_days, len(features), len(users) if multi_user else None)
    return {"marks": sorted(found.marks), "verdict": found.verdict.value}


def risk(signals, champion, silence_verdict="ok", *, few_users=False):
    levels = [Level.OK]
    state = ChampionState(champion)
    falling = [
        multiple.Falling(NAMES.get(key, key), Family(family), unusual) for key, (family, unusual) in signals.items()
    ]
    levels += [
        Level.YELLOW if item.unusual >= YELLOW_WEEKS else Level.MONITOR
        for item in falling
        if item.unusual > 0 and item.key != BREADTH
    ]
    if multiple.fall_together(falling):
        levels.append(multiple.level_of(state))
    levels.append(
        {"ok": Level.OK, "overdue": Level.YELLOW, "out of use": Level.RED, "regime change": Level.RED}[silence_verdict]
    )
    if state is ChampionState.SILENT:
        levels.append(champion_level(few=few_users))
    return {"risk_state": max(levels).word}


NAMES = {"act": "active_days", "integ": "integration:any"}
champion_level = champion.level_of
ANSWERS = {
    7: level_of,
    8: lambda weeks, n: {"percent": str(slope(weeks, n).percent)},
    9: lambda periods: {"is": (found := acceleration(*periods)) and found.value},
    10: recovery,
    17: drop,
    22: silence,
    24: lambda active_days_91, best_91_of_year: {"fires": fade.is_fade(active_days_91, best_91_of_year)},
    25: lambda periods: {"fires": accelerating.is_accelerating(*periods)},
    27: start,
    29: lambda weeks: {"fires": growth.is_growth(weeks, MINIMUM_DAYS)},
    32: risk,
}


def test_golden__file__has_cases_of_eleven_rules():
    assert len(CASES) == 67
    assert Counter(case["rule"] for case in CASES).keys() == ANSWERS.keys()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_golden__case__is_answered_as_expected(case):
    assert ANSWERS[case["rule"]](**case["input"]) == case["expect"]
