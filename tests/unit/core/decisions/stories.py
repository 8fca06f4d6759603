"""Short ways to write the life of an account: so many active days a week, from a Monday on."""

from __future__ import annotations

from healthscore.core.decisions.inputs import Inputs
from healthscore.core.decisions.life import life
from healthscore.core.detectors.settings import DetectorSettings
from healthscore.core.model import MICROS
from healthscore.core.signals.history import DayUse, fold

MONDAY = 738_004
"""A Monday, by its number."""


def week(number, active, *, people=("kim",), value=0, review=0, features=("report",)):
    """The days of a week: the first ones of it are active; the value is that of the week, on its first day."""
    return [
        DayUse(
            day=MONDAY + 7 * number + day,
            people=frozenset(people),
            value=value * MICROS if not day else 0,
            integrations={"jira": review * MICROS} if review and not day else {},
            features=frozenset(features),
        )
        for day in range(active)
    ]


def weeks(*active, **given):
    """Weeks with so many active days each."""
    return [use for number, days in enumerate(active) for use in week(number, days, **given)]


def tuesday(number):
    """The last complete day that the Tuesday's night after a week knows."""
    return MONDAY + 7 * (number + 1)


def story(uses, until, *, settings=None, detectors=None, **inputs):
    """The risk of an account as of a last complete day."""
    given = Inputs(fold(uses), **inputs)
    chosen = settings or DetectorSettings()
    return life(given, chosen, until, detectors) if detectors else life(given, chosen, until)
