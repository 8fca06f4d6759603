"""Enters the facts of companies that are accounts: only what is new, each with its score and alerts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from healthscore.core.documents import crm_to_json
from healthscore.integrations.crm.facts import nothing_known
from healthscore.services.rescoring import apply_facts as enter_and_score
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
    from healthscore.settings import Settings
    from healthscore.storage.crm.companies import CompanyRecord


@dataclass(slots=True)
class Applied:
    """What came of entering companies."""

    companies: int = 0
    changed: list[str] = field(default_factory=list)
    """Accounts whose facts changed."""
    rescored: dict[str, tuple[str, Snapshot]] = field(default_factory=dict)
    """The new score by company id, with the account."""
    alerts: list[Alert] = field(default_factory=list)
    to_refresh: set[str] = field(default_factory=set)
    """Companies that have become an account without having been read just now."""


class State(Enum):
    """What became of a company's facts."""

    DONE = auto()
    """They are entered, or were before, or newer ones are, or there is no such account."""
    OVERTAKEN = auto()
    """Somebody else has changed the company, its claims or the account meanwhile: nothing is entered."""


@dataclass(frozen=True, slots=True)
class FactsApplier:
    """Enters facts for one run.

    Attributes:
        provider: the CRM.
        settings: the workspace's settings.
        now: the instant as of which accounts are scored anew.
        telling: whether a change may alert.
    """

    provider: str
    settings: Settings
    now: datetime
    alerting: bool

    def company(
        self, record: CompanyRecord, facts: CrmFacts, claims: dict[str, bool] | None, entered: Applied
    ) -> State:
        """Enter what a company says of the account that it is; the company is kept in the same transaction.

        So a company is never noted to have said what is not entered, and the other way round.

        Args:
            record: the company as read, or as it is to be kept.
            facts: what it says now.
            claims: how the claims to the account must stand; None where that was settled before.
            entered: takes what came of it.

        Raises:
            StorageUnavailableError: not known to be entered.
        """
        digest = _digest(facts)
        if claims is None and record.digest == digest:
            return State.DONE
        account = accounts.get(str(record.account_id))
        before = account.crm if account else None
        if account is None:
            return State.DONE
        kept = replace(record, digest=digest)
        if before is not None and _digest(before) == digest:
            return self._keep(kept, claims)
        if before is not None and before.received_at > facts.received_at:
            # Read before what stands was: it says nothing of what is to be compared with next time.
            return self._keep(replace(record, digest=""), claims)
        along = [crm_companies.put_record(self.provider, kept)]
        if claims is not None:
            along.append(crm_companies.check_claims(self.provider, account.account_id, claims))
        current = self._score(account, facts, entered, along)
        if current is None:
            return State.OVERTAKEN
        entered.rescored[record.company_id] = (account.account_id, current)
        return State.DONE

    def forget(self, account_id: str, entered: Applied) -> None:
        """Make unknown what the CRM said of an account that no company is any more.

        Raises:
            StorageUnavailableError: it may still stand.
        """
        facts = nothing_known(self.provider, self.now)
        for _ in attempts("too many writers at once for one account"):
            account = accounts.get(account_id)
            before = account.crm if account else None
            if account is None or before is None or before.provider != self.provider:
                return
            if _digest(before) == _digest(facts) or before.received_at > facts.received_at:
                return
            if self._score(account, facts, entered) is not None:
                return

    def _score(self, account: Account, facts: CrmFacts, entered: Applied, along: Sequence[Any] = ()) -> Snapshot | None:
        # Facts that an account has for the first time are the connection's doing and not the account's.
        alerting = self.alerting and account.crm is not None
        now = max(self.now, facts.received_at)
        try:
            scored = enter_and_score(account, facts, now, self.settings, alerting=alerting, along=along)
        except AccountErasedError:  # with what was just entered
            return None
        if scored is None:
            return None
        current, alerts = scored
        entered.changed.append(account.account_id)
        entered.alerts += alerts
        return current

    def _keep(self, record: CompanyRecord, claims: dict[str, bool] | None) -> State:
        kept = crm_companies.save_company(self.provider, record, claims)
        return State.DONE if kept else State.OVERTAKEN


def _digest(facts: CrmFacts) -> str:
    said = {name: value for name, value in crm_to_json(facts).items() if name != "received_at"}
    return blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=12).hexdigest()
