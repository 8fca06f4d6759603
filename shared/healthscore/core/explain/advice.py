"""What to do about a score: the biggest opportunity and the band's recommended action (scoring rules 3, 13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.model import Band, Component
from healthscore.core.scoring.standard import FULL_SCORE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthscore.core.explain.why import Explanation
    from healthscore.core.scoring.standard import StandardScore

LABELS = {
    Component.ACTIVITY: "activity",
    Component.ENGAGEMENT: "engagement",
    Component.MILESTONES: "milestones",
    Component.RECENCY: "recency",
    Component.CRM: "CRM health",
}
"""The components' names in sentences."""


def lift(score: StandardScore, name: Component) -> float:
    """Points that the score gains if the component reaches 100; exact to the hundredth (scoring rule 13)."""
    return score.weights[name] * (FULL_SCORE - score.components[name]) / 100


def weakest(score: StandardScore) -> Component:
    """The lowest component; among equals the one with the largest weight, then the first (scoring rule 13)."""
    return min(score.components, key=lambda name: (score.components[name], -score.weights[name]))


def biggest_opportunity(score: StandardScore) -> Component | None:
    """The component to work on first; None if all of them are at 100 (scoring rule 13)."""
    name = weakest(score)
    return name if score.components[name] < FULL_SCORE else None


def recommended_action(score: StandardScore, explanations: Mapping[Component, Explanation]) -> str:
    """What the person who looks after the account should do now (scoring rule 3).

    Args:
        score: the account's score.
        explanations: one for each of its components.
    """
    name = weakest(score)
    at = score.components[name]
    if at == FULL_SCORE:
        return "Every component is at 100: keep in touch, and look for room to expand."
    gain, tip = f"up to {lift(score, name):g} points to gain", explanations[name].tip
    if score.band is Band.HEALTHY:
        return f"Keep in touch and look for room to expand. Weakest part: {LABELS[name]}, at {at} ({gain}). {tip}"
    if score.band is Band.AT_RISK:
        return f"Find out what holds back {LABELS[name]}, the weakest part at {at} ({gain}), and reach out now. {tip}"
    return (
        f"Put this account first: call this week, and rule out a fault of the product. "
        f"Start with {LABELS[name]}, the weakest part at {at} ({gain}). {tip}"
    )
