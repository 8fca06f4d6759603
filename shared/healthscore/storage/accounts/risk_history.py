"""Decisions about accounts, and findings, kept once for all (table History).

They name people by their ids, in a list beside each text (see `core.decisions.people`).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, cast

from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.client import dynamodb, pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthscore.core.decisions.decision import DecisionJson
    from healthscore.core.decisions.finding_document import FindingJson
    from healthscore.storage.codec import Item
    from healthscore.storage.conditions import Condition
    from healthscore.storage.writes import Write

CONTENT = "content"
"""The attribute that holds a decision or a finding."""


def put_decision(account_id: str, decision: DecisionJson) -> Write:
    """The write that keeps a night's decision."""
    return _put(account_id, schema.decision_key(date.fromisoformat(decision["date"])), decision)


def put_finding(account_id: str, finding: FindingJson, before: FindingJson | None = None) -> Write:
    """The write that keeps a finding, in the place of what was kept of it before.

    Args:
        account_id: the account.
        finding: the finding.
        before: what was kept of it, where the finding is made of that: it then has to be as it was read.
    """
    as_read = [] if before is None else [conditions.unchanged(CONTENT, codec.dumps(before))]
    return _put(account_id, schema.finding_key(finding["finding_id"]), finding, *as_read)


def finding(account_id: str, finding_id: str) -> FindingJson | None:
    """A finding as it is kept; None where it is not.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    key = codec.key(schema.account_history(account_id), schema.finding_key(finding_id))
    item = reads.get(schema.history_table(), key)
    return None if item is None else cast("FindingJson", codec.json_of(item, CONTENT))


def findings(account_id: str) -> list[FindingJson]:
    """All findings of an account that are kept, the last opened first.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return [codec.json_of(item, CONTENT) for item in _items(account_id, schema.finding_range(), newest_first=True)]


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
    history = schema.account_history(account_id)
    items, place = reads.newest_page(schema.history_table(), history, schema.decision_range(), limit, after)
    return [codec.json_of(item, CONTENT) for item in items], place


def all_of(account_id: str) -> Iterator[tuple[Item, Any]]:
    """Key and content of everything of this kind, for erasures.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    for stretch in (schema.decision_range(), schema.finding_range()):
        for item in _items(account_id, stretch):
            yield codec.key_of(item), codec.json_of(item, CONTENT)


def _put(account_id: str, sk: str, content: object, *holds: Condition) -> Write:
    item = {**codec.key(schema.account_history(account_id), sk), CONTENT: codec.json_text(content)}
    return writes.put(schema.history_table(), item, *holds)


def _items(account_id: str, stretch: tuple[str, str], *, newest_first: bool = False) -> Iterator[Item]:
    request = reads.partition(schema.history_table(), schema.account_history(account_id), between=stretch)
    return pages(dynamodb().query, **request, ScanIndexForward=not newest_first)
