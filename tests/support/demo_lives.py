"""The lives of the demo's customers, by the rules alone: what seeding sends, folded and judged without a stack."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING

from healthscore.core.decisions.inputs import Inputs
from healthscore.core.decisions.life import life
from healthscore.core.detectors.settings import DetectorSettings
from healthscore.core.model import MICROS
from healthscore.core.signals.calendar import week_of
from healthscore.core.signals.history import day_use, fold
from healthscore.core.signals.model import Definitions, Profile, UsageChannel
from healthscore.core.time import DAY, parse_instant
from tools.demo.early_warning import SETTINGS

if TYPE_CHECKING:
    from datetime import datetime

    from healthscore.core.decisions.life import Life
    from tools.demo.story import Story

DEFINITIONS = Definitions(
    value_events=frozenset(SETTINGS["value_events"]),
    integrations={name: frozenset(names) for name, names in SETTINGS["integrations"].items()},
    features={name: frozenset(names) for name, names in SETTINGS["features"].items()},
)


def profile_of(story: Story, now: datetime) -> Profile:
    """What a night knows of a customer."""
    fields = story.profile(now)
    return Profile(
        usage_channel=UsageChannel(fields.get("usage_channel", "people")),
        expected_cadence_days=fields.get("expected_cadence_days"),
        champions=tuple(fields.get("champions", ())),
        created=date.fromisoformat(fields["created_at"]).toordinal(),
        owner=fields.get("owner"),
    )


def judged(story: Story, now: datetime, nights_ago: int = 0) -> Life:
    """A customer's life up to the coming night, or to an earlier one."""
    until = now.date().toordinal() - 1
    values: dict[int, dict[tuple[str | None, str], int]] = defaultdict(lambda: defaultdict(int))
    for event in story.events(now):
        day = parse_instant(event["timestamp"]).date().toordinal()
        values[day][event.get("user_id"), event["name"]] += MICROS
    met = [report.facts["last_meeting_at"] for report in story.crm if "last_meeting_at" in report.facts]
    inputs = Inputs(
        fold(day_use(day, of, DEFINITIONS) for day, of in values.items()),
        profiles=((0, profile_of(story, now)),),
        contacts=tuple(sorted((now - days * DAY).date().toordinal() for days in met)),
        tickets=_open_tickets(story.tickets(now), week_of(until)),
    )
    return life(inputs, DetectorSettings(), until - nights_ago)


def _open_tickets(changes: dict[int, int], last: int) -> dict[int, int]:
    weeks = range(min(changes, default=last + 1), last + 1)
    return {week: changes[max(known for known in changes if known <= week)] for week in weeks}
