"""What nights have decided about an account's risk, as it was decided (table History)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.storage import codec, reads, schema

if TYPE_CHECKING:
    from healthscore.core.decisions.decision import DecisionJson

DECISION = "decision"
"""The attribute that holds a decision, as JSON."""


def decisions(account_id: str, *, limit: int, after: str | None) -> tuple[list[DecisionJson], str | None]:
    """A page of an account's decisions, newest first.

    Args:
        account_id: the account.
        limit: how many decisions a page may have.
        after: the place where the page before ended; None for the first page.

    Returns:
        The decisions, and the place where the page ended; None where it is the last page.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    first, last = schema.decision_range()
    stretch = (first, last if after is None else max(first, after))
    request = reads.partition(schema.history_table(), schema.account_history(account_id), between=stretch)
    items, place = reads.page({**request, "ScanIndexForward": False}, limit, after)
    return [codec.json_of(item, DECISION) for item in items], place
