"""Reads a connected CRM page by page, and applies what it reads to the accounts.

A full run reads every company, and removes those that are gone. Between full runs, only what changed is read, where the
CRM can be asked for that. The cursor is stored after the page is applied: a run that crashed continues at its last
cursor, and applies that page a second time, which changes nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from healthscore.core.time import format_instant, parse_instant
from healthscore.integrations.crm.protocol import Change, CrmError, QuotaError
from healthscore.services.crm_sync.account_directory import Directory
from healthscore.services.crm_sync.apply_facts import FactsApplier
from healthscore.services.crm_sync.matching import Matcher
from healthscore.services.crm_sync.write_back import write_back
from healthscore.storage import workspace
from healthscore.storage.crm import companies as crm_companies
from healthscore.storage.crm import connections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthscore.integrations.crm.protocol import Company, Page
    from healthscore.services.crm_sync.apply_facts import Applied
    from healthscore.services.crm_sync.session import Session
    from healthscore.storage.crm.connections import Connection

LEASE = timedelta(minutes=16)
"""Longer than a function may run: an older lock is of a run that crashed."""
COMPANIES = "companies"
"""The kind of a company's `Change`, for every connector."""


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


def refresh(session: Session, changes: Sequence[Change]) -> Sequence[Change]:
    """Read the companies that records belong to, and apply their facts.

    A company that is new, or whose account id or domains changed, is matched by its account id alone. Matching by
    domain needs all accounts, and is left to the next run.

    Returns:
        The records that belong to no company.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now.
        CrmError: the CRM does not answer as it should.
    """
    refreshed = session.connector.refresh(changes)
    apply_companies(session, refreshed.companies, match_again=False)
    _remove(session, refreshed.gone, None)
    return refreshed.without_company


def apply_companies(
    session: Session, companies: Sequence[Company], *, match_again: bool, directory: Directory | None = None
) -> Applied:
    """Match companies and apply their facts, send the alerts at once, and write the new scores back.

    Args:
        session: the CRM.
        companies: as they were read.
        match_again: as for `Matcher.apply`.
        directory: as for `Matcher`.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now.
        CrmError: the CRM does not answer as it should.
    """
    matcher = _matcher(session, directory)
    applied = matcher.apply(companies, match_again=match_again)
    _follow_up(session, matcher, applied)
    return applied


def _matcher(session: Session, directory: Directory | None) -> Matcher:
    settings = workspace.settings().settings
    return Matcher(FactsApplier(session.provider, settings, session.clock(), session.alerting), directory)


def _follow_up(session: Session, matcher: Matcher, applied: Applied) -> None:
    """Read companies that newly match an account, send alerts, and write scores back."""
    if applied.to_refresh:
        changes = [Change(COMPANIES, company_id) for company_id in sorted(applied.to_refresh)]
        more = matcher.apply(session.connector.refresh(changes).companies, match_again=False)
        applied.changed += more.changed
        applied.alerts += more.alerts
        applied.rescored |= more.rescored
    if applied.alerts:
        first = [(alert.account_id, alert.alert_id) for alert in applied.alerts]
        session.outbox.send(first, session.keep_going)
    if session.writing and applied.rescored:
        write_back(session.provider, session.connector, {key: found for key, (_, found) in applied.rescored.items()})


def _remove(session: Session, gone: Sequence[str], directory: Directory | None) -> list[Applied]:
    """Remove companies that are gone from the CRM."""
    if not gone:
        return []
    matcher = _matcher(session, directory)
    removed = []
    for record in crm_companies.companies(session.provider, gone).values():
        removed.append(matcher.remove(record))
        _follow_up(session, matcher, removed[-1])
    return removed


class _Run:
    """One run, which holds the lock."""

    def __init__(self, session: Session, owner: str, connection: Connection) -> None:
        self._session = session
        self._owner = owner
        self._state = dict(connection.state)
        self._status = dict(connection.status)
        self._directory = Directory()
        self._figures: Counter[str] = Counter()

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
        self._status["last_run"] = format_instant(started)
        self._status["error"] = problem
        kept = connections.save_progress(self._session.provider, self._owner, self._state, self._status, unlock=True)
        result = {"provider": self._session.provider, "state": state if kept else "taken_over", **self._figures}
        self._session.logger.info("crm sync", result=result)
        return result

    def _choose(self, now: datetime) -> None:
        """Decide whether to read everything or what changed."""
        capabilities, last = self._session.connector.capabilities, self._state.get("full_started")
        due = last is None or now - parse_instant(last) >= capabilities.full_every
        self._state["run"] = "full" if due else "changes" if capabilities.incremental else None
        self._state |= {"cursor": None if due else self._state.get("base"), "page": 0}
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
        self._count(apply_companies(self._session, page.companies, match_again=full, directory=self._directory))

    def _count(self, applied: Applied) -> None:
        self._figures["companies"] += applied.companies
        self._figures["changed"] += len(applied.changed)
        self._figures["alerts"] += len(applied.alerts)

    def _finish(self, page: Page, *, full: bool) -> None:
        if full:
            self._remove_gone()
            self._status["counts"] = _counts(self._session.provider)
            self._status["last_full"] = self._state["full_started"]
            crm_companies.forget_seen(self._session.provider)
        self._state |= {"run": None, "cursor": None, "base": page.cursor}
        self._status["last_success"] = format_instant(self._session.clock())

    def _remove_gone(self) -> None:
        """Remove companies that the full run did not see, and that the CRM does not find by their ids either.

        Paging can miss a company while others are deleted, so the CRM is asked for each of them.
        """
        provider = self._session.provider
        seen = crm_companies.seen(provider, self._state["full_started"])
        absent = [record for record in crm_companies.all_companies(provider) if record.company_id not in seen]
        if not absent:
            return
        asked = self._session.connector.refresh([Change(COMPANIES, record.company_id) for record in absent])
        self._count(apply_companies(self._session, asked.companies, match_again=True, directory=self._directory))
        for removed in _remove(self._session, asked.gone, self._directory):
            self._count(removed)
            self._figures["gone"] += 1


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
        matcher.remove(record)
        removed += 1
    crm_companies.forget_all(session.provider)
    connections.disconnect(session.provider, owner)
    return {"provider": session.provider, "state": "disconnected", "taken_back": removed}
