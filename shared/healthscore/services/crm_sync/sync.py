"""Reads a connected CRM page by page, and applies what it reads to the accounts.

A full run reads every company, and removes those that are gone. Between full runs, only what changed is read, where the
CRM can be asked for that. The cursor is stored after the page is applied: a run that crashed continues at its last
cursor, and applies that page a second time, which changes nothing.
"""

from __future__ import annotations

import traceback
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from healthscore.core.time import format_instant, parse_instant
from healthscore.integrations.crm.protocol import COMPANIES, AccessError, Change, CrmError, QuotaError
from healthscore.services.crm_sync.account_directory import Directory
from healthscore.services.crm_sync.apply_facts import FactsApplier
from healthscore.services.crm_sync.matching import Matcher
from healthscore.services.crm_sync.write_back import write_back
from healthscore.storage import workspace
from healthscore.storage.crm import companies as crm_companies
from healthscore.storage.crm import connections, unreadable
from healthscore.storage.errors import StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from healthscore.integrations.crm.protocol import Company, Page, Unreadable
    from healthscore.services.crm_sync.apply_facts import Applied
    from healthscore.services.crm_sync.session import Session
    from healthscore.storage.crm.connections import Connection

LEASE = timedelta(minutes=16)
"""Longer than a function may run: an older lock is of a run that crashed."""


class Refreshing(NamedTuple):
    """What a refresh led to."""

    without_company: Sequence[Change]
    """The records that belong to no company, perhaps not yet."""
    unreadable: int
    """Values that could not be read and were not known before."""


class Noted(NamedTuple):
    """What could not be read."""

    total: int
    missing: set[str]
    grown: int
    """Values that were not known before."""


def run(session: Session) -> dict[str, Any]:
    """Read what is due: the rest of an unfinished run, everything, or what changed; or disconnect the CRM.

    Returns:
        The figures of the run; `state` is `locked` where another run holds the lock.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now; the next run continues.
    """
    owner = uuid4().hex
    now = session.clock()
    connection = connections.lock(session.provider, owner, now, LEASE)
    if connection is None:
        return {"provider": session.provider, "state": "locked"}
    if connection.disconnecting:
        return _disconnect(session, owner)
    return _Run(session, owner, connection).work()


def save_error(provider: str, error: str) -> dict[str, Any]:
    """Save in a CRM's status why its session could not be opened, unless another run holds the lock.

    Returns:
        The result of the run.

    Raises:
        StorageUnavailableError: not saved.
    """
    owner = uuid4().hex
    connection = connections.lock(provider, owner, datetime.now(UTC), LEASE)
    if connection is not None:
        connections.save_progress(provider, owner, connection.state, connection.status | {"error": error}, unlock=True)
    return {"provider": provider, "state": "failed"}


def refresh(session: Session, changes: Sequence[Change]) -> Refreshing:
    """Read the companies that records belong to, and apply their facts.

    A company that is new, or whose account id or domains changed, is matched by its account id alone. Matching by
    domain needs all accounts, and is left to the next run. Only what other companies were merged into is looked for
    among the accounts of those at once.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now.
        CrmError: the CRM does not answer as it should.
    """
    read = session.connector.refresh([*changes, *_bereft(session.provider, changes)])
    applied = apply_companies(session, read.companies, match_again=False, gone=read.gone)
    grown = note_unreadable(session, read.companies, read.set_aside, applied).grown
    return Refreshing([change for change in read.without_company if not change.gone], grown)


def _bereft(provider: str, changes: Sequence[Change]) -> list[Change]:
    """The companies whose facts rest on records that are gone: the CRM no longer says which companies these are."""
    gone = [change.record_id for change in changes if change.gone and change.kind != COMPANIES]
    companies = crm_companies.resting_on(provider, gone) if gone else []
    return [Change(COMPANIES, company_id) for company_id in companies]


def apply_companies(
    session: Session,
    companies: Sequence[Company],
    *,
    match_again: bool,
    directory: Directory | None = None,
    gone: Collection[str] = (),
) -> Applied:
    """Match companies and apply their facts, send the alerts at once, and write the new scores back.

    Args:
        session: the CRM.
        companies: as they were read.
        match_again: as for `Matcher.apply`.
        directory: as for `Matcher`; where it is None, what other companies were merged into is looked for among the
            accounts of those.
        gone: ids of companies that the CRM does not have any more.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now.
        CrmError: the CRM does not answer as it should.
    """
    leaving = {*gone, *(merged_id for company in companies for merged_id in company.merged_ids)}
    if directory is None and leaving:
        named = [*leaving, *(company.company_id for company in companies)]
        claimed = {record.claim for record in crm_companies.companies(session.provider, sorted(set(named))).values()}
        directory = Directory(among=[account_id for account_id in claimed if account_id is not None])
    matcher = _matcher(session, directory)
    applied = matcher.apply(companies, match_again=match_again, gone=gone)
    _follow_up(session, matcher, applied)
    return applied


