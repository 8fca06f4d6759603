"""The risk of an account as of any night, as it is shown to a reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.decisions.decision import decide, sentence
from healthscore.core.decisions.people import named, with_names
from healthscore.core.explain.disagreement import disagreement
from healthscore.core.signals.calendar import date_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import TypedDict

    from healthscore.core.decisions.life import Life
    from healthscore.core.json_types import Day
    from healthscore.core.model import Band
    from healthscore.core.signals.model import Profile

    class RiskJson(TypedDict):
        """Whether an account's use weakens, and what to do about it."""

        state: str | None
        """`ok`, `monitor`, `yellow` or `red`; null where the customer has left, or there is nothing to say yet."""
        since: Day | None
        """The day in whose night it changed to that."""
        previous: str | None
        """The state before."""
        coverage: list[str]
        """The signals that apply."""
        disagrees: str | None
        """One line where the score's band says otherwise."""
        reason: str | None
        """The gravest reason, in one sentence."""
        action: str | None
        due: Day | None


def risk_json(
    life: Life, profile: Profile, coverage: Sequence[str], band: Band | None, names: Mapping[str, str]
) -> RiskJson:
    """The risk as of a night.

    Args:
        life: the fold of the account's nights up to it.
        profile: as the night knows it.
        coverage: the keys of the signals that apply.
        band: the band of the score as of then; None where there is none.
        names: the names of people by their ids, as far as they are known.
    """
    decision = decide(life.changes[-1], profile) if life.changes else None
    state = None if life.state is None else life.state.word
    return {
        "state": state,
        "since": date_of(decision.night).isoformat() if decision else None,
        "previous": life.previous.word if life.previous is not None else None,
        "coverage": list(coverage),
        "disagrees": disagreement(band, state),
        "reason": sentence(with_names(decision.reasons[0], names)) if decision and decision.reasons else None,
        "action": named(decision.action, decision.people, names) if decision and decision.action else None,
        "due": decision.due.isoformat() if decision and decision.due else None,
    }
