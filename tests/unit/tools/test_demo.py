"""The demo's customers show every detector, with the same picture on every weekday.

The events that seeding sends are judged here by the rules alone, without a stack.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

import pytest

from healthscore.core.decisions.inputs import Inputs
from healthscore.core.decisions.life import life
from healthscore.core.detectors.registry import DETECTORS
from healthscore.core.detectors.settings import DetectorSettings
from healthscore.core.model import MICROS
from healthscore.core.signals.calendar import week_of
from healthscore.core.signals.history import day_use, fold
from healthscore.core.signals.model import Definitions, Profile, UsageChannel
from healthscore.core.time import DAY, parse_instant
from tools.demo.early_warning import SETTINGS
from tools.demo.stories import STORIES

NOWS = [datetime(2026, 11, day, 11, 30, tzinfo=UTC) for day in range(16, 23)]
DEFINITIONS = Definitions(
    value_events=frozenset(SETTINGS["value_events"]),
    integrations={name: frozenset(names) for name, names in SETTINGS["integrations"].items()},
    features={name: frozenset(names) for name, names in SETTINGS["features"].items()},
)


def judged(story, now, nights_ago=0):
    """The life of a customer up to the coming night, or one before it."""
    until = now.date().toordinal() - 1
    values = defaultdict(lambda: defaultdict(int))
    for event in story.events(now):
        day = parse_instant(event["timestamp"]).date().toordinal()
        if day <= until:
            values[day][event.get("user_id"), event["name"]] += MICROS
    told = story.profile(now)
    met = [report.facts["last_meeting_at"] for report in story.crm if "last_meeting_at" in report.facts]
    profile = Profile(
        usage_channel=UsageChannel(told.get("usage_channel", "people")),
        expected_cadence_days=told.get("expected_cadence_days"),
        champions=tuple(told.get("champions", ())),
        created=datetime.fromisoformat(told["created_at"]).date().toordinal(),
        owner=told.get("owner"),
    )
    tickets = story.tickets(now)
    inputs = Inputs(
        fold(day_use(day, of, DEFINITIONS) for day, of in values.items()),
        profiles=((0, profile),),
        contacts=tuple(sorted((now - days * DAY).date().toordinal() for days in met)),
        tickets={week: tickets[max(known for known in tickets if known <= week)]
                 for week in range(min(tickets), week_of(until) + 1)} if tickets else {},
    )
    return life(inputs, DetectorSettings(), until - nights_ago)


def reasons(found):
    """What is seen of it, but not how far."""
    return {f.sighting.reason for f in found.findings if f.closed is None}
