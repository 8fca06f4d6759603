from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from healthscore.services.nightly.plan import plan_run
from healthscore.settings import Settings
from healthscore.storage import workspace
from tests.integration.nightly.nights import LONG_AGO, TONIGHT, items, schedule

TODAY = TONIGHT.date()


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"date": "2026-11-21"}, "is not over: today is 2026-11-21 in UTC"),
        ({"date": "2026-11-22"}, "is not over"),
        ({"date": "2026-02-30"}, "there is no day 2026-02-30"),
        ({"date": "20261120"}, "must be a day such as 2026-11-20"),
        ({"date": 20261120}, "must be a day such as 2026-11-20"),
        ({"date": "2025-08-01"}, "within the 460 days"),
        ({"time": "2026-11-21T02:00:00"}, "offset"),
        ({"time": "2026-11-21T02:15:00.001Z"}, "must not lie in the future"),
        ({"time": 1_800_000_000}, "must be an instant such as"),
        ({"day": "2026-11-20"}, "but got day"),
        ({"date": "2026-11-20", "time": "2026-11-21T02:00:00Z"}, "but got date, time"),
        ({"task": "digest"}, "but got task"),
    ],
)
@pytest.mark.usefixtures("topic")
def test_plan_run__event_that_makes_no_sense__is_refused_in_words(event, message):
    with pytest.raises(ValueError, match=message):
        plan_run(event, TONIGHT)
    assert items("SETTINGS_TABLE") == {}


@pytest.mark.usefixtures("topic")
def test_plan_run__last_day_within_retention__is_taken():
    assert plan_run({"date": "2025-10-17"}, TONIGHT).day == date(2025, 10, 17)


@pytest.mark.usefixtures("topic")
def test_plan_run__instant__falls_on_the_day_of_the_workspace():
    workspace.save_settings(Settings(timezone="Asia/Tokyo"), LONG_AGO)
    run = plan_run(schedule(datetime(2026, 11, 21, 2, tzinfo=ZoneInfo("Asia/Tokyo"))), TONIGHT)
    assert (run.day, run.as_of) == (TODAY, datetime(2026, 11, 20, 17, tzinfo=UTC))


@pytest.mark.usefixtures("topic")
def test_plan_run__nothing_given__is_now_to_the_millisecond():
    now = TONIGHT + timedelta(microseconds=1_999)
    assert plan_run({}, now).as_of == TONIGHT + timedelta(milliseconds=1)
    assert plan_run({}, TONIGHT + timedelta(hours=3)).as_of == TONIGHT + timedelta(milliseconds=1)
