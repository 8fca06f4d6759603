"""What an account has to come back to, frozen on the first night of an episode."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from healthscore.core.decisions.episode import Episode
from healthscore.core.detectors.fade import Fade
from healthscore.core.detectors.finding import Level, Sighting
from healthscore.core.signals.active_days import ActiveDays
from healthscore.core.signals.rhythm import Rhythm

DAYS = ActiveDays([*range(1000, 1010), *range(1100, 1110)])


def begun(day, *sightings):
    night = SimpleNamespace(day=day, days=DAYS, rhythm=Rhythm(1109, 13, 26))
    return Episode.begin(night, sightings or [Sighting("overdue", None, Level.YELLOW, None)]).usual_days


@pytest.mark.parametrize(("day", "usual"), [(1109 + 14, 10), (1109 + 13, 6)])
def test_episode__silent_for_two_weeks__has_to_come_back_to_the_quarter_before_the_silence(day, usual):
    """With a day less, it is the quarter that ended four weeks ago: days 1004 to 1094."""
    assert begun(day) == usual


@pytest.mark.parametrize(("best", "usual"), [(41, 20.5), (13, 10)])
def test_episode__begun_by_a_fade__has_to_come_back_to_half_of_the_best_quarter(best, usual):
    assert begun(1109 + 14, Sighting("fade", None, Level.YELLOW, Fade(3, best, 1050, 1123))) == usual
