"""Nights of accounts that have lived, by whichever version of the library is on the path: a process that measures one.

It reads commands from its input, one a line: an instant runs a night and measures its CPU time, or with `meter` before
it its calls and units. Each answer is a line of JSON. So two versions can be measured night by night, in turn.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import fields, replace
from datetime import UTC, date, datetime, time, timedelta
from statistics import mean
from typing import Any

from aws_lambda_powertools import Logger

from healthscore.core.model import CrmFacts, Event
from healthscore.settings import Settings
from healthscore.storage import workspace
from healthscore.storage.client import dynamodb
from tests.bench.engine import item_bytes, metered
from tests.bench.measuring import cpu_ms
from tests.bench.usage import day_of_events

try:
    from healthscore.services.ingestion.events import ingest
    from healthscore.services.nightly.plan import plan_run
    from healthscore.services.nightly.process import process_scan_part
    from healthscore.storage.accounts import accounts
except ImportError:  # as the modules were called in November 2026
    from healthscore.ingest import ingest
    from healthscore.nightly import run_segment as process_scan_part
    from healthscore.nightly import start as plan_run

    from healthscore.storage import accounts

DAYS_BEFORE = 5
"""Days with events before the first night."""
LOGGER = Logger(service="bench", level="CRITICAL")
EVENT_NAMES = 20
A_DAY = 10
"""Events of an account on a day on which it is active."""


class Life:
    """Accounts with profiles, CRM facts and events of twenty names: active daily, less often, or silent in the end."""

    def __init__(self, customers: int, first: date, *, daily: bool = False) -> None:
        self._daily = daily
        self.ids = [f"customer-{number:05d}" for number in range(customers)]
        self._until = first
        begin = datetime.combine(first, time(0), UTC)
        workspace.fix_timezone()
        for number, account_id in enumerate(self.ids):
            profile = {"name": f"Customer {number} Ltd", "owner": f"owner-{number % 7}@example.com", "plan": "growth"}
            accounts.save_profile(account_id, lambda _, profile=profile: profile | {"arr": 12_000}, begin)
            ago = timedelta(hours=number)
            facts = CrmFacts(
                begin,
                provider="hubspot",
                open_tickets=number % 3,
                high_priority_open=0,
                last_meeting_at=begin - 3 * ago,
                last_email_at=begin - ago,
                last_contact_at=begin - ago,
                active_deal=True,
                deal_updated_at=begin - 2 * ago,
                renewal_date=first + timedelta(days=100 + number),
                churned=False,
            )
            accounts.save_crm(account_id, facts)

    def live_until(self, day: date) -> None:
        """Ingest the events of the days before a day, as they happened."""
        while self._until < day:
            for number, account_id in enumerate(self.ids):
                age = self._until.toordinal()
                if self._daily:
                    self._ingest(account_id, number)
                    continue
                if number % 10 == 9 and (day.toordinal() + number) % 50 > 25:  # falls silent for weeks
                    continue
                if age % (1 + number % 5) == 0:
                    self._ingest(account_id, number)
            self._until += timedelta(days=1)

    def _ingest(self, account_id: str, number: int) -> None:
        events: list[Event] = day_of_events(account_id, self._until, A_DAY, 1 + number % 7, "lived")
        for at, event in enumerate(events):
            if at >= 3:  # the first three names are milestones or nearly so
                feature = (at + self._until.toordinal() * A_DAY) % (EVENT_NAMES - 3)
                events[at] = replace(event, name=f"feature_{feature:02d}_used")
        ingest(events, Settings(), datetime.combine(self._until + timedelta(days=1), time(1), UTC))


def score(run: Any, customers: int) -> None:
    """Do one night's work on the accounts."""
    result = process_scan_part(run, 0, 1, keep_going=lambda: True, logger=LOGGER)
    totals: Any = getattr(result, fields(result)[0].name)
    assert totals.complete
    assert totals.scored == customers, totals


def sizes(table: str) -> float:
    """Bytes of the accounts' items, at the mean."""
    items = dynamodb().scan(TableName=table)["Items"]
    return mean(map(item_bytes, items))


def main(customers: int, first: date, *, daily: bool) -> None:
    """Answer commands until there are no more."""
    life = Life(customers, first, daily=daily)
    for line in sys.stdin:
        *meter, instant = line.split()
        as_of = datetime.fromisoformat(instant)
        life.live_until(as_of.date())
        run = plan_run({"time": as_of.isoformat()}, as_of)
        answer: dict[str, float] = {}
        if meter:
            with metered() as counted:
                score(run, customers)
            answer["calls"] = counted.calls / customers
            answer["reads"] = counted.reads / customers
            answer["writes"] = counted.writes / customers
            answer["index writes"] = counted.index_writes / customers
            answer["item bytes"] = sizes(os.environ["ACCOUNTS_TABLE"])
        else:
            answer["cpu"] = cpu_ms(lambda run=run: score(run, customers)) / customers
        print(json.dumps(answer), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]), date.fromisoformat(sys.argv[2]), daily="daily" in sys.argv)
