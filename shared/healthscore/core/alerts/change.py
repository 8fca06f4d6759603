"""A change of an account that is worth an alert: what the rules find, and what every later stage passes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthscore.core.alerts.model import AlertKind

if TYPE_CHECKING:
    from datetime import date
    from fractions import Fraction

    from healthscore.core.alerts.acknowledgement import Acknowledgement

FALLS = (AlertKind.BAND_FELL, AlertKind.SCORE_FELL, AlertKind.SILENT, AlertKind.DECLINING)
"""The kinds that report a fall, the gravest first. They are grouped into one alert, an acknowledgement suppresses
them, and missing events can cause them: a tracking outage holds them."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change, as a rule finds it. Grouping and suppression fill in `merged` and `acknowledgement`."""

    kind: AlertKind
    """The rule that found it."""
    before: int | Fraction
    """What tonight's score is compared with: the score on `since`, or for a declining trend the mean of the scores of
    the seven days before."""
    since: date
    """The kept night against which the change is shown and explained."""
    merged: tuple[Change, ...] = ()
    """Further changes of the same fall. The alert mentions them."""
    acknowledgement: Acknowledgement | None = None
    """The acknowledgement in spite of which the change is alerted."""
