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
from healthscore.core.alerts.model import AlertKind
from healthscore.core.alerts.render import render
from healthscore.core.alerts.rules import evaluate
from healthscore.core.alerts.suppression import follow_up, suppress, suppression
from healthscore.core.explain.causes import late_events
from healthscore.core.model import Band

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
    known: Mapping[date, Snapshot] = field(default_factory=dict)
    """The same, and `previous`, of what is known now: with events that came in late since."""
    was_healthy: bool = True
    """Whether the account was healthy on any night before; looked at where it is now."""


def changes_to_alert(inputs: Inputs, settings: AlertSettings) -> list[Change]:
    """All stages but the last: one change for each alert that is due.

    Callers also use it to see what to read. Without `today` it gives every change that may be due, so where it is empty
    there is nothing to read; with `today` it names the days whose snapshots the alerts show.
    """
    in_force = suppression(inputs.acknowledgement, inputs.recent, inputs.previous, inputs.current)
    evaluated = evaluate(inputs.recent, inputs.previous, inputs.current, settings)
    found = follow_up([change for change in evaluated if _happened(change, inputs)], in_force)
    earlier = earlier_alerts(inputs.today, inputs.current)
    fresh = deduplicate(found, earlier, inputs.current.band)
    return suppress(group(fresh), in_force, earlier, inputs.current)


def decide(inputs: Inputs, settings: AlertSettings) -> list[Alert]:
    """The alerts that a new score of an account brings: at most one for all falls, then one for each other change.

    Args:
        inputs: what is known of the account, with everything that was to be read.
        settings: which rules are on, and from which size of change.
    """
    if inputs.previous is None:
        return []
    earlier = earlier_alerts(inputs.today, inputs.current)
    return [
        with_unused_id(_rendered(change, inputs, inputs.previous), earlier, inputs.current.band)
        for change in changes_to_alert(inputs, settings)
    ]


def _rendered(change: Change, inputs: Inputs, previous: Snapshot) -> Alert:
    then = inputs.kept.get(change.since, previous)
    known = inputs.known.get(then.day)
    return render(change, inputs.subject, then, inputs.current, known, first_time=not inputs.was_healthy)


def _happened(change: Change, inputs: Inputs) -> bool:
    """Whether a recovery happened at the account, and was not learned tonight of the night before.

    Events that came in late raise the score as well. Where the account was healthy on the night before already, as that
    night is known now, nothing has happened since.
    """
    previous = inputs.previous
    known = inputs.known.get(previous.day) if previous else None
    if change.kind is not AlertKind.RECOVERED or previous is None or known is None:
        return True
    return not late_events(previous, known) or known.band is not Band.HEALTHY
