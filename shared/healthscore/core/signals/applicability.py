"""Which signals apply to an account: unknown is never healthy and never at risk (signal rule 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.signals.model import ACTIVE_DAYS, BREADTH, TICKETS, USERS, VALUE
from healthscore.core.signals.weeks import BASELINE_WEEKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthscore.core.signals.model import Profile, Signal

YOUNG_DAYS = 90
"""Until then there is no baseline of twelve complete weeks: onboarding and silence judge a younger account."""


def not_applicable(of: Signal, profile: Profile, weeks: Sequence[int], *, tracked: bool, age: int) -> str | None:
    """Why a signal does not apply; None where it does.

    Args:
        of: the signal.
        profile: the account's.
        weeks: its complete weeks, oldest first.
        tracked: whether its events are named, or its facts are read.
        age: days since the account began.
    """
    untracked = UNTRACKED.get(of.key, "No event of this integration is named in the settings.")
    reasons = (
        (profile.churned, "The customer has left."),
        (of.key == USERS and not profile.of_people, "An API uses the product: it has no users."),
        (not tracked, untracked),
        (profile.cadence is not None, f"Expected every {profile.cadence} days: it is judged by its silence alone."),
        (age < YOUNG_DAYS, f"Younger than {YOUNG_DAYS} days: it is judged by its onboarding and its silence."),
        (len(weeks) <= BASELINE_WEEKS, f"There are no {BASELINE_WEEKS} complete weeks before the last one yet."),
        (sum(weeks[-BASELINE_WEEKS - 1 : -1]) < of.minimum, "There is too little of it to tell a drop."),
    )
    return next((reason for applies, reason in reasons if applies), None)


UNTRACKED = {
    ACTIVE_DAYS: "There is no event yet.",
    USERS: "No event names a person.",
    VALUE: "No value event is named in the settings.",
    BREADTH: "No event is known by name.",
    TICKETS: "No CRM says how many tickets are open.",
}
