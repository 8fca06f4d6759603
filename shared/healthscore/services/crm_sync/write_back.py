"""Writes scores to the CRM's company records, where they are not there already."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthscore.core.account import Account
from healthscore.core.explain.advice import LABELS
from healthscore.integrations.crm.protocol import Standing
from healthscore.storage.accounts import accounts
from healthscore.storage.crm import companies as crm_companies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from healthscore.core.model import Snapshot
    from healthscore.integrations.crm.protocol import Connector

BATCH = 100
"""Companies written in one go; a connector may divide it further."""
_NAMED = 2


def write_back(provider: str, connector: Connector, scores: Mapping[str, Snapshot]) -> int:
    """Write scores by company id; answers how many were written.

    Raises:
        CrmError: the CRM does not answer as it should; what was written before is noted.
        StorageUnavailableError: it is not noted what was written, which is then written again.
    """
    records = crm_companies.companies(provider, list(scores))
    due = []
    for company_id, score in scores.items():
        record = records.get(company_id)
        standing = Standing(company_id, score.score, score.band.value, reason(score))
        if record is not None and record.written != _noted(standing):
            due.append((record, standing))
    count = 0
    for start in range(0, len(due), BATCH):
        batch = due[start : start + BATCH]
        written = connector.write_back([standing for _, standing in batch])
        count += len(written)
        for record, standing in batch:
            if record.company_id in written:
                crm_companies.save_company(provider, replace(record, written=_noted(standing)))
    return count


def write_back_all(provider: str, connector: Connector, keep_going: Callable[[], bool]) -> int:
    """Write every account's latest night to the CRM; answers how many were written.

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
    """Why a score is what it is, as short as a CRM's field should be: its weakest parts."""
    weakest = sorted(score.components.items(), key=lambda part: part[1])[:_NAMED]
    return "Weakest: " + ", ".join(f"{LABELS[component]} {part}" for component, part in weakest) + "."


def _noted(standing: Standing) -> list[object]:
    return [standing.score, standing.band, standing.reason]


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
