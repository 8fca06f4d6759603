"""Matches companies with accounts by what they claim, and applies the facts of those that match.

A company claims an account by the account id in its record, or by its domains (`integrations.crm.mapping`). The claims
to an account are stored; where a company is the only one, or the only one by account id, it is the account.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from healthscore.integrations.crm.facts import UNKNOWN
from healthscore.integrations.crm.mapping import Claim, Unmatched, claim, domain, loser, winner
from healthscore.integrations.crm.protocol import COMPANIES, CrmError, Unreadable
from healthscore.services.crm_sync.apply_facts import Applied, FactsApplier, Outcome
from healthscore.storage.accounts import accounts
from healthscore.storage.crm import companies as crm_companies
from healthscore.storage.crm.companies import CompanyRecord
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from healthscore.integrations.crm.protocol import Company
    from healthscore.services.crm_sync.account_directory import Directory

T = TypeVar("T")
MOST_DOMAINS = 100
"""Domains of a company that are kept. Further ones match it as well; when they change, the next full run finds it."""
WORKERS = 8
"""Companies worked on at once."""


class SoleClaim(NamedTuple):
    """A company that is the only one to claim an account. Its record is saved together with its facts."""

    record: CompanyRecord
    claims: dict[str, bool]
    """The claims to the account as read; as long as they are the same, the company is the account."""


class Match(NamedTuple):
    """The result of matching a company."""

    undecided: set[str]
    """Accounts whose company has to be decided again."""
    sole_claim: SoleClaim | None = None
    rivals: set[str] = set()  # noqa: RUF012  (never changed)
    """Other companies that claim the account which the company claims newly."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """Matches companies of one CRM with accounts, for one run.

    Attributes:
        applier: applies the facts of companies that match.
        directory: the accounts by domain; None where reading all accounts is not worth it for a few companies. A
            company that would have to be found by its domain then stays as it is.
        gone_of: which of some companies the CRM does not have any more, by their ids.
    """

    applier: FactsApplier
    directory: Directory | None
    gone_of: Callable[[Collection[str]], Collection[str]]

    @property
    def provider(self) -> str:
        """The CRM."""
        return self.applier.provider

    def apply(self, companies: Sequence[Company], *, match_again: bool, gone: Collection[str] = ()) -> Applied:
        """Match companies with accounts, and apply the facts of those that match.

        Companies that are gone give up their claims first, and their accounts are decided last. So a company that
        others were merged into takes their place, and the account's facts are at no time unknown.

        Args:
            companies: companies as read.
            match_again: whether to match companies whose account id and domains are as before: there may be new
                accounts.
            gone: ids of companies that the CRM does not have any more.

        Raises:
            StorageUnavailableError: some of it is not saved; calling this again completes it.
        """
        applied = Applied(companies=len(companies))
        ids = [company.company_id for company in companies]
        merged = {merged_id for company in companies for merged_id in company.merged_ids}
        leaving = self._leaving(set(gone).difference(ids))
        # A text that people can change names these: the CRM has to say itself that they are gone.
        left = [record.company_id for record in self._leaving(merged.difference(ids, gone))]
        leaving += self._leaving(self.gone_of(left)) if left else []
        undecided = self._withdraw_all(leaving)
        known = crm_companies.companies(self.provider, ids)

        def match(company: Company) -> Match:
            found = self._match(company, known.get(company.company_id), match_again=match_again)
            if found.sole_claim or not found.undecided:
                self._apply_facts(company, found.sole_claim, known.get(company.company_id), applied)
            return found

        def apply(company: Company) -> None:
            self._apply_facts(company, None, known.get(company.company_id), applied)

        with ThreadPoolExecutor(WORKERS) as pool:
            matches = [found for found in pool.map(_guarded(match, applied), companies) if found is not None]
            undecided = undecided.union(*(found.undecided for found in matches))
            rivals = set[str]().union(*(found.rivals for found in matches)).difference(ids)
            if rivals:
                more = self._leaving(self.gone_of(sorted(rivals)))
                undecided |= self._withdraw_all(more)
                leaving += more
            decided = pool.map(lambda account_id: self._decide_guarded(account_id, known, applied), sorted(undecided))
            applied.to_refresh |= set[str]().union(*decided)
            if undecided:
                known = crm_companies.companies(self.provider, ids)
                list(pool.map(_guarded(apply, applied), companies))
        # The last of all: until it is deleted, whoever goes on after a crash finds it, and does all of this again.
        for record in leaving:
            crm_companies.delete_company(self.provider, record.company_id)
        applied.removed += len(leaving)
        applied.to_refresh -= set(ids)
        return applied

    def _leaving(self, gone: Collection[str]) -> list[CompanyRecord]:
        return list(crm_companies.companies(self.provider, sorted(gone)).values()) if gone else []

    def _withdraw_all(self, leaving: Sequence[CompanyRecord]) -> set[str]:
        """Take back the claims of companies; returns the accounts that have to be decided again."""
        return set[str]().union(*(self._withdraw(record.company_id, record.claim) for record in leaving))

    def _decide_guarded(self, account_id: str, known: dict[str, CompanyRecord], applied: Applied) -> set[str]:
        try:
            return self._decide(account_id, applied)
        except (StorageUnavailableError, CrmError):
            raise
        except Exception:  # noqa: BLE001  (whatever it is, it concerns this account)
            claimants = [record.company_id for record in known.values() if record.claim == account_id]
            applied.set_aside += [Unreadable(COMPANIES, company_id) for company_id in claimants or [""]]
            return set()

    def _match(self, company: Company, before: CompanyRecord | None, *, match_again: bool) -> Match:
        """Store which account a company claims.

        The claim is stored before the company's record, so that a record always has its claim stored.
        """
        for attempt in attempts("too many writers at once for one company"):
            if attempt:
                before = crm_companies.companies(self.provider, [company.company_id]).get(company.company_id)
            found = self._match_once(company, before, match_again=match_again)
            if found is not None:
                match = found
                break
        return match

    def _match_once(self, company: Company, before: CompanyRecord | None, *, match_again: bool) -> Match | None:
        """Match a company; None where another writer changed its record."""
        identity = _identity(company)
        record = before or CompanyRecord(company.company_id, identity)
        undecided = {record.claim} if record.claim and not record.account_id else set[str]()
        found = self._claim(company, before, identity, match_again=match_again)
        if found is None:
            return Match(undecided)
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
        return self._save_match(record, found, undecided, is_new=before is None)

    def _save_match(
        self, record: CompanyRecord, found: Claim | Unmatched, undecided: set[str], *, is_new: bool
    ) -> Match | None:
        """Store a company's claim, and its record; None where another writer changed its record."""
        claims: dict[str, bool] = {}
        if isinstance(found, Claim):
            claims = crm_companies.add_claim(self.provider, found.account_id, record.company_id, by_hand=found.by_hand)
            if record.company_id not in claims:  # no room for it among so many; the next full run tries again
                found = Unmatched.SAME_ACCOUNT if found.by_hand else Unmatched.SAME_DOMAIN
                record = replace(record, claim=None, account_id=None, digest=found.value)
        if not isinstance(found, Claim):
            self._save_unmatched(record, found)
            return Match(undecided) if crm_companies.save_company(self.provider, record) else None
        if list(claims) == [record.company_id]:
            if not is_new:
                self._save_unmatched(record, None)
            matched = replace(record, account_id=found.account_id)
            return Match(undecided - {found.account_id}, SoleClaim(matched, claims))
        if not crm_companies.save_company(self.provider, record):
            return None
        return Match({*undecided, found.account_id}, rivals=set(claims) - {record.company_id})

    def _claim(
        self, company: Company, before: CompanyRecord | None, identity: str, *, match_again: bool
    ) -> Claim | Unmatched | None:
        """What a company claims; None where it has to stay as it is."""
        if before is not None:
            is_same = before.identity == identity and not match_again
            if is_same or _keeps_claim(company, before):
                return None
        known = self._accounts_for(company)
        if known is None:
            return None
        found = claim(company, *known, before=None if before is None else before.claim)
        is_looked_for_everywhere = company.account_id is not None or (self.directory and self.directory.is_whole)
        return found if isinstance(found, Claim) or is_looked_for_everywhere else None

    def _accounts_for(
        self, company: Company
    ) -> tuple[dict[str, str], dict[str, list[str]], dict[str, list[str]]] | None:
        if company.account_id is UNKNOWN:
            return {}, {}, {}
        if company.account_id:
            account = accounts.get(company.account_id, consistent=False)
            return ({} if account is None else {company.account_id: account.account_id}), {}, {}
        return None if self.directory is None else ({}, self.directory.by_domain, self.directory.by_id)

    def _withdraw(self, company_id: str, account_id: str | None) -> set[str]:
        if account_id is None:
            return set()

        def without(claims: dict[str, bool]) -> dict[str, bool]:
            return {other: by_hand for other, by_hand in claims.items() if other != company_id}

        crm_companies.change_claims(self.provider, account_id, without)
        return {account_id}

    def _decide(self, account_id: str, applied: Applied) -> set[str]:
        """Decide which company is an account, by the claims to it; returns the company that newly is, if any."""
        newly_matched = set[str]()
        for _ in attempts(crm_companies.TOO_MANY_WRITERS):
            claims = crm_companies.change_claims(self.provider, account_id, lambda unchanged: unchanged)
            chosen = winner(claims)
            records = crm_companies.companies(self.provider, list(claims))
            if all(self._assign(record, account_id, chosen, newly_matched) for record in records.values()):
                break
        for record in records.values():
            self._save_unmatched(record, None if record.company_id == chosen else loser(claims, record.company_id))
        if chosen is None:
            self.applier.clear(account_id, applied)
        return newly_matched

    def _assign(self, record: CompanyRecord, account_id: str, chosen: str | None, newly_matched: set[str]) -> bool:
        """Save whether a company is the account; False where another writer changed its record."""
        is_account = record.company_id == chosen
        if is_account == (record.account_id == account_id):
            return True
        kept = replace(record, account_id=account_id if is_account else None, digest="")
        if not crm_companies.save_company(self.provider, kept):
            return False
        if is_account:
            newly_matched.add(record.company_id)
        return True

    def _save_unmatched(self, record: CompanyRecord, reason: Unmatched | None) -> None:
        _, domains = json.loads(record.identity)
        shown = {"name": record.name, "domains": domains}
        crm_companies.save_unmatched(self.provider, record.company_id, reason and reason.value, shown)

    def _apply_facts(
        self, company: Company, sole_claim: SoleClaim | None, record: CompanyRecord | None, applied: Applied
    ) -> None:
        """Apply the facts of a company that is an account, where they changed."""
        for attempt in attempts(accounts.TOO_MANY_WRITERS):
            if attempt:
                record = crm_companies.companies(self.provider, [company.company_id]).get(company.company_id)
            kept = sole_claim.record if sole_claim else record
            if kept is None or kept.account_id is None:
                return
            claims = sole_claim.claims if sole_claim else None
            if self.applier.apply(kept, company, claims, applied) is Outcome.DONE:
                return
            if sole_claim is not None:
                # Another company claims the account, or it changed: save the record alone, and decide by all claims.
                crm_companies.save_company(self.provider, replace(kept, account_id=None, digest=""))
                applied.to_refresh.update(self._decide(kept.account_id, applied))
                sole_claim = None


