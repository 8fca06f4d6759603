"""What nights leave of an account's risk, and store: each change once, and nobody by name."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.decisions.finding_document import finding_json
from healthscore.core.decisions.findings import Finding, FindingState
from healthscore.core.decisions.inputs import Inputs
from healthscore.core.decisions.life import life
from healthscore.core.decisions.people import ERASED, named
from healthscore.core.decisions.risk import news_of, risk_of
from healthscore.core.detectors.champion import Absence
from healthscore.core.detectors.champion_state import Champion, ChampionState
from healthscore.core.detectors.finding import Level, Sighting
from healthscore.core.detectors.settings import DetectorSettings
from healthscore.core.documents import risk_from_json, risk_to_json
from healthscore.core.signals.calendar import date_of
from healthscore.core.signals.history import fold
from healthscore.core.signals.model import Profile
from tests.unit.core.decisions.stories import MONDAY, story, tuesday, weeks

ALONE = DetectorSettings(off=frozenset({"champion", "onboarding", "multiple"}))
FALL = [5] * 26 + [2, 1, 2]


def nights(uses, first, last, *, settings=ALONE, profile=None, before=None):
    """What each of some nights has to store, the one after the other; a profile is known from the first of them on."""
    found = []
    history, of = fold(uses), profile or Profile()
    for day in range(first, last + 1):
        now = life(Inputs(history, profiles=((0, Profile()), (first, of))), settings, day)
        found.append(news_of("acme", before, now, day, of))
        before = found[-1].risk
    return found


def test_news__state_changes__decides_once_with_reason_and_due_day():
    found = nights(weeks(*FALL, 3, 3, 5, 5, 5), tuesday(20), tuesday(33))
    decisions = [one.decision for one in found if one.decision]
    assert [(one["from"], one["to"], one["ended"]) for one in decisions] == [
        ("ok", "monitor", None),
        ("monitor", "yellow", None),
        ("yellow", "ok", "recovered"),
    ]
    assert decisions[1]["date"] == date_of(tuesday(28) + 1).isoformat()
    assert decisions[1]["action"].startswith("Reach out to check in")
    assert decisions[1]["due"] > decisions[1]["date"]


def test_news__first_night_of_an_account_that_is_well__decides_nothing():
    (found,) = nights(weeks(*[5] * 26), tuesday(25), tuesday(25))
    assert (found.decision, found.findings, found.risk.state) == (None, (), "ok")


def test_news__first_night_of_an_account_in_trouble__decides_with_what_is_open_alone():
    (found,) = nights(weeks(*[5] * 20, 2, 1, *FALL), tuesday(50) + 2, tuesday(50) + 2)
    assert (found.decision["from"], found.decision["to"]) == (None, "yellow")
    assert [one["state"] for one in found.findings] == ["firing"]
    assert found.risk.since == date_of(tuesday(50) + 1)


def test_news__finding__is_found_when_it_opens_gets_graver_and_closes():
    found = nights(weeks(*FALL, 3, 3, 5, 5, 5), tuesday(20), tuesday(33))
    drops = [one for night in found for one in night.findings if one["signal"] == "active_days"]
    assert [(one["level"], one["state"], one["closed_how"]) for one in drops] == [
        ("monitor", "open", None),
        ("yellow", "firing", None),
        ("yellow", "recovering", None),
        ("yellow", "closed", "recovered"),
    ]
    assert len({one["finding_id"] for one in drops}) == 1


def test_news__same_night_again__tells_nothing():
    found = nights(weeks(*FALL), tuesday(28), tuesday(28))[0]
    again = nights(weeks(*FALL), tuesday(28), tuesday(28), before=found.risk)[0]
    assert (again.decision, again.findings, again.withdrawn) == (None, (), ())
    assert again.risk == found.risk


def test_news__late_days_take_a_finding_back__withdraws_it_and_decides():
    before = nights(weeks(*FALL), tuesday(28), tuesday(28))[0]
    (found,) = nights(weeks(*[5] * 29), tuesday(28) + 1, tuesday(28) + 1, before=before.risk)
    assert found.withdrawn == tuple(one["finding_id"] for one in before.findings)
    assert (found.decision["from"], found.decision["to"], found.risk.findings) == ("yellow", "ok", ())


def test_news__late_days_move_a_finding__keeps_its_id():
    before = nights(weeks(*FALL), tuesday(28), tuesday(28))[0]
    moved = replace(before.risk.findings[0], opened=before.risk.findings[0].opened - timedelta(days=3))
    risk = replace(before.risk, findings=(moved,))
    found = nights(weeks(*FALL, 3, 3, 5, 5, 5), tuesday(28) + 1, tuesday(33), before=risk)
    ids = {one["finding_id"] for night in found for one in night.findings if one["signal"] == "active_days"}
    assert ids == {finding_id for finding_id in ids if finding_id.startswith(moved.opened.isoformat())}
    assert not any(night.withdrawn for night in found)


def test_news__customer_left__ends_what_was_open():
    before = nights(weeks(*FALL), tuesday(28), tuesday(28))[0]
    next_day = tuesday(28) + 1
    (found,) = nights(weeks(*FALL), next_day, next_day, profile=Profile(churned=True), before=before.risk)
    assert (found.risk.state, found.decision["to"], found.decision["ended"]) == (None, None, "lost")
    assert [one["closed_how"] for one in found.findings] == ["lost"]


@given(st.lists(st.integers(0, 6), min_size=30, max_size=45), st.data())
def test_news__night_after_night__is_a_chain_of_states_and_closes_what_it_opened(active, data):
    """Also where some nights were missed."""
    settings, first, last = DetectorSettings(), tuesday(25), tuesday(len(active))
    history = fold(weeks(*active, people=("ukim", "uann"), value=3))
    days = sorted(data.draw(st.sets(st.integers(first, last), min_size=3, max_size=25)))
    before, state, is_open = None, None, {}
    for day in days:
        found = news_of("acme", before, life(Inputs(history), settings, day), day, Profile())
        if found.decision:
            assert found.decision["from"] == state
            assert found.decision["to"] == found.risk.state
            assert found.risk.since == date_of(day + 1) or before is None
        else:
            assert found.risk.state == state or before is None
        for one in found.findings:
            is_open[one["finding_id"]] = one["state"] != "closed"
        assert not found.withdrawn
        assert sum(is_open.values()) == len(found.risk.findings)
        assert risk_from_json(json.loads(json.dumps(risk_to_json(found.risk)))) == found.risk
        assert "kim" not in json.dumps(risk_to_json(found.risk))
        before, state = found.risk, found.risk.state


ABSENT = Sighting(
    "champion",
    None,
    Level.YELLOW,
    Absence(Champion(ChampionState.SILENT, ("ukim", "uann"), False, 23), 2, True, MONDAY),
)


def test_finding__of_people__marks_them_and_lists_their_ids():
    document = finding_json(Finding(ABSENT, Level.YELLOW, MONDAY, MONDAY, FindingState.FIRING), "acme")
    assert document["people"] == ["ukim", "uann"]
    assert "kim" not in document["sentence"]
    assert named(document["sentence"], ["ukim", None], {"ukim": "Kim Li"}) == (
        f"Kim Li and {ERASED} have not been seen for 23 days; 2 others were, in the last 4 weeks."
    )


@pytest.mark.parametrize(
    ("people", "beginning"), [(("ukim",), "The champion has not"), (("ukim", "uann"), "The champions have not")]
)
def test_risk__reason_about_people__names_nobody(people, beginning):
    quiet = weeks(*[5] * 40, people=("ann",))
    found = story([*quiet], tuesday(40))
    seen = ABSENT._replace(figures=ABSENT.figures._replace(champion=Champion(ChampionState.SILENT, people, False, 23)))
    firing = Finding(seen, Level.YELLOW, MONDAY, MONDAY, FindingState.FIRING)
    risk = risk_of(replace(found, state=Level.YELLOW, findings=(firing,), episode=None), tuesday(40), Profile())
    assert risk.reason.startswith(beginning)
    assert risk.day == date.fromordinal(tuesday(40))