def note_unreadable(
    session: Session, companies: Sequence[Company], set_aside: Sequence[Unreadable], applied: Applied
) -> Noted:
    """Note what could not be read of companies, in the place of what was noted of them before.

    Args:
        session: the CRM.
        companies: the companies that were read.
        set_aside: what could not be read beside them.
        applied: what applying them led to.

    Raises:
        StorageUnavailableError: not noted.
    """
    found = {one: company.company_id for company in companies for one in company.unreadable}
    for one in (*set_aside, *applied.set_aside):
        found[one] = one.record_id if one.kind == COMPANIES else ""
    missing = set[str]().union(*(company.missing for company in companies))
    named = {(one.kind, one.record_id, one.field): company_id for one, company_id in found.items()}
    read = [company.company_id for company in companies]
    return Noted(len(named), missing, unreadable.note(session.provider, read, named, missing, session.clock()))


def _matcher(session: Session, directory: Directory | None) -> Matcher:
    settings = workspace.settings().settings
    applier = FactsApplier(session.provider, settings, session.clock(), session.alerting)

    def gone_of(ids: Collection[str]) -> Collection[str]:
        return session.connector.refresh([Change(COMPANIES, company_id) for company_id in ids]).gone

    return Matcher(applier, directory, gone_of)


def _follow_up(session: Session, matcher: Matcher, applied: Applied) -> None:
    """Read companies that newly match an account, send alerts, and write scores back."""
    if applied.to_refresh:
        changes = [Change(COMPANIES, company_id) for company_id in sorted(applied.to_refresh)]
        more = matcher.apply(session.connector.refresh(changes).companies, match_again=False)
        applied.changed += more.changed
        applied.alerts += more.alerts
        applied.rescored |= more.rescored
        applied.set_aside += more.set_aside
    if applied.alerts:
        first = [(alert.account_id, alert.alert_id) for alert in applied.alerts]
        session.outbox.send(first, session.keep_going)
    if session.writing and applied.rescored:
        scores = {company_id: found for company_id, (_, found) in applied.rescored.items()}
        try:
            write_back(session.provider, session.connector, scores)
        except QuotaError:
            raise
        except CrmError as error:  # what was read is saved: a CRM that takes no scores is read all the same
            applied.problem = f"Scores cannot be written back. {error}"


