"""Saves the facts of companies that are accounts: only what changed, together with the new score and its alerts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from healthscore.core.documents import crm_to_json
from healthscore.integrations.crm.facts import nothing_known
from healthscore.services.rescoring import rescore
from healthscore.storage.accounts import accounts
from healthscore.storage.crm import companies as crm_companies
from healthscore.storage.errors import AccountErasedError
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from healthscore.core.account import Account
    from healthscore.core.alerts.model import Alert
    from healthscore.core.model import CrmFacts, Snapshot
    from healthscore.integrations.crm.protocol import Company, Unreadable
    from healthscore.settings import Settings
    from healthscore.storage.crm.companies import CompanyRecord

MOST_RECORDS = 1_000
"""Records of a company that are kept, so that it is read again where one is deleted; an item has room for them."""


@dataclass(slots=True)
class Applied:
    """What applying the facts of companies led to."""

    companies: int = 0
    changed: list[str] = field(default_factory=list)
    """Accounts whose facts changed."""
    rescored: dict[str, tuple[str, Snapshot]] = field(default_factory=dict)
    """Account and new score by company id."""
    alerts: list[Alert] = field(default_factory=list)
    to_refresh: set[str] = field(default_factory=set)
    """Companies that were matched with an account just now, and whose facts were not read in this step."""
    removed: int = 0
    """Companies that were removed, since the CRM does not have them any more."""
    set_aside: list[Unreadable] = field(default_factory=list)
    """Companies that could not be applied, for a reason that nobody foresaw."""
    problem: str | None = None
    """Why scores could not be written back; None where they were, or need not be."""


class Outcome(Enum):
    """What became of a company's facts."""

    DONE = auto()
    """They are saved, or need not be: they are unchanged or older than the saved ones, or the account is unknown."""
    CONFLICT = auto()
    """Another writer changed the company, its claims or the account since they were read: nothing is saved."""


@dataclass(frozen=True, slots=True)
class FactsApplier:
    """Applies facts to accounts, for one run.

    Attributes:
        provider: the CRM.
        settings: the workspace's settings.
        now: the instant as of which accounts are scored, aware UTC.
        alerting: whether a change may alert.
    """

    provider: str
    settings: Settings
    now: datetime
    alerting: bool

    def apply(
        self, record: CompanyRecord, company: Company, claims: dict[str, bool] | None, applied: Applied
    ) -> Outcome:
        """Apply the facts of a company to its account, and save the company's record in the same transaction.

        The record holds a digest of the facts. One transaction keeps the digest and the account's facts the same.

        Args:
            record: the company's record as read, or as it is to be saved.
            company: the company as read, with its facts.
            claims: the claims to the account that the transaction requires; None where the company was matched before.
            applied: is added to.

        Raises:
            StorageUnavailableError: it is not known whether the facts are saved.
        """
        facts, rests_on = company.facts, list(company.rests_on[:MOST_RECORDS])
        digest = _digest(facts)
        if claims is None and (record.digest, record.rests_on) == (digest, rests_on):
            return Outcome.DONE
        account = accounts.get(str(record.account_id))
        before = account.crm if account else None
        if account is None:
            return Outcome.DONE
        kept = replace(record, digest=digest, rests_on=rests_on)
        if before is not None and _digest(before) == digest:
            return self._save(kept, claims)
        if before is not None and before.received_at > facts.received_at:
            # The account has facts that were read later. Without a digest, the next reading compares with the account.
            return self._save(replace(record, digest=""), claims)
        along = [crm_companies.put_record(self.provider, kept)]
        if claims is not None:
            along.append(crm_companies.check_claims(self.provider, account.account_id, claims))
        current = self._score(account, facts, applied, along)
        if current is None:
            return Outcome.CONFLICT
        applied.rescored[record.company_id] = (account.account_id, current)
        return Outcome.DONE

    def clear(self, account_id: str, applied: Applied) -> None:
        """Make the facts of an account unknown that no company of this CRM belongs to any more.

        Facts of another CRM, and facts that were received later than this run, stay.

        Raises:
            StorageUnavailableError: the facts may still be there.
        """
        facts = nothing_known(self.provider, self.now)
        for _ in attempts(accounts.TOO_MANY_WRITERS):
            account = accounts.get(account_id)
            before = account.crm if account else None
            if (
                account is None or account.account_id != account_id
            ):  # it was merged: the other one has its own companies
                return
            if before is None or before.provider != self.provider:
                return
            if _digest(before) == _digest(facts) or before.received_at > facts.received_at:
                return
            if self._score(account, facts, applied) is not None:
                return

    def _score(self, account: Account, facts: CrmFacts, applied: Applied, along: Sequence[Any] = ()) -> Snapshot | None:
        # The first facts of an account come from connecting the CRM; they are no change to alert on.
        alerting = self.alerting and account.crm is not None
        now = max(self.now, facts.received_at)
        try:
            scored = rescore(account, facts, now, self.settings, alerting=alerting, along=along)
        except AccountErasedError:  # after the facts were saved, which the erasure deletes
            return None
        if scored is None:
            return None
        current, alerts = scored
        applied.changed.append(account.account_id)
        applied.alerts += alerts
        return current

    def _save(self, record: CompanyRecord, claims: dict[str, bool] | None) -> Outcome:
        saved = crm_companies.save_company(self.provider, record, claims)
        return Outcome.DONE if saved else Outcome.CONFLICT


def _digest(facts: CrmFacts) -> str:
    """A digest of the facts; the instant of reading them does not count."""
    compared = {name: value for name, value in crm_to_json(facts).items() if name != "received_at"}
    return blake2b(json.dumps(compared, sort_keys=True).encode(), digest_size=12).hexdigest()
