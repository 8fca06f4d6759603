"""Decides which alerts a new score of an account brings: evaluate, deduplicate, group, suppress, render.

Everything here is pure: a caller reads first, decides with this module,
and then stores and sends the alerts.

A follow-up (a snooze ended, or an acknowledged account got worse) is found by `suppression.py`, but in the first stage,
so that one which an earlier alert of the day has reported is left out as a duplicate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from healthscore.core.alerts.deduplication import deduplicate, earlier_alerts, with_unused_id
from healthscore.core.alerts.grouping import group
from healthscore.core.alerts.render import render
from healthscore.core.alerts.rules import evaluate
from healthscore.core.alerts.suppression import follow_up, suppress, suppression

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from healthscore.core.alerts.acknowledgement import Acknowledgement
    from healthscore.core.alerts.change import Change
    from healthscore.core.alerts.model import Alert
    from healthscore.core.alerts.render import Subject
    from healthscore.core.alerts.settings import AlertSettings
    from healthscore.core.model import DailyScore, Snapshot


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is known of an account when a new score is decided on."""

    subject: Subject
    recent: Sequence[DailyScore]
    """Kept scores of nights before the new score, oldest first."""
    previous: Snapshot | None
    """The last snapshot before the day of the new score; None on an account's first night, which brings no alert."""
    current: Snapshot
    """The new score."""
    acknowledgement: Acknowledgement | None = None
    """The account's latest one."""
    today: Sequence[Alert] = ()
    """The account's stored alerts of the day of the new score."""
    kept: Mapping[date, Snapshot] = field(default_factory=dict)
    """Snapshots by day, of the days that `changes_to_alert` refers to; `previous` stands in for one that is missing."""


def changes_to_alert(inputs: Inputs, settings: AlertSettings) -> list[Change]:
    """All stages but the last: one change for each alert that is due.

    Callers also use it to see what to read. Without `today` it gives every change that may be due, so where it is empty
    there is nothing to read; with `today` it names the days whose snapshots the alerts show.
    """
    in_force = suppression(inputs.acknowledgement, inputs.recent, inputs.previous, inputs.current)
    found = follow_up(evaluate(inputs.recent, inputs.previous, inputs.current, settings), in_force)
    fresh = deduplicate(found, earlier_alerts(inputs.today, inputs.current), inputs.current.band)
    return suppress(group(fresh), in_force)


def decide(inputs: Inputs, settings: AlertSettings) -> list[Alert]:
    """The alerts that a new score of an account brings: at most one for all falls, then one for each other change.

    Args:
        inputs: what is known of the account, with everything that was to be read.
        settings: which rules are on, and from which size of change.
    """
    if inputs.previous is None:
        return []
    earlier = earlier_alerts(inputs.today, inputs.current)
    rendered = (
        render(change, inputs.subject, inputs.kept.get(change.since, inputs.previous), inputs.current)
        for change in changes_to_alert(inputs, settings)
    )
    return [with_unused_id(alert, earlier, inputs.current.band) for alert in rendered]