class _Run:
    """One run, which holds the lock."""

    def __init__(self, session: Session, owner: str, connection: Connection) -> None:
        self._session = session
        self._owner = owner
        self._state = dict(connection.state)
        self._status = dict(connection.status)
        self._directory = Directory()
        self._figures: Counter[str] = Counter()
        self._problem: str | None = None
        """Why scores cannot be written back, which stops no reading."""

    def work(self) -> dict[str, Any]:
        started = self._session.clock()
        state, problem = "complete", None
        try:
            if not self._state.get("run"):
                self._choose(started)
            if not self._pages():
                state = "cut_off"
        except QuotaError as error:
            state, problem = "waiting", str(error)
        except CrmError as error:
            state, problem = "failed", str(error)
            if isinstance(error, AccessError):
                self._figures["refused"] = 1
        except StorageUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001  (nobody foresaw it: the lock is given back, and the cause is told)
            state, problem = "failed", f"The run stopped by an error that is not the CRM's: {type(error).__name__}."
            self._count(unreadable=1)
            last = traceback.extract_tb(error.__traceback__)[-1]
            # The place in the code, but not the error's own text, which may quote customers' data.
            where = f"{last.filename}:{last.lineno}"
            self._session.logger.error(  # noqa: TRY400
                "a run stopped", provider=self._session.provider, error=type(error).__name__, where=where
            )
        self._status["last_run"] = format_instant(started)
        self._status["error"] = problem or self._problem
        kept = connections.save_progress(self._session.provider, self._owner, self._state, self._status, unlock=True)
        result = {"provider": self._session.provider, "state": state if kept else "taken_over", **self._figures}
        self._session.logger.info("crm sync", result=result)
        return result

    def _choose(self, now: datetime) -> None:
        """Decide whether to read everything or what changed."""
        capabilities, last = self._session.connector.capabilities, self._state.get("full_started")
        due = last is None or now - parse_instant(last) >= capabilities.full_every
        self._state["run"] = "full" if due else "changes" if capabilities.incremental else None
        self._state |= {"cursor": None if due else self._state.get("base"), "page": 0, "unreadable": 0, "missing": []}
        if due:
            self._state["full_started"] = format_instant(now)

    def _pages(self) -> bool:
        """Apply page after page; False where time ran out, or another run has taken the lock."""
        kind = self._state["run"]
        if kind is None:
            return True
        connector = self._session.connector
        cursor = self._state["cursor"]
        for page in connector.full(cursor) if kind == "full" else connector.changes(cursor):
            self._apply(page, full=kind == "full")
            if page.done:
                self._finish(page, full=kind == "full")
                return True
            self._state["cursor"] = page.cursor
            self._state["page"] += 1
            saved = connections.save_progress(
                self._session.provider, self._owner, self._state, self._status, unlock=False
            )
            if not saved or not self._session.keep_going():
                return False
        return True

    def _apply(self, page: Page, *, full: bool) -> None:
        if full:
            ids = [company.company_id for company in page.companies]
            crm_companies.note_seen(self._session.provider, self._state["full_started"], self._state["page"], ids)
        self._apply_companies(page.companies, page.set_aside, match_again=full, gone=page.gone)
        bereft = _bereft(self._session.provider, page.deleted)
        if bereft:
            read = self._session.connector.refresh(bereft)
            self._apply_companies(read.companies, read.set_aside, match_again=False, gone=read.gone)

    def _apply_companies(
        self,
        companies: Sequence[Company],
        set_aside: Sequence[Unreadable],
        *,
        match_again: bool,
        gone: Collection[str],
    ) -> None:
        directory = self._directory
        applied = apply_companies(self._session, companies, match_again=match_again, directory=directory, gone=gone)
        noted = note_unreadable(self._session, companies, set_aside, applied)
        self._state["unreadable"] = self._state.get("unreadable", 0) + noted.total
        self._state["missing"] = sorted(noted.missing.union(self._state.get("missing", ())))
        figures = {"gone": applied.removed, "unreadable": noted.grown}
        self._count(companies=applied.companies, changed=len(applied.changed), alerts=len(applied.alerts))
        self._count(**{name: figure for name, figure in figures.items() if figure})
        self._problem = applied.problem or self._problem

    def _count(self, **figures: int) -> None:
        self._figures.update(figures)

    def _finish(self, page: Page, *, full: bool) -> None:
        provider = self._session.provider
        if full:
            self._remove_gone()
            self._status["counts"] = _counts(provider)
            self._status["last_full"] = self._state["full_started"]
            crm_companies.forget_seen(provider)
            started = parse_instant(self._state["full_started"])
            count, missing = self._state["unreadable"], self._state["missing"]
            if grown := unreadable.finish(provider, count, missing, started):
                self._count(unreadable=grown)
        self._state |= {"run": None, "cursor": None, "base": page.cursor}
        self._status["last_success"] = format_instant(self._session.clock())

    def _remove_gone(self) -> None:
        """Remove companies that the full run did not see, and that the CRM does not find by their ids either.

        Paging can miss a company while others are deleted, so the CRM is asked for each of them.
        """
        provider = self._session.provider
        seen = crm_companies.seen(provider, self._state["full_started"])
        absent = [record for record in crm_companies.all_companies(provider) if record.company_id not in seen]
        if absent:
            asked = self._session.connector.refresh([Change(COMPANIES, record.company_id) for record in absent])
            self._apply_companies(asked.companies, asked.set_aside, match_again=True, gone=asked.gone)


def _counts(provider: str) -> dict[str, int]:
    records = [record.account_id is not None for record in crm_companies.all_companies(provider)]
    return {"companies": len(records), "matched": sum(records), "unmatched": len(records) - sum(records)}


def _disconnect(session: Session, owner: str) -> dict[str, Any]:
    """Make the facts of every account that come from this CRM unknown, then delete all that is stored of it."""
    matcher = _matcher(replace(session, alerting=False), None)
    removed = 0
    for record in list(crm_companies.all_companies(session.provider)):
        if not session.keep_going():
            return {"provider": session.provider, "state": "cut_off", "taken_back": removed}
        matcher.apply((), match_again=False, gone=[record.company_id])
        removed += 1
    crm_companies.forget_all(session.provider)
    connections.disconnect(session.provider, owner)
    return {"provider": session.provider, "state": "disconnected", "taken_back": removed}
