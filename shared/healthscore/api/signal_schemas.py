"""The parts of bodies that are about early warning: an account's own signals, and the workspace's settings of it.

As in `schemas`, which has the bodies that these are parts of.
"""

from __future__ import annotations

from typing import Annotated, Literal, Required

from pydantic import AfterValidator, BeforeValidator, ConfigDict, with_config
from typing_extensions import TypedDict

from healthscore.api import fields, signal_fields

_STRICT = ConfigDict(extra="forbid", strict=True)

_EventName = Annotated[str, AfterValidator(fields.event_name)]
ValueEvents = Annotated[list[_EventName], AfterValidator(signal_fields.value_events)]
Groups = Annotated[
    dict[str, Annotated[list[_EventName], AfterValidator(signal_fields.group_events)]],
    AfterValidator(signal_fields.groups),
]


@with_config(_STRICT)
class OwnSignals(TypedDict, total=False):
    """What an account's signals are made of, where it is otherwise than the workspace's settings say."""

    value_events: ValueEvents | None
    """In the place of the setting of this name; an empty list for none."""
    integrations: Groups | None
    """Likewise."""
    features: Groups | None
    """Likewise."""


@with_config(_STRICT)
class DetectorRule(TypedDict, total=False):
    """A detector that is on or off."""

    enabled: Required[bool]
    """Whether it is on."""


@with_config(_STRICT)
class EarlyWarning(TypedDict, total=False):
    """The settings of early warning."""

    value_events: ValueEvents
    """Names of the events that the customer has bought the product for."""
    integrations: Groups
    """Event names by integration: each is a signal, the volume of its events."""
    features: Groups
    """Event names by feature; where there is none, every event name is a feature."""
    quiet_days: Annotated[list[Annotated[str, AfterValidator(fields.day)]], AfterValidator(signal_fields.quiet_days)]
    """Days such as holidays: their weeks are excused for every account, so they are neither low nor usual."""
    escalation_owner: Annotated[str, AfterValidator(fields.text)] | None
    """Who hears at once of a red account that nobody looks after."""
    sensitivity: Literal["balanced", "calm", "literal"]
    """How many low weeks are usual: as many as in the 12 weeks before, as in up to 26, or none."""
    overdue_irregular: Annotated[int, BeforeValidator(fields.Whole(21, 90))]
    """After how many days without an event an account without a weekly rhythm is overdue."""
    signals: Annotated[dict[str, DetectorRule], AfterValidator(signal_fields.detectors)]
    """Detectors by name that are on or off; one that is left out has its default."""
