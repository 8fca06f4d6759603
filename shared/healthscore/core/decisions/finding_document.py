"""A finding as it is stored and shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.decisions.decision import reason_json
from healthscore.core.rounding import decimal_number
from healthscore.core.signals.calendar import date_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import TypedDict

    from healthscore.core.decisions.decision import Link, ReasonJson, ReasonText
    from healthscore.core.decisions.findings import Finding
    from healthscore.core.json_types import Day

    _Alerted = TypedDict("_Alerted", {"told": Day | None})  # noqa: UP013  (a stored name that code does not use)

    class FindingText(ReasonText, _Alerted):
        """One finding."""

        finding_id: str
        state: str
        opened: Day
        closed: Day | None
        closed_how: str | None
        """`passed`, `recovered`, `new_normal`, `withdrawn` or `lost`."""
        came_in: str | None
        """Of one that is withdrawn: what came in, so that it is not seen any more."""
        rebound_percent: float | None

    class FindingJson(FindingText, ReasonJson):
        """A finding as it is stored."""


def finding_json(
    finding: Finding, account_id: str, *, alerted: int | None = None, pages: Sequence[Link] = ()
) -> FindingJson:
    """A finding of an account.

    Args:
        finding: the finding.
        account_id: the account's id, which the finding's id is made from.
        alerted: the day on which somebody was alerted to it; None where nobody was.
        pages: further links: the CRM's record, and notes with an address since it opened.
    """
    closed = finding.closed
    return {
        "finding_id": finding.finding_id(account_id),
        "state": finding.state.value,
        "opened": date_of(finding.opened).isoformat(),
        "told": None if alerted is None else date_of(alerted).isoformat(),
        "closed": None if closed is None else date_of(closed).isoformat(),
        "closed_how": None if finding.closed_how is None else finding.closed_how.value,
        "came_in": None,
        "rebound_percent": None if finding.rebound is None else decimal_number(finding.rebound),
        **reason_json(finding.sighting._replace(level=finding.level), pages),
    }
