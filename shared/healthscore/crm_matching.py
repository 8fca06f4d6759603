"""Enters what a CRM says: which company is which account, and the facts of those that are one."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING

from healthscore.core.documents import crm_to_json
from healthscore.crm.facts import nothing_known
from healthscore.crm.mapping import Claim, Unmatched, claim, domain, loser, winner
from healthscore.rescoring import rescore
from healthscore.storage import accounts, crm_companies
from healthscore.storage.crm_companies import CompanyRecord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from healthscore.core.alerts import Alert
    from healthscore.core.model import CrmFacts, Snapshot
    from healthscore.crm.protocol import Company
    from healthscore.settings import Settings

WORKERS = 8
"""Accounts worked on at once."""


class Directory:
    """The accounts that there are by exact domain, read once and only when asked."""

    def __init__(self) -> None:
        self._lock = Lock()

    @property
    def by_domain(self) -> dict[str, list[str]]:
        """Accounts by domain: their own id, or `domain` or `website` of their profile or its attributes."""
        with self._lock:
            return self._found

    @cached_property
    def _found(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for account in accounts.scan(0, 1):
            if not isinstance(account, accounts.Account):
                continue
            account_id, profile = account.account_id, account.profile
            said = [account_id]
            for where in (profile, profile.get("attributes") or {}):
                said += [where[name] for name in ("domain", "website") if isinstance(where.get(name), str)]
            for name in {known for text in said if (known := domain(text)) is not None}:
                found.setdefault(name, []).append(account_id)
        return found


@dataclass(slots=True)
class Entered:
    """What came of entering companies."""

    companies: int = 0
    changed: list[str] = field(default_factory=list)
    """Accounts whose facts changed."""
    rescored: dict[str, tuple[str, Snapshot]] = field(default_factory=dict)
    """The new score by company id, with the account."""
    alerts: list[Alert] = field(default_factory=list)
    to_refresh: set[str] = field(default_factory=set)
    """Companies that have become an account without having been read just now."""


@dataclass(frozen=True, slots=True)
class Matching:
    """Enters companies of one CRM for one run.

    Attributes:
        provider: the CRM.
        settings: the workspace's settings.
        directory: the accounts.
        now: the instant as of which accounts are scored anew.
        telling: whether a change may alert.
    """

    provider: str
    settings: Settings
    directory: Directory
    now: datetime
    telling: bool = True

    def enter(self, companies: Sequence[Company], *, anew: bool) -> Entered:
        """Match companies with accounts, and enter the facts of those that are one.

        Args:
            companies: companies as read.
            anew: whether companies are matched again that say the same of themselves as before, since there may be new
                accounts.

        Raises:
            StorageUnavailableError: not everything is entered; doing it again completes it.
        """
        entered = Entered(companies=len(companies))
        known = crm_companies.companies(self.provider, [company.company_id for company in companies])

        def match(company: Company) -> set[str]:
            return self._match(company, known.get(company.company_id), anew=anew)

        with ThreadPoolExecutor(WORKERS) as pool:
            affected = set[str]().union(*pool.map(match, companies))
        for account_id in sorted(affected):
            entered.to_refresh |= self._settle(account_id, entered)
        entered.to_refresh -= {company.company_id for company in companies}
        self._enter_facts(companies, entered)
        return entered

    def _match(self, company: Company, before: CompanyRecord | None, *, anew: bool) -> set[str]:
        """Note which account a company may be; answers the accounts of which that has to be decided anew.

        What a company claims is noted before the company itself, so that whoever finds it noted need not do it again.
        """
        identity = _identity(company)
        record = before or CompanyRecord(company.company_id, identity)
        undecided = {record.claim} if record.claim and not record.account_id else set[str]()
        if before is not None and before.identity == identity and not anew:
            return undecided
        found = claim(company, *self._accounts_for(company))
        account_id = found.account_id if isinstance(found, Claim) else None
        digest = record.digest if isinstance(found, Claim) else found.value
        unchanged = before is not None and (before.identity, before.claim) == (identity, account_id)
        if unchanged and (account_id or digest == record.digest):
            return undecided
        affected = undecided
        if record.claim not in (None, account_id):
            affected |= self._withdraw(company.company_id, record.claim)
        if record.account_id != account_id:
            record = replace(record, account_id=None)
            digest = "" if account_id else digest
        record = replace(record, identity=identity, name=company.name, claim=account_id, digest=digest)
        if isinstance(found, Claim):
            self._stake(company.company_id, found)
            affected.add(found.account_id)
        else:
            self._report(record, found)
        crm_companies.save_company(self.provider, record)
        return affected

    def remove(self, record: CompanyRecord) -> Entered:
        """Take back what a company brought that is no longer there."""
        entered = Entered()
        affected = self._withdraw(record.company_id, record.claim) if record.claim else set()
        crm_companies.forget_company(self.provider, record.company_id)
        for account_id in affected:
            entered.to_refresh |= self._settle(account_id, entered)
        return entered

    def _accounts_for(self, company: Company) -> tuple[set[str], dict[str, list[str]]]:
        if company.account_id:
            known = accounts.get(company.account_id, consistent=False) is not None
            return ({company.account_id} if known else set()), {}
        return set(), self.directory.by_domain

    def _stake(self, company_id: str, found: Claim) -> None:
        crm_companies.change_claims(
            self.provider, found.account_id, lambda claims: {**claims, company_id: found.by_hand}
        )

    def _withdraw(self, company_id: str, account_id: str | None) -> set[str]:
        if account_id is None:
            return set()

        def without(claims: dict[str, bool]) -> dict[str, bool]:
            return {other: by_hand for other, by_hand in claims.items() if other != company_id}

        crm_companies.change_claims(self.provider, account_id, without)
        return {account_id}

    def _settle(self, account_id: str, entered: Entered) -> set[str]:
        """Make one company the account, or none; answers a company that has become it and was not read just now."""
        claims = crm_companies.change_claims(self.provider, account_id, lambda standing: standing)
        chosen = winner(claims)
        fresh: set[str] = set()
        for company_id, record in crm_companies.companies(self.provider, list(claims)).items():
            is_account = company_id == chosen
            if is_account != (record.account_id == account_id):
                kept = replace(record, account_id=account_id if is_account else None, digest="")
                crm_companies.save_company(self.provider, kept)
                if is_account:
                    fresh.add(company_id)
            self._report(record, None if is_account else loser(claims, company_id))
        if chosen is None:
            self._save(account_id, "", nothing_known(self.provider, self.now), entered)
        return fresh

    def _report(self, record: CompanyRecord, reason: Unmatched | None) -> None:
        _, domains = json.loads(record.identity)
        shown = {"name": record.name, "domains": domains}
        crm_companies.save_unmatched(self.provider, record.company_id, reason and reason.value, shown)

    def _enter_facts(self, companies: Sequence[Company], entered: Entered) -> None:
        records = crm_companies.companies(self.provider, [company.company_id for company in companies])
        waiting = []
        for company in companies:
            record = records.get(company.company_id)
            digest = _digest(company.facts)
            if record is not None and record.account_id is not None and record.digest != digest:
                waiting.append((record, company.facts, digest))

        def enter(task: tuple[CompanyRecord, CrmFacts, str]) -> None:
            record, facts, digest = task
            self._save(str(record.account_id), record.company_id, facts, entered)
            crm_companies.save_company(self.provider, replace(record, digest=digest))

        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(enter, waiting))

    def _save(self, account_id: str, company_id: str, facts: CrmFacts, entered: Entered) -> None:
        """Enter an account's facts where they are new, and score it."""
        account = accounts.get(account_id)
        before = account.crm if account else None
        if account is None or (not company_id and (before is None or before.provider != self.provider)):
            return
        if before is not None and (_digest(before) == _digest(facts) or before.received_at > facts.received_at):
            return
        account = accounts.save_crm(account_id, facts)
        # Facts that an account has for the first time are the connection's doing and not the account's.
        telling = self.telling and before is not None
        current, alerts = rescore(account, max(self.now, facts.received_at), self.settings, telling=telling)
        entered.changed.append(account_id)
        entered.alerts += alerts
        if company_id:
            entered.rescored[company_id] = (account_id, current)


def _identity(company: Company) -> str:
    known = {name for text in company.domains if (name := domain(text)) is not None}
    return json.dumps([company.account_id, sorted(known)], ensure_ascii=False)


def _digest(facts: CrmFacts) -> str:
    said = {name: value for name, value in crm_to_json(facts).items() if name != "received_at"}
    return blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=12).hexdigest()
