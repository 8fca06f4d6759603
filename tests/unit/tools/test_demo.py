"""The demo's customers show every detector, and are in the same state on every weekday."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from healthscore.core.detectors.finding import Level
from healthscore.core.detectors.registry import DETECTORS
from tests.support.demo_lives import judged
from tools.demo.stories import STORIES

HOURS = [(0, 0, 1), (11, 30, 0), (23, 59, 24)]
NOWS = [datetime(2026, 11, day, *HOURS[day % 3], tzinfo=UTC) for day in range(16, 23)]
BY_ID = {story.account_id: story for story in STORIES}
OK, MONITOR, YELLOW, RED = Level
SHOWN = {
    "brightpath": (OK, set()),
    "harborline": (OK, set()),
    "pinecrest": (OK, set()),
    "tidewater": (OK, set()),
    "copperleaf": (YELLOW, {"onboarding"}),
    "kestrel": (OK, set()),
    "vantage/emea": (OK, set()),
    "fjordline": (MONITOR, {"onboarding"}),
    "lumen": (None, set()),
    "oakfield": (YELLOW, {"drop:value"}),
    "ferrous": (RED, {"volume_stops:integration:Jira", "drop:integration:Jira"}),
    "meridian": (YELLOW, {"multiple", "drop:active_days", "drop:users", "drop:value"}),
    "solstice": (RED, {"multiple", "drop:active_days", "drop:value", "champion"}),
    "bluewater": (RED, {"regime_change"}),
    "mossgate": (YELLOW, {"overdue", "drop:active_days"}),
    "quarry-lane": (RED, {"out_of_use", "overdue", "drop:active_days"}),
    "bellweather": (YELLOW, {"repeated:active_days"}),
    "redwood": (YELLOW, {"accelerating", "drop:active_days", "drop:users"}),
    "ashdown": (YELLOW, {"fade"}),
    "corvid": (YELLOW, {"champion"}),
    "larkspur": (OK, {"growth:active_days", "growth:value", "adoption:automations"}),
    "ironbridge": (MONITOR, {"drop:active_days", "drop:users", "tickets:tickets"}),
    "winterbourne": (OK, set()),
    "saltmarsh": (OK, set()),
}
"""The state of each customer in the coming night, and why: what is yellow or red, else what is seen at all."""


def seen(found, now):
    """What is open of a life at its gravest, and the good news of the last two months."""
    is_open = [finding for finding in found.findings if finding.closed is None]
    grave = [finding for finding in is_open if finding.level >= Level.YELLOW]
    news = {sighting.reason for day, sighting in found.news if day > now.toordinal() - 60}
    return found.state, {finding.sighting.reason for finding in grave or is_open} | news


@pytest.mark.parametrize("now", NOWS, ids=lambda now: f"{now:%a}")
def test_customers__any_weekday__show_the_same(now):
    assert {account_id: seen(judged(story, now), now) for account_id, story in BY_ID.items()} == SHOWN


def test_customers__together__show_every_detector_that_is_on_by_default():
    shown = {reason.partition(":")[0] for _, reasons in SHOWN.values() for reason in reasons}
    assert shown == {detector.name for detector in DETECTORS if detector.by_default}


@pytest.mark.parametrize("now", NOWS, ids=lambda now: f"{now:%a}")
def test_bluewater__coming_night__is_the_first_red_one(now):
    assert judged(BY_ID["bluewater"], now, nights_ago=1).state in {OK, MONITOR}


@pytest.mark.parametrize("now", NOWS, ids=lambda now: f"{now:%a}")
def test_saltmarsh__coming_night__ends_its_episode_which_was_recovering(now):
    found, before = judged(BY_ID["saltmarsh"], now), judged(BY_ID["saltmarsh"], now, nights_ago=1)
    assert found.changes[-1].ending.value == "recovered"
    assert (before.state, {finding.state.value for finding in before.findings if finding.closed is None}) == (
        RED,
        {"recovering"},
    )
