"""The part of the settings that is about alerts; as in `schemas`, which has the body that it is part of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, with_config
from typing_extensions import TypedDict

from healthscore.api import fields

_STRICT = ConfigDict(extra="forbid", strict=True)

Points = Annotated[int, BeforeValidator(fields.Whole(1, 100))]


@with_config(_STRICT)
class Rule(TypedDict, total=False):
    """An alert rule that is on or off."""

    enabled: bool
    """Whether it is on."""


@with_config(_STRICT)
class Declining(TypedDict, total=False):
    """The alert on a declining trend."""

    enabled: bool
    """Whether it is on."""
    points: Points
    """How far below."""


@with_config(_STRICT)
class Silent(TypedDict, total=False):
    """The alert on an account that nobody uses any more."""

    enabled: bool
    """Whether it is on."""
    days: Annotated[int, BeforeValidator(fields.Whole(1, 365))]
    """How many days."""


@with_config(_STRICT)
class ScoreFell(TypedDict, total=False):
    """The alert on a score that fell fast; it looks back over the nights that an account keeps at hand."""

    enabled: bool
    """Whether it is on."""
    points: Points
    """How far."""
    days: Annotated[int, BeforeValidator(fields.Whole(1, 30))]
    """Within how many days."""


@with_config(_STRICT)
class Alerts(TypedDict, total=False):
    """Which changes are alerted."""

    band_fell: Rule
    """The band is lower than before."""
    declining: Declining
    """The score lies far below the mean of the seven days before."""
    silent: Silent
    """Nobody was seen for some days."""
    score_fell: ScoreFell
    """The score fell far within some days."""
    recovered: Rule
    """The account is healthy again."""
    ticket_opened: Rule
    """A connected CRM says that a ticket of high priority was opened, where none was open."""
