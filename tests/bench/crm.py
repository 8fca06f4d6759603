"""Reads a large HubSpot account, then its changes, with crashes: the facts must be exact, and the limits kept.

    python -m tests.bench.crm --companies 100000

The account is a fake behind a real port, in virtual time. The figures count calls, records and the account's own
seconds, so they are the same on every machine. Tests run a small account the same way.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from healthscore.integrations.crm.hubspot import HubSpot, HubSpotOptions
from tools.fakes.hubspot import FakeHubSpot
from tools.fakes.server import Call, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthscore.core.model import CrmFacts
    from healthscore.integrations.crm.protocol import Cursor

Expected = dict[str, tuple[int, int, bool]]
"""Open tickets, those of high priority, and whether a deal is active, by company."""


@dataclass(frozen=True)
class Figures:
    """The results of a run."""

    companies: int
    wrong: int
    """Companies whose facts differ from those in the account."""
    calls: int
    kills: int
    seconds: float
    """Of the account's own time, which its limits decide."""
    most_in_10_seconds: int
    most_searches_in_a_second: int
    read: dict[str, int]
    refused: int
    """Calls that were refused because of the limits, or failed."""


class Account:
    """A HubSpot account of some size, with a copy of its content to compare with."""

    def __init__(self, fake: FakeHubSpot, companies: int, seed: int) -> None:
        self.fake = fake
        self.random = random.Random(seed)
        self.open: Counter[str] = Counter()
        self.high: Counter[str] = Counter()
        self.deals: Counter[str] = Counter()
        self.companies = [fake.add("companies", domain=f"c{number}.com") for number in range(companies)]
        self._domains = {name: f"c{number}.com" for number, name in enumerate(self.companies)}
        self.tickets: dict[str, tuple[str, bool, bool]] = {}
        for _ in range(companies * 3 // 2):
            self.add_ticket(self.random.choice(self.companies))
        for _ in range(companies * 3 // 2):
            self.add_deal(self.random.choice(self.companies))

    def domain(self, company: str) -> str:
        """The domain of a company."""
        return self._domains[company]

    def expected(self) -> Expected:
        return {name: (self.open[name], self.high[name], self.deals[name] > 0) for name in self.companies}

    def add_ticket(self, company: str) -> None:
        is_open, high = self.random.random() < 0.4, self.random.random() < 0.2
        stage, priority = "1" if is_open else "4", "HIGH" if high else "LOW"
        ticket = self.fake.add("tickets", company, hs_pipeline_stage=stage, hs_ticket_priority=priority)
        self.tickets[ticket] = company, is_open, high
        self.open[company] += is_open
        self.high[company] += is_open and high

    def close_ticket(self, ticket: str) -> None:
        company, was_open, high = self.tickets[ticket]
        self.fake.change("tickets", ticket, hs_pipeline_stage="4")
        self.tickets[ticket] = company, False, high
        self.open[company] -= was_open
        self.high[company] -= was_open and high

    def add_deal(self, company: str) -> None:
        is_open = self.random.random() < 0.5
        self.fake.add("deals", company, dealstage="appointmentscheduled" if is_open else "closedlost")
        self.deals[company] += is_open

    def a_day(self, changes: int, hours: float = 24) -> None:
        """Open and close tickets and add deals, spread over a day."""
        known = list(self.tickets)
        for _ in range(changes):
            self.fake.clock.sleep(hours * 3600 / changes)
            match self.random.randrange(3):
                case 0:
                    self.add_ticket(self.random.choice(self.companies))
                case 1:
                    self.close_ticket(self.random.choice(known))
                case _:
                    self.add_deal(self.random.choice(self.companies))


def trouble(seed: int) -> Any:
    """A hook that lets about every fiftieth call fail once."""
    chance = random.Random(seed)

    def before(_call: Call) -> Reply | None:
        return Reply(502) if chance.random() < 0.02 else None

    return before


def read(account: Account, cursor: Cursor | None, *, full: bool, kill_every: int) -> tuple[Figures, Cursor]:
    """Read with a crash after every `kill_every` pages, and compare with the content of the account."""
    fake = account.fake
    fake.calls.clear()
    fake.read.clear()
    fake.burst.most = fake.searches.most = 0
    began, found, kills, last = fake.clock.now(), {}, 0, cursor
    while True:
        hubspot = HubSpot(HubSpotOptions(), fake.token, fake.url, fake.clock)
        pages = hubspot.full(last) if full else hubspot.changes(last or {})
        done = False
        for page in islice(pages, kill_every):
            found |= {company.company_id: facts_of(company.facts) for company in page.companies}
            last, done = page.cursor, page.done
        hubspot._api._client.close()
        if done:
            break
        kills += 1
        # A new process does not know the calls of the crashed one.
        fake.clock.sleep(10)
    expected = account.expected()
    names = expected if full else found
    figures = Figures(
        companies=len(found),
        wrong=sum(found.get(name) != expected[name] for name in names),
        calls=len(fake.calls),
        kills=kills,
        seconds=(fake.clock.now() - began).total_seconds(),
        most_in_10_seconds=fake.burst.most,
        most_searches_in_a_second=fake.searches.most,
        read=dict(fake.read),
        refused=fake.refusals,
    )
    return figures, last or {}


def facts_of(found: CrmFacts) -> tuple[int, int, bool]:
    """Open tickets, those of high priority, and whether a deal is active, as `Expected` has them."""
    return found.open_tickets or 0, found.high_priority_open or 0, bool(found.active_deal)


def run(companies: int, changes: int, *, seed: int = 1, kill_every: int = 7) -> Iterator[tuple[str, Figures]]:
    """Read everything, then a day of changes; yields the figures of each."""
    with FakeHubSpot() as fake:
        account = Account(fake, companies, seed)
        fake.clock.sleep(7200)
        fake.lag = timedelta(seconds=40)
        fake.before = trouble(seed)
        full, cursor = read(account, None, full=True, kill_every=kill_every)
        yield "everything", full
        account.a_day(changes)
        fake.clock.sleep(60)
        day, _ = read(account, cursor, full=False, kill_every=kill_every)
        yield "a day of changes", day


def main() -> int:
    """Print the figures of each run."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.crm", description="Read a large HubSpot account.")
    parser.add_argument("--companies", type=int, default=100_000)
    given = parser.parse_args()
    started = time.perf_counter()
    wrong = 0
    for name, figures in run(given.companies, given.companies // 20):
        wrong += figures.wrong
        print(f"{name} ({time.perf_counter() - started:.0f} s of this machine)")  # noqa: T201
        for field in figures.__dataclass_fields__:
            print(f"  {field:26} {getattr(figures, field)}")  # noqa: T201
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
