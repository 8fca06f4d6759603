"""What each detector says: numbers and dates that a reader can check."""

from __future__ import annotations

import json
from datetime import date

import pytest

from healthscore.core.decisions.decision import reason_json, sentence
from healthscore.core.detectors.accelerating import Decline
from healthscore.core.detectors.adoption import Adopted
from healthscore.core.detectors.champion import Absence
from healthscore.core.detectors.champion_state import Champion, ChampionState
from healthscore.core.detectors.drop import Drops, Series
from healthscore.core.detectors.fade import Fade
from healthscore.core.detectors.finding import Level, Sighting
from healthscore.core.detectors.growth import Growth
from healthscore.core.detectors.halved import Halved
from healthscore.core.detectors.multiple import Together
from healthscore.core.detectors.onboarding import start
from healthscore.core.detectors.registry import DETECTORS
from healthscore.core.detectors.repeated import again
from healthscore.core.detectors.silence import Silence, overdue_after
from healthscore.core.detectors.tickets import Rise
from healthscore.core.detectors.volume_stops import Stop
from healthscore.core.model import MICROS
from healthscore.core.signals.calendar import week_of


def day(month, of_month):
    return date(2026, month, of_month).toordinal()


WEEK = week_of(day(11, 16))


def drop(values, unit=1):
    weeks = range(WEEK - len(values) + 1, WEEK + 1)
    return Drops(Series(weeks, [value * unit for value in values], 12), len(values))


def silence(last, until, weeks_active, days_active, cadence=None):
    return Silence(
        last=last,
        day=until,
        days=until - last,
        weeks_active=weeks_active,
        days_active=days_active,
        overdue_after=overdue_after(weeks_active, cadence),
        cadence=cadence,
    )


