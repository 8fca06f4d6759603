"""Writes scores to the CRM's company records, unless they are there already."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthscore.core.account import Account
from healthscore.core.explain.advice import LABELS
from healthscore.integrations.crm.protocol import CompanyScore
from healthscore.storage.accounts import accounts
from healthscore.storage.crm import companies as crm_companies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from healthscore.core.model import Snapshot
    from healthscore.integrations.crm.protocol import Connector

BATCH = 100
"""Companies in one call of the connector, which may divide them further."""
_NAMED = 2


def write_back(provider: str, connector: Connector, scores: Mapping[str, Snapshot]) -> int:
    """Write scores by company id, and return how many were written.

    Raises:
        CrmError: the CRM does not answer as it should; the scores written before are recorded.
        StorageUnavailableError: the scores written last are not recorded, and will be written again.
    """
    records = crm_companies.companies(provider, list(scores))
    due = []
    for company_id, score in scores.items():
        record = records.get(company_id)
        shown = CompanyScore(company_id, score.score, score.band.value, reason(score))
        if record is not None and record.written != _stored(shown):
            due.append((record, shown))
    count = 0
    for start in range(0, len(due), BATCH):
        batch = due[start : start + BATCH]
        written = connector.write_back([shown for _, shown in batch])
        count += len(written)
        for record, shown in batch:
            if record.company_id in written:
                crm_companies.save_company(provider, replace(record, written=_stored(shown)))
    return count


def write_back_all(provider: str, connector: Connector, keep_going: Callable[[], bool]) -> int:
    """Write the score of every account's latest night, and return how many were written.

    Raises:
        CrmError: the CRM does not answer as it should.
        StorageUnavailableError: the tables cannot be read or written now.
    """
    companies = {
        record.account_id: record.company_id
        for record in crm_companies.all_companies(provider)
        if record.account_id is not None
    }
    count = 0
    for scores in _batches(companies):
        if not keep_going():
            break
        count += write_back(provider, connector, scores)
    return count


def reason(score: Snapshot) -> str:
    """The reason for a score, short enough for a CRM's field: its two weakest components."""
    weakest = sorted(score.components.items(), key=lambda part: part[1])[:_NAMED]
    return "Weakest: " + ", ".join(f"{LABELS[component]} {part}" for component, part in weakest) + "."


def _stored(score: CompanyScore) -> list[object]:
    return [score.score, score.band, score.reason]


def _batches(companies: Mapping[str, str]) -> Iterator[dict[str, Snapshot]]:
    batch: dict[str, Snapshot] = {}
    for account in accounts.scan(0, 1):
        if not isinstance(account, Account) or account.latest is None:
            continue
        if account.account_id in companies:
            batch[companies[account.account_id]] = account.latest
            if len(batch) == BATCH:
                yield batch
                batch = {}
    if batch:
        yield batch
