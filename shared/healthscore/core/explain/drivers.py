"""Drivers: what moved the score since the last snapshot, in points, largest first, with the cause (scoring rule 14)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from healthscore.core.explain import causes, causes_crm
from healthscore.core.model import Component
from healthscore.core.scoring.standard import weights_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthscore.core.health_document import DriverDocument
    from healthscore.core.model import Snapshot


@dataclass(frozen=True, slots=True)
class Driver:
    """One component's share of the change of the score."""

    component: Component
    hundredths: int
    """Change of the component's points, in hundredths of a point, never 0."""
    cause: str
    """The cause as a clause."""
    score_then: int | None
    """The component's score in the snapshot; None where it had no CRM score."""
    score_now: int | None

    def to_json(self) -> DriverDocument:
        """The JSON of the health answer."""
        return {
            "component": self.component.value,
            "points": self.hundredths / 100,
            "cause": self.cause,
            "from": self.score_then,
            "to": self.score_now,
        }


def drivers(
    then: Snapshot, now: Snapshot, known: Snapshot | None = None, *, silence_named: bool = False
) -> tuple[Driver, ...]:
    """What moved the score between two snapshots of one account (scoring rule 14).

    The drivers' points sum exactly to the change of the weighted sum before it is rounded to the score. Each
    snapshot counts with its own weights, which differ where only one of them has CRM.

    A cause tells what happened between the two. What came in late is named as that.

    Args:
        then: the earlier snapshot.
        now: the later one.
        known: the same instant as the earlier one, of what is known now; None where nothing has come in late.
        silence_named: whether the causes stand beside a sentence that says since when there has been no event.

    Returns:
        The components whose points changed, the largest change first; equal changes in the order of the components.
    """
    weights_then, weights_now = weights_for(then.components), weights_for(now.components)
    of_components = _CAUSES | _BESIDE_SILENCE if silence_named else _CAUSES
    moved = []
    for name in Component:
        weight_then, weight_now = weights_then.get(name, 0), weights_now.get(name, 0)
        score_then, score_now = then.components.get(name), now.components.get(name)
        hundredths = weight_now * (score_now or 0) - weight_then * (score_then or 0)
        if hundredths:
            moved.append(
                Driver(
                    component=name,
                    hundredths=hundredths,
                    cause=_cause(
                        name, of_components[name], (then, known or then, now), _weight_remark(weight_then, weight_now)
                    ),
                    score_then=score_then,
                    score_now=score_now,
                )
            )
    return tuple(sorted(moved, key=lambda driver: -abs(driver.hundredths)))


def _cause(
    name: Component,
    cause: Callable[[Snapshot, Snapshot], str],
    snapshots: tuple[Snapshot, Snapshot, Snapshot],
    weight_remark: str,
) -> str:
    """The cause of a component's change: what happened since then, and what was learned since of what was before."""
    then, known, now = snapshots
    if name not in then.components:
        return causes_crm.came(now)
    if name not in now.components:
        return causes_crm.went()
    if then.components[name] == now.components[name]:
        return weight_remark
    if name is Component.CRM or not causes.late_events(then, known):
        known = then
    late = causes.late(then, known) if known.components[name] != then.components[name] else ""
    happened = cause(known, now) if known.components[name] != now.components[name] else ""
    return "; ".join(part for part in (late, happened, weight_remark) if part)


_CAUSES: dict[Component, Callable[[Snapshot, Snapshot], str]] = {
    Component.ACTIVITY: causes.activity,
    Component.ENGAGEMENT: causes.engagement,
    Component.MILESTONES: causes.milestones,
    Component.RECENCY: causes.recency,
    Component.CRM: causes_crm.crm,
}
_BESIDE_SILENCE: dict[Component, Callable[[Snapshot, Snapshot], str]] = {
    Component.ACTIVITY: partial(causes.activity, silence_named=True),
    Component.ENGAGEMENT: partial(causes.engagement, silence_named=True),
    Component.RECENCY: partial(causes.recency, silence_named=True),
}


def _weight_remark(weight_then: int, weight_now: int) -> str:
    if weight_then == weight_now:
        return ""
    # Every other component weighs less beside CRM than without it.
    change = "CRM facts came in" if weight_now < weight_then else "CRM facts are missing"
    return f"its weight is {weight_now} % instead of {weight_then} %, since {change}"
