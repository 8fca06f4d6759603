"""Reads a connected CRM, page by page, and enters what it says; a run that dies goes on where it was.

A full run reads every company and finds by their absence those that are gone; between full runs only what changed is
read, where the CRM can say so. After each page the cursor is stored; what the page brought is entered before, so that
it may be entered twice, which changes nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from healthscore.core.time import format_instant, parse_instant
from healthscore.integrations.crm.protocol import Change, CrmError, QuotaError
from healthscore.services.crm_sync.account_directory import Directory
from healthscore.services.crm_sync.apply_facts import FactsApplier
from healthscore.services.crm_sync.matching import Matching
from healthscore.services.crm_sync.write_back import write_back
from healthscore.storage import workspace
from healthscore.storage.crm import companies as crm_companies
from healthscore.storage.crm import connections

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aws_lambda_powertools import Logger

    from healthscore.integrations.crm.protocol import Connector, Page
    from healthscore.services.crm_sync.apply_facts import Applied
    from healthscore.services.notifications.outbox import Outbox
    from healthscore.storage.crm.connections import Connection

LEASE = timedelta(minutes=16)
"""Longer than a function may run: a lock that is older was left behind."""
COMPANIES = "companies"
"""The kind under which every connector knows its companies."""


@dataclass(frozen=True, slots=True)
class Session:
    """One connected CRM, and what working on it needs.

    Attributes:
        provider: its name.
        connector: reads and writes it.
        writing: whether scores are written back.
        outbox: where alerts go out.
        logger: told what happened, without contents.
        clock: the instant, aware UTC.
        keep_going: False when no further page should be begun.
        telling: whether changes may alert: not before everything was read once under the present options, since what
            is new until then is what the options make of it.
    """

    provider: str
    connector: Connector
    writing: bool
    outbox: Outbox
    logger: Logger
    clock: Callable[[], datetime]
    keep_going: Callable[[], bool]
    alerting: bool


def run(session: Session) -> dict[str, Any]:
    """Read what is due: the rest of a run that was cut off, everything, or what changed.

    Returns:
        The figures of the run; `state` is `locked` where somebody else is at work on it.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now; the next run goes on.
    """
    owner = uuid4().hex
    now = session.clock()
    connection = connections.lock(session.provider, owner, now, LEASE)
    if connection is None:
        return {"provider": session.provider, "state": "locked"}
    if connection.disconnecting:
        return _take_back(session, owner)
    return _Run(session, owner, connection).work()


def note_problem(provider: str, problem: str) -> dict[str, Any]:
    """Note that a CRM could not even be opened, for its status to say so; a run that is under way is not disturbed.

    Raises:
        StorageUnavailableError: not noted.
    """
    owner = uuid4().hex
    connection = connections.lock(provider, owner, datetime.now(UTC), LEASE)
    if connection is not None:
        connections.save_progress(
            provider, owner, connection.state, connection.status | {"error": problem}, unlock=True
        )
    return {"provider": provider, "state": "failed"}


def refresh(session: Session, changes: Sequence[Change]) -> Sequence[Change]:
    """Read the companies of named records, and enter what they say now; answers the records that belong to none.

    A company that is new, or says something else of itself, is looked for by its account id alone: to know the accounts
    by domain, all of them have to be read, and that is left to the next run.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now.
        CrmError: the CRM does not answer as it should.
    """
    refreshed = session.connector.refresh(changes)
    enter(session, refreshed.companies, anew=False)
    _remove(session, refreshed.gone, None)
    return refreshed.loose


def enter(session: Session, companies: Sequence[Any], *, anew: bool, directory: Directory | None = None) -> Applied:
    """Enter companies, send what that is worth telling at once, and write new scores back.

    Args:
        session: the CRM.
        companies: as they were read.
        anew: as for `Matching.enter`.
        directory: as for `Matching`.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now.
        CrmError: the CRM does not answer as it should.
    """
    matching = _matching(session, directory)
    entered = matching.enter(companies, anew=anew)
    _follow(session, matching, entered)
    return entered


def _matching(session: Session, directory: Directory | None) -> Matching:
    settings = workspace.settings().settings
    return Matching(FactsApplier(session.provider, settings, session.clock(), session.alerting), directory)


def _follow(session: Session, matching: Matching, entered: Applied) -> None:
    """What entering leads to: companies that became an account are read, alerts go out, scores go back."""
    if entered.to_refresh:
        changes = [Change(COMPANIES, company_id) for company_id in sorted(entered.to_refresh)]
        more = matching.enter(session.connector.refresh(changes).companies, anew=False)
        entered.changed += more.changed
        entered.alerts += more.alerts
        entered.rescored |= more.rescored
    if entered.alerts:
        first = [(alert.account_id, alert.alert_id) for alert in entered.alerts]
        session.outbox.send(first, session.keep_going)
    if session.writing and entered.rescored:
        write_back(session.provider, session.connector, {key: found for key, (_, found) in entered.rescored.items()})


def _remove(session: Session, gone: Sequence[str], directory: Directory | None) -> list[Applied]:
    """Take back what companies brought that are no longer there."""
    if not gone:
        return []
    matching = _matching(session, directory)
    removed = []
    for record in crm_companies.companies(session.provider, gone).values():
        removed.append(matching.remove(record))
        _follow(session, matching, removed[-1])
    return removed


class _Run:
    """One run under a lock."""

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
                self._begin(started)
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

    def _begin(self, now: datetime) -> None:
        """Decide whether to read everything or what changed."""
        capabilities, last = self._session.connector.capabilities, self._state.get("full_started")
        due = last is None or now - parse_instant(last) >= capabilities.full_every
        self._state["run"] = "full" if due else "changes" if capabilities.incremental else None
        self._state |= {"cursor": None if due else self._state.get("base"), "page": 0}
        if due:
            self._state["full_started"] = format_instant(now)

    def _pages(self) -> bool:
        """Work through the pages; False where that was cut off."""
        kind = self._state["run"]
        if kind is None:
            return True
        connector = self._session.connector
        cursor = self._state["cursor"]
        for page in connector.full(cursor) if kind == "full" else connector.changes(cursor):
            self._enter(page, full=kind == "full")
            if page.done:
                self._finish(page, full=kind == "full")
                return True
            self._state["cursor"] = page.cursor
            self._state["page"] += 1
            stands = connections.save_progress(
                self._session.provider, self._owner, self._state, self._status, unlock=False
            )
            if not stands or not self._session.keep_going():
                return False
        return True

    def _enter(self, page: Page, *, full: bool) -> None:
        if full:
            ids = [company.company_id for company in page.companies]
            crm_companies.note_seen(self._session.provider, self._state["full_started"], self._state["page"], ids)
        entered = enter(self._session, page.companies, anew=full, directory=self._directory)
        self._count(entered)

    def _count(self, entered: Applied) -> None:
        self._figures["companies"] += entered.companies
        self._figures["changed"] += len(entered.changed)
        self._figures["alerts"] += len(entered.alerts)

    def _finish(self, page: Page, *, full: bool) -> None:
        if full:
            self._remove_gone()
            self._status["counts"] = _counts(self._session.provider)
            self._status["last_full"] = self._state["full_started"]
            crm_companies.forget_seen(self._session.provider)
        self._state |= {"run": None, "cursor": None, "base": page.cursor}
        self._status["last_success"] = format_instant(self._session.clock())

    def _remove_gone(self) -> None:
        """Take back what companies brought that a complete run has not seen, and that are not there when asked for.

        Paging may miss a company while others are deleted, so absence alone is no proof.
        """
        provider = self._session.provider
        seen = crm_companies.seen(provider, self._state["full_started"])
        absent = [record for record in crm_companies.all_companies(provider) if record.company_id not in seen]
        if not absent:
            return
        asked = self._session.connector.refresh([Change(COMPANIES, record.company_id) for record in absent])
        self._count(enter(self._session, asked.companies, anew=True, directory=self._directory))
        for removed in _remove(self._session, asked.gone, self._directory):
            self._count(removed)
            self._figures["gone"] += 1


def _counts(provider: str) -> dict[str, int]:
    records = [record.account_id is not None for record in crm_companies.all_companies(provider)]
    return {"companies": len(records), "matched": sum(records), "unmatched": len(records) - sum(records)}


def _take_back(session: Session, owner: str) -> dict[str, Any]:
    """Disconnect: every account's facts become unknown, then all that is kept of the CRM is forgotten."""
    matching = _matching(replace(session, alerting=False), None)
    taken = 0
    for record in list(crm_companies.all_companies(session.provider)):
        if not session.keep_going():
            return {"provider": session.provider, "state": "cut_off", "taken_back": taken}
        matching.remove(record)
        taken += 1
    crm_companies.forget_all(session.provider)
    connections.disconnect(session.provider, owner)
    return {"provider": session.provider, "state": "disconnected", "taken_back": taken}
