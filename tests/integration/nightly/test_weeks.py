"""Weeks of real nights: what an account's usual week explains is no fall."""

from datetime import timedelta
from random import Random

import pytest

from healthscore.core.alerts.change import FALLS
from healthscore.core.model import Event
from healthscore.services.ingestion.events import ingest
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts
from tests.integration.nightly.nights import NIGHT, TONIGHT, night, schedule

pytestmark = pytest.mark.no_cover  # it would double their time, and shorter tests reach the same lines
WEEKS = 7
BEGINS = TONIGHT - 7 * WEEKS * NIGHT
USE = {"few-a-day": (2, 3), "at-a-border": (3, 5), "many-a-day": (9, 11)}
"""Events of a working day, from and to: their scores lie below, around and above the border to healthy."""
WEEKENDS = {"sat-sun": (5, 6), "fri-sat": (4, 5), "sun": (6,)}


def work(account_id, events, weekend):
    """The account's use by its weeks, all alike but for chance."""
    random = Random(account_id)
    done = []
    for day in range(7 * WEEKS):
        morning = BEGINS + day * NIGHT + timedelta(hours=7)
        if morning.weekday() not in weekend:
            count = random.randint(*events)
            done += [(morning, count, number) for number in range(count)]
    # The first two events are milestones.
    names = ["account_created", "first_feature_used"]
    ingest(
        [
            Event(
                f"{account_id}-{index}",
                account_id,
                names[index] if index < len(names) else "report_opened",
                morning + timedelta(seconds=60 * number),
                user_id="ann",
            )
            for index, (morning, _, number) in enumerate(done)
        ],
        workspace.settings().settings,
        TONIGHT,
    )


@pytest.mark.parametrize("weekend", WEEKENDS)
def test_nights__seven_equal_weeks_with_quiet_weekends__tell_one_fall_at_most(topic, weekend):
    for name, events in USE.items():
        work(name, events, WEEKENDS[weekend])
    for day in range(1, 7 * WEEKS + 1):
        at = BEGINS + day * NIGHT
        night(topic, schedule(at), now=at)
    falls = [alert.account_id for alert in topic.alerts() if alert.kind in FALLS]
    assert all(falls.count(name) <= 1 for name in USE), [
        (alert.day.isoformat(), alert.title) for alert in topic.alerts() if alert.kind in FALLS
    ]
    assert len({daily.score for daily in accounts.get("at-a-border").recent[-7:]}) > 1