def _guarded(work: Callable[[Company], T], applied: Applied) -> Callable[[Company], T | None]:
    """Work on companies one by one: an error that nobody foresaw sets one company aside, and stops no other."""

    def guarded(company: Company) -> T | None:
        try:
            return work(company)
        except (StorageUnavailableError, CrmError):
            raise
        except Exception:  # noqa: BLE001  (whatever it is, it concerns this company)
            applied.set_aside.append(Unreadable(COMPANIES, company.company_id))
            return None

    return guarded


def _keeps_claim(company: Company, before: CompanyRecord) -> bool:
    """Whether the CRM does not say now what the company's claim rests on. Then the claim stays as it is."""
    if before.claim is None:
        return False
    if company.account_id is UNKNOWN:
        return True
    by_hand, _ = json.loads(before.identity)
    if by_hand is not None:
        return not company.says_account_id
    return company.account_id is None and not company.says_domains


def _identity(company: Company) -> str:
    """What matching depends on: a hash of the account id, which erasures then need not look for, and the domains."""
    known = {name for text in company.domains if (name := domain(text)) is not None}
    kept = sorted(known)[:MOST_DOMAINS]
    given = "" if company.account_id is UNKNOWN else company.account_id
    by_hand = given and blake2b(given.encode(), digest_size=12).hexdigest()
    return json.dumps([by_hand, kept], ensure_ascii=False)
