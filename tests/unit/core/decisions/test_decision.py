"""A decision: what to do, by when, and who does it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from healthscore.core.decisions.decision import Link, decide, disagreement, due_date
from healthscore.core.decisions.episode import Ending
from healthscore.core.decisions.finding_document import finding_json
from healthscore.core.decisions.findings import Finding, FindingState
from healthscore.core.decisions.life import Change
from healthscore.core.decisions.response import ACTIONS, NOTE, response
from healthscore.core.decisions.withdrawn import withdrawn
from healthscore.core.detectors.champion_state import ChampionState
from healthscore.core.detectors.finding import Level, Sighting
from healthscore.core.detectors.registry import BY_NAME
from healthscore.core.model import Band
from healthscore.core.signals.model import Profile
from tests.unit.core.detectors import test_sentences as said

TUESDAY = date(2026, 11, 24)
SEEN = {(sighting.detector, sighting.signal, sighting.level): sighting for sighting, _ in said.CASES}
DROP = SEEN["drop", "active_days", Level.YELLOW]


def together(champion, level):
    return Sighting("multiple", None, level, said.CASES[3][0].figures._replace(champion=champion))


def change(*reasons, after=Level.YELLOW, ending=None):
    return Change(TUESDAY.toordinal() - 1, Level.OK, after, reasons, ending)


TABLE = [
    (SEEN["drop", "active_days", Level.MONITOR], "Note it; no outreach.", None),
    (DROP, "Reach out to check in: what changed in active days (5 a week → 1.7)?", date(2026, 12, 1)),
    (
        together(ChampionState.RESPONSIVE, Level.YELLOW),
        "Hold a working session to re-align on goals, beginning with value activity (7.5 a week → 0.5).",
        date(2026, 12, 1),
    ),
    (
        together(ChampionState.UNKNOWN, Level.YELLOW),
        (
            "Hold a working session to re-align on goals, beginning with value activity (7.5 a week → 0.5). Find "
            "out who the "
            "champion is."
        ),
        date(2026, 12, 1),
    ),
    (
        together(ChampionState.SILENT, Level.RED),
        "Hold an executive alignment call, and confirm the intent to renew.",
        date(2026, 11, 26),
    ),
    (
        SEEN["regime_change", None, Level.RED],
        (
            "Reach out today, after 14 days without an event: assume something broke, such as the login, the "
            "integration, a "
            "key or the billing."
        ),
        TUESDAY,
    ),
    (
        SEEN["out_of_use", None, Level.RED],
        "Ask whether they have left: nobody has come for 56 days. If so, mark it churned, and why.",
        date(2026, 11, 26),
    ),
    (
        SEEN["onboarding", None, Level.YELLOW],
        "Finish the missing marks with them: used in half of its weeks, three features and a second user.",
        date(2026, 12, 1),
    ),
    (
        Sighting("champion", None, Level.MONITOR, SEEN["champion", None, Level.YELLOW].figures._replace(others=5)),
        "Ask the 5 others who stands in for kim and lee.",
        None,
    ),
]


@pytest.mark.parametrize(
    ("reason", "action", "due"), TABLE, ids=lambda of: of.reason if isinstance(of, Sighting) else ""
)
def test_decide__each_row_of_the_response_table__says_what_to_do_and_by_when(reason, action, due):
    decided = decide(change(reason, after=reason.level), Profile(owner="ana"))
    assert (decided.action, decided.due, decided.night) == (action, due, TUESDAY.toordinal())


def test_response__every_detector_that_changes_a_state__has_one():
    assert ACTIONS.keys() == BY_NAME.keys() - {"growth", "adoption"}


@pytest.mark.parametrize(
    "sighting", [sighting for sighting, _ in said.CASES if sighting.level], ids=lambda of: of.reason
)
def test_response__grave_pattern__names_numbers_and_a_day(sighting):
    answer = response(sighting)
    if sighting.level >= Level.YELLOW:
        assert answer.working_days is not None
        assert "engage" not in answer.action
    else:
        assert answer == NOTE


def test_decide__state_of_the_gravest_reason__gives_the_action():
    decided = decide(change(SEEN["regime_change", None, Level.RED], DROP, after=Level.RED), Profile())
    assert decided.action.startswith("Reach out today")
    assert [reason["detector"] for reason in decided.to_json()["reasons"]] == ["regime_change", "drop"]


def test_decide__recovered__asks_for_nothing():
    decided = decide(change(after=Level.OK, ending=Ending.RECOVERED), Profile(owner="ana"))
    assert decided.to_json() == {
        "date": "2026-11-24",
        "from": "ok",
        "to": "ok",
        "reasons": [],
        "ended": "recovered",
        "action": None,
        "due": None,
        "owner": "ana",
        "escalated_to": None,
    }


@pytest.mark.parametrize(
    ("after", "owner", "expected"),
    [
        (Level.RED, None, ("unassigned", "head")),
        (Level.YELLOW, None, ("unassigned", None)),
        (Level.RED, "ana", ("ana", None)),
    ],
)
def test_decide__nobody_looks_after_it__red_goes_to_the_escalation_owner(after, owner, expected):
    decided = decide(change(DROP, after=after), Profile(owner=owner), "head")
    assert (decided.owner, decided.escalated_to) == expected


def test_decision__pages_of_others__are_links_of_every_reason():
    page = Link("call note", TUESDAY.toordinal(), TUESDAY.toordinal(), "https://example.com/note")
    reason = decide(change(DROP), Profile()).to_json([page])["reasons"][0]
    assert reason["links"][-1] == {
        "what": "call note",
        "since": "2026-11-24",
        "until": "2026-11-24",
        "url": "https://example.com/note",
    }


@pytest.mark.parametrize(
    ("day", "days", "due"),
    [
        (date(2026, 11, 27), 0, date(2026, 11, 27)),
        (date(2026, 11, 28), 0, date(2026, 11, 28)),
        (date(2026, 11, 27), 2, date(2026, 12, 1)),
        (date(2026, 11, 28), 2, date(2026, 12, 1)),
        (date(2026, 11, 25), 5, date(2026, 12, 2)),
    ],
)
def test_due_date__weekends__are_no_working_days(day, days, due):
    assert due_date(day.toordinal(), days) == due


@pytest.mark.parametrize(
    ("band", "state", "beginning"),
    [
        (Band.HEALTHY, Level.RED, "Still healthy"),
        (Band.CRITICAL, Level.OK, "Low but steady"),
        (Band.HEALTHY, Level.OK, None),
        (Band.HEALTHY, Level.YELLOW, None),
        (Band.CRITICAL, Level.RED, None),
        (Band.CRITICAL, None, None),
        (None, Level.RED, None),
    ],
)
def test_disagreement__band_and_risk__is_said_in_one_line(band, state, beginning):
    line = disagreement(band, state)
    assert line is None if beginning is None else line.startswith(beginning)


def finding(opened, *, state=FindingState.FIRING, closed=None, signal="active_days"):
    sighting = DROP._replace(signal=signal)
    return Finding(sighting, Level.YELLOW, opened, opened, state, closed)


def test_withdrawn__late_days_take_a_finding_back__closes_it():
    taken = withdrawn([finding(100)], [finding(20, state=FindingState.CLOSED, closed=60)], 110)
    assert [(each.state, each.closed, each.closed_how) for each in taken] == [
        (FindingState.CLOSED, 110, Ending.WITHDRAWN)
    ]


@pytest.mark.parametrize("now", [finding(98), finding(93, state=FindingState.CLOSED, closed=105)])
def test_withdrawn__late_days_move_a_finding__is_still_the_same(now):
    assert withdrawn([finding(100)], [now], 110) == []


def test_withdrawn__another_signal__is_another_finding():
    assert len(withdrawn([finding(100)], [finding(100, signal="users")], 110)) == 1


def test_withdrawn__closed_before__stays_as_it_is():
    assert withdrawn([finding(100, state=FindingState.CLOSED, closed=105)], [], 110) == []


def test_finding_id__same_finding__is_the_same_for_each_account():
    assert finding(TUESDAY.toordinal()).finding_id("acme").startswith("2026-11-24-drop-active_days-")
    assert finding(1).finding_id("acme") != finding(1).finding_id("other")


def test_finding__document__says_when_and_how_it_closed_and_why_it_was_opened():
    passed = replace(
        finding(TUESDAY.toordinal()),
        state=FindingState.CLOSED,
        closed=TUESDAY.toordinal() + 7,
        closed_how=Ending.PASSED,
        rebound=Fraction(200, 3),
    )
    written = finding_json(passed, "acme", alerted=TUESDAY.toordinal())
    assert {key: written[key] for key in written if key not in {"sentence", "evidence", "links", "finding_id"}} == {
        "state": "closed",
        "opened": "2026-11-24",
        "told": "2026-11-24",
        "closed": "2026-12-01",
        "closed_how": "passed",
        "rebound_percent": 66.7,
        "detector": "drop",
        "signal": "active_days",
        "level": "yellow",
    }
    assert written["finding_id"] == passed.finding_id("acme")
