"""What must hold in a life: every figure is that of a plain recomputation, and no trace is left of what was erased."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING

from healthscore.core.day_log import log as day_log
from healthscore.core.day_log.codec import entry
from healthscore.core.time import end_of_day
from healthscore.storage import schema
from healthscore.storage.accounts import accounts
from healthscore.storage.day_logs import rollups
from healthscore.storage.day_logs.whole_days import read_day
from tests.faults.batches import USERS_ERASED, distinct
from tests.faults.ledger import Ledger
from tests.support.events import naive_rollup
from tests.support.traces import mentions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from healthscore.core.day_log.codec import Entry
    from healthscore.core.model import Event
    from tests.faults.batches import Phase


class Findings:
    """Compares what is stored with what was sent and erased."""

    def __init__(self, phases: Sequence[Phase], ledger: Ledger) -> None:
        self.wrong: list[str] = []
        self.there: list[Event] = []
        """The events that the logs hold, as they hold them: of a user who was erased, as a stranger's."""
        self._ledger = ledger
        days: dict[tuple[str, date], list[Event]] = defaultdict(list)
        for one in distinct(phases).values():
            days[one.account_id, one.at.date()].append(one)
        for (account_id, day), sent in days.items():
            self._check_day(account_id, day, sent)
        self._check_first_seen({account_id for account_id, _ in days})

    def _check_day(self, account_id: str, day: date, sent: Sequence[Event]) -> None:
        try:
            entries = read_day(schema.activity_pk(account_id), day)
        except day_log.MissingBlockError as error:
            self.wrong.append(f"{account_id} on {day}: the log: {error}")
            return
        by_id = {entry(one).id: one for one in sent}
        logged = {each.id: _as_logged(by_id[each.id], each) for each in entries}
        for one in sent:
            self._check_event(one, logged.get(entry(one).id))
        expected = naive_rollup(logged.values(), day) if logged else None
        if rollups.rollups(account_id, day, day, consistent=True) != ([expected] if expected else []):
            self.wrong.append(f"{account_id} on {day}: the roll-up")
        if expected and rollups.rollup_until(account_id, day, end_of_day(day, UTC)) != expected:
            self.wrong.append(f"{account_id} on {day}: the log")
        self.there += logged.values()

    def _check_event(self, sent: Event, logged: Event | None) -> None:
        due = self._ledger.must_be_there(sent, sent.account_id)
        if due is not None and due != (logged is not None):
            self.wrong.append(f"{sent.event_id} of {sent.account_id} {'is missing' if due else 'was not erased'}")
        if logged is None:
            return
        if (sent.account_id, sent.user_id) in USERS_ERASED:
            named = self._ledger.must_be_there(sent, f"{sent.account_id}/{sent.user_id}")
            if named is not None and named != (logged.user_id == sent.user_id):
                self.wrong.append(f"{sent.event_id} names {logged.user_id}, erased or not")
        elif logged != sent:
            self.wrong.append(f"{sent.event_id} was sent as {sent} and is {logged}")

    def _check_first_seen(self, account_ids: Iterable[str]) -> None:
        first_seen: dict[str, dict[str, datetime]] = defaultdict(dict)
        for one in self.there:
            seen = first_seen[one.account_id]
            seen[one.name] = min(one.at, seen.get(one.name, one.at))
        for account_id in sorted(account_ids):
            account = accounts.get(account_id)
            if (account.first_seen if account else {}) != first_seen.get(account_id, {}):
                self.wrong.append(f"{account_id}: first-seen times")


def _as_logged(sent: Event, logged: Entry) -> Event:
    """The event that an entry says, in the words in which it was sent where these are the same."""
    if logged == entry(sent):
        return sent
    person = logged.person or "u"
    who = {"user_id": None, "anonymous_id": person[1:]} if person[0] == "a" else {"user_id": person[1:]}
    session = f"{logged.session:x}" if logged.session else None
    return replace(sent, name=logged.name, value=logged.value, session_id=session, **who)


def wrong_figures(phases: Sequence[Phase]) -> list[str]:
    """What is wrong where everything was acknowledged and nothing erased."""
    ledger = Ledger()
    for phase in phases:
        for batch in phase:
            with ledger.sending(batch):
                pass
    return Findings(phases, ledger).wrong


def traces_of_account(account_id: str) -> list[str]:
    """What is left of an account that was erased, and of which nothing came since."""
    return [f"a trace of {account_id}, which was erased: {item[:150]}" for item in mentions(account_id)]


def traces_of_user(account_id: str, user_id: str) -> list[str]:
    """What is left in an account of a user who was erased, and of whom nothing came since."""
    found = [item for item in mentions(user_id) if account_id in item]
    return [f"a trace of {user_id} of {account_id}, who was erased: {item[:150]}" for item in found]