FELL = drop([5] * 12 + [2, 1, 2]).current
REPORTS = drop([7, 8] * 6 + [1, 0, 1, 0], unit=MICROS).current
CASES = [
    (
        Sighting("drop", "active_days", Level.YELLOW, FELL),
        (
            "Active days were at or below half of the usual 5 a week for 3 weeks in a row (2, 1, 2; weeks of 2 "
            "to 16 Nov). "
            "In the 12 weeks before, none was that low."
        ),
    ),
    (
        Sighting("drop", "active_days", Level.MONITOR, drop([5] * 9 + [1, 5, 5] + [2, 1]).current),
        (
            "Active days were at or below half of the usual 4.7 a week for 2 weeks in a row (2, 1; weeks of 9 to "
            "16 Nov). "
            "In the 12 weeks before, 1 was that low."
        ),
    ),
    (
        Sighting("drop", "value", Level.YELLOW, drop([7] * 12 + [1] * 8, unit=MICROS).current),
        (
            "Value activity was at or below half of the usual 7 a week for 8 weeks in a row (lately 1, 1, 1, 1, "
            "1, 1; weeks "
            "of 28 Sep to 16 Nov). In the 12 weeks before, none was that low."
        ),
    ),
    (
        Sighting(
            "multiple",
            None,
            Level.YELLOW,
            Together((("active_days", FELL), ("value", REPORTS)), None, WEEK, ChampionState.RESPONSIVE),
        ),
        (
            "Two things fall at once: active days (5 a week → 1.7) for 3 weeks in a row and value activity (7.5 "
            "a week → "
            "0.5) for 4 weeks in a row."
        ),
    ),
    (
        Sighting("multiple", None, Level.RED, Together((("active_days", FELL),), 7, WEEK, ChampionState.SILENT)),
        "Active days (5 a week → 1.7) for 3 weeks in a row, while open tickets rise, to 7. The champion is silent too.",
    ),
    (
        Sighting("regime_change", None, Level.RED, silence(day(11, 15), day(11, 29), 13, 65)),
        "Used on 65 of the 91 days before, and not at all for 14 days since 15 Nov: ten of its usual pauses.",
    ),
    (
        Sighting("volume_stops", "integration:Jira issues", Level.RED, Stop(144 * MICROS, 3, WEEK - 3, WEEK)),
        "Jira issues volume: 12 a week until 1 Nov, none for 3 weeks.",
    ),
    (
        Sighting("overdue", None, Level.YELLOW, silence(day(11, 1), day(11, 29), 12, 40)),
        (
            "No event for 28 days (since 1 Nov). Active in 12 of the 13 weeks before, so 28 days are more than "
            "its rhythm "
            "explains."
        ),
    ),
    (
        Sighting("overdue", None, Level.YELLOW, silence(day(1, 1), day(5, 17), 1, 2, cadence=90)),
        "No event for 136 days (since 1 Jan). It is expected every 90 days.",
    ),
    (
        Sighting("out_of_use", None, Level.RED, silence(day(10, 4), day(11, 29), 12, 40)),
        "No event for 56 days (since 4 Oct), twice what its rhythm explains.",
    ),
    (
        Sighting("repeated", "active_days", Level.YELLOW, again(drop([5] * 12 + [1, 3, 4, 3, 1, 1, 1]))),
        (
            "Active days fell for the second time in 26 weeks, from the usual 5 a week to 1 (weeks of 2 to 16 Nov); "
            "in between they came back to 70 % of usual at most."
        ),
    ),
    (
        Sighting("fade", None, Level.YELLOW, Fade(9, 41, day(5, 3), day(11, 29))),
        "Active on 9 of the last 91 days; in its best quarter of the year (until 3 May) on 41.",
    ),
    (
        Sighting("fade", None, Level.YELLOW, Fade(4, 16, day(9, 27), day(9, 23) + 365)),
        "Active on 4 of the last 91 days; in its best quarter of the year (until 27 Sep 2026) on 16.",
    ),
    (
        Sighting("halved", None, Level.YELLOW, Halved(7, 50, day(11, 29))),
        "Active on 7 days of the last 28, half of its usual 16.7 or less; it had come every week.",
    ),
    (
        Sighting("accelerating", None, Level.YELLOW, Decline(24, 16, 6, day(11, 29))),
        "Active days: 24, then 16, then 6 in four weeks each: the fall speeds up.",
    ),
    (
        Sighting(
            "champion",
            None,
            Level.YELLOW,
            Absence(Champion(ChampionState.SILENT, ("kim",), True, 23), 2, True, day(11, 29)),
        ),
        (
            "kim (most active over half a year, inferred) has not been seen for 23 days; 2 others were, in the "
            "last 4 weeks."
        ),
    ),
    (
        Sighting(
            "champion",
            None,
            Level.YELLOW,
            Absence(Champion(ChampionState.SILENT, ("kim", "lee"), False, 21), 0, True, day(11, 29)),
        ),
        "kim and lee have not been seen for 21 days; no others were, in the last 4 weeks.",
    ),
    (
        Sighting("onboarding", None, Level.YELLOW, start(56, [1, 2, 50], 2, 1)),
        "Day 56: 1 of 4 marks of a good start. Missing: used in half of its weeks, three features and a second user.",
    ),
    (
        Sighting("tickets", "tickets", Level.MONITOR, Rise(5, 18, WEEK)),
        "5 tickets are open; at the ends of the 12 weeks before, it was 1.5 on average.",
    ),
    (
        Sighting("growth", "users", Level.OK, Growth(26, 48, WEEK)),
        "Active users were at or above the usual 4 a week for 4 weeks, together 163 %: room for more seats?",
    ),
    (
        Sighting("adoption", "export", Level.OK, Adopted("export", day(11, 1), 3, WEEK)),
        "Export, first used on 1 Nov, was used in 3 weeks of the last 4.",
    ),
]


@pytest.mark.parametrize(("sighting", "expected"), CASES, ids=lambda of: of.reason if isinstance(of, Sighting) else "")
def test_sentence__figures__are_said_in_plain_english(sighting, expected):
    assert sentence(sighting) == expected


@pytest.mark.parametrize("sighting", [sighting for sighting, _ in CASES], ids=lambda of: of.reason)
def test_reason__every_detector__has_figures_days_and_links(sighting):
    written = reason_json(sighting)
    assert json.loads(json.dumps(written)) == written
    assert written["evidence"]
    assert all(item["what"] and item["unit"] and item["date"] for item in written["evidence"])
    assert [link["what"] for link in written["links"]] == ["signal", "events"]
    assert all(link["since"] <= link["until"] for link in written["links"])


def test_cases__all_detectors__are_said():
    assert {sighting.detector for sighting, _ in CASES} == {detector.name for detector in DETECTORS}


def test_evidence__drop__is_from_the_usual_to_now_in_percent():
    evidence = reason_json(CASES[0][0])["evidence"][0]
    assert evidence == {
        "what": "Active days",
        "unit": "a week",
        "since": "2026-11-02",
        "date": "2026-11-22",
        "from": 5.0,
        "to": 1.7,
        "percent": 33.3,
    }
