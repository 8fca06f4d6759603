"""Enters what a CRM says: which company is which account, and the facts of those that are one."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from healthscore.integrations.crm.mapping import Claim, Unmatched, claim, domain, loser, winner
from healthscore.services.crm_sync.apply_facts import Applied, FactsApplier, State
from healthscore.storage.accounts import accounts
from healthscore.storage.crm import companies as crm_companies
from healthscore.storage.crm.companies import CompanyRecord
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthscore.integrations.crm.protocol import Company
    from healthscore.services.crm_sync.account_directory import Directory

WORKERS = 8
"""Companies worked on at once."""


class Won(NamedTuple):
    """A company that is an account as far as its claims were seen, which is kept together with its facts."""

    record: CompanyRecord
    claims: dict[str, bool]
    """While they stand like this, it is the account."""


class Match(NamedTuple):
    """What came of matching a company."""

    undecided: set[str]
    """Accounts of which has to be decided anew which company they are."""
    won: Won | None = None


@dataclass(frozen=True, slots=True)
class Matching:
    """Enters companies of one CRM for one run.

    Attributes:
        entering: enters their facts.
        directory: the accounts; None where they are not to be read for the sake of a few companies. Whatever would be
            looked for among them is then left as it is.
    """

    entering: FactsApplier
    directory: Directory | None

    @property
    def provider(self) -> str:
        """The CRM."""
        return self.entering.provider

    def enter(self, companies: Sequence[Company], *, anew: bool) -> Applied:
        """Match companies with accounts, and enter the facts of those that are one.

        Args:
            companies: companies as read.
            anew: whether companies are matched again that say the same of themselves as before, since there may be new
                accounts.

        Raises:
            StorageUnavailableError: not everything is entered; doing it again completes it.
        """
        entered = Applied(companies=len(companies))
        ids = [company.company_id for company in companies]
        known = crm_companies.companies(self.provider, ids)

        def enter(company: Company) -> set[str]:
            match = self._match(company, known.get(company.company_id), anew=anew)
            if match.won or not match.undecided:
                self._enter_facts(company, match.won, known.get(company.company_id), entered)
            return match.undecided

        with ThreadPoolExecutor(WORKERS) as pool:
            undecided = set[str]().union(*pool.map(enter, companies))
            settled = list(pool.map(lambda account_id: self._settle(account_id, entered), sorted(undecided)))
            entered.to_refresh |= set[str]().union(*settled)
            if undecided:
                known = crm_companies.companies(self.provider, ids)
                list(pool.map(lambda one: self._enter_facts(one, None, known.get(one.company_id), entered), companies))
        entered.to_refresh -= set(ids)
        return entered

    def remove(self, record: CompanyRecord) -> Applied:
        """Take back what a company brought that is no longer there."""
        entered = Applied()
        undecided = self._withdraw(record.company_id, record.claim) if record.claim else set()
        crm_companies.forget_company(self.provider, record.company_id)
        for account_id in undecided:
            entered.to_refresh |= self._settle(account_id, entered)
        return entered

    def _match(self, company: Company, before: CompanyRecord | None, *, anew: bool) -> Match:
        """Note which account a company may be.

        What a company claims is noted before the company itself, so that whoever finds it noted need not do it again.
        """
        for attempt in attempts("too many writers at once for one company"):
            if attempt:
                before = crm_companies.companies(self.provider, [company.company_id]).get(company.company_id)
            found = self._match_once(company, before, anew=anew)
            if found is not None:
                match = found
                break
        return match

    def _match_once(self, company: Company, before: CompanyRecord | None, *, anew: bool) -> Match | None:
        identity = _identity(company)
        record = before or CompanyRecord(company.company_id, identity)
        undecided = {record.claim} if record.claim and not record.account_id else set[str]()
        if before is not None and before.identity == identity and not anew:
            return Match(undecided)
        known = self._accounts_for(company)
        if known is None:
            return Match(undecided)
        found = claim(company, *known)
        account_id = found.account_id if isinstance(found, Claim) else None
        digest = record.digest if isinstance(found, Claim) else found.value
        unchanged = before is not None and (before.identity, before.claim) == (identity, account_id)
        if unchanged and (account_id or digest == record.digest):
            return Match(undecided)
        if record.claim not in (None, account_id):
            undecided |= self._withdraw(company.company_id, record.claim)
        if record.account_id != account_id:
            record = replace(record, account_id=None)
            digest = "" if account_id else digest
        record = replace(record, identity=identity, name=company.name, claim=account_id, digest=digest)
        if not isinstance(found, Claim):
            self._report(record, found)
            return Match(undecided) if crm_companies.save_company(self.provider, record) else None
        claims = crm_companies.stake(self.provider, found.account_id, company.company_id, by_hand=found.by_hand)
        if list(claims) == [company.company_id]:
            if before is not None:
                self._report(record, None)
            return Match(undecided - {account_id}, Won(replace(record, account_id=account_id), claims))
        return Match({*undecided, found.account_id}) if crm_companies.save_company(self.provider, record) else None

    def _accounts_for(self, company: Company) -> tuple[set[str], dict[str, list[str]]] | None:
        if company.account_id:
            known = accounts.get(company.account_id, consistent=False) is not None
            return ({company.account_id} if known else set()), {}
        return None if self.directory is None else (set(), self.directory.by_domain)

    def _withdraw(self, company_id: str, account_id: str | None) -> set[str]:
        if account_id is None:
            return set()

        def without(claims: dict[str, bool]) -> dict[str, bool]:
            return {other: by_hand for other, by_hand in claims.items() if other != company_id}

        crm_companies.change_claims(self.provider, account_id, without)
        return {account_id}

    def _settle(self, account_id: str, entered: Applied) -> set[str]:
        """Make one company the account, or none; answers a company that has become it and was not read just now."""
        fresh = set[str]()
        for _ in attempts("too many writers at once for one account's companies"):
            claims = crm_companies.change_claims(self.provider, account_id, lambda standing: standing)
            chosen = winner(claims)
            records = crm_companies.companies(self.provider, list(claims))
            if all(self._decide(record, account_id, chosen, fresh) for record in records.values()):
                break
        for record in records.values():
            self._report(record, None if record.company_id == chosen else loser(claims, record.company_id))
        if chosen is None:
            self.entering.forget(account_id, entered)
        return fresh

    def _decide(self, record: CompanyRecord, account_id: str, chosen: str | None, fresh: set[str]) -> bool:
        """Make a company the account, or take that from it; False where it was changed meanwhile."""
        is_account = record.company_id == chosen
        if is_account == (record.account_id == account_id):
            return True
        kept = replace(record, account_id=account_id if is_account else None, digest="")
        if not crm_companies.save_company(self.provider, kept):
            return False
        if is_account:
            fresh.add(record.company_id)
        return True

    def _report(self, record: CompanyRecord, reason: Unmatched | None) -> None:
        _, domains = json.loads(record.identity)
        shown = {"name": record.name, "domains": domains}
        crm_companies.save_unmatched(self.provider, record.company_id, reason and reason.value, shown)

    def _enter_facts(self, company: Company, won: Won | None, record: CompanyRecord | None, entered: Applied) -> None:
        """Enter the facts of a company that is an account, where they are not those that were entered last."""
        for attempt in attempts("too many writers at once for one account"):
            if attempt:
                record = crm_companies.companies(self.provider, [company.company_id]).get(company.company_id)
            kept = won.record if won else record
            if kept is None or kept.account_id is None:
                return
            state = self.entering.company(kept, company.facts, won.claims if won else None, entered)
            if state is not State.OVERTAKEN:
                return
            if won is not None:
                # Others claim the account as well, or have changed it: decided anew, with the company noted first.
                crm_companies.save_company(self.provider, replace(kept, account_id=None, digest=""))
                entered.to_refresh.update(self._settle(kept.account_id, entered))
                won = None


def _identity(company: Company) -> str:
    """What decides whose account a company may be; the id entered by hand is a hash, so that it need not be erased."""
    known = {name for text in company.domains if (name := domain(text)) is not None}
    by_hand = company.account_id and blake2b(company.account_id.encode(), digest_size=12).hexdigest()
    return json.dumps([by_hand, sorted(known)], ensure_ascii=False)
