"""Send years of real events over HTTP, and compare every score that comes back with a recomputation from the raw file.

`make e2e`, or for instance `.venv/bin/python -m tests.e2e.real_input --sample 3`. The events are those of
tests/data/repo-activity.jsonl.gz: the activity of 12 public projects, each as one customer account. It

1. sends them to an empty workspace: shuffled, in batches, by 4 senders at once, some events twice, some batches
   compressed, some events broken;
2. asks for health as of the ends of the past 36 months, of every 30 days of each account's life (so that each event is
   counted in exactly one of these windows), amid active days, at turning points, and around every limit of recency;
3. changes the milestones in the settings, and asks again;
4. runs nights in a row around the day when an account falls silent, and checks trends and drivers of every evening.

It prints every difference; with any, the exit status is 1.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from contextlib import closing, nullcontext
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.e2e import comparing, naive, nights, sending, server
from tests.e2e.client import Client, account_path
from tests.e2e.reporting import Result, report

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DATA = Path(__file__).parents[1] / "data" / "repo-activity.jsonl.gz"
KEY = "local-admin"
MILESTONES = ("change_merged", "release_published", "account_created")
OTHER_MILESTONES = ("release_published", "change_committed", "change_merged", "account_created")
RETENTION_MARGIN_DAYS = 60
LISTED = 20


class Run:
    """One run against one workspace."""

    def __init__(self, url: str, rows: Sequence[dict[str, str]], zone: tzinfo, seed: int) -> None:
        self._zone = zone
        self._url = url
        self._rows = rows
        self._seed = seed
        self._accounts = naive.read_events(rows, zone)
        self._client = Client(url, KEY)
        self._now = datetime.now(UTC)
        self.result = Result(accounts=len(self._accounts))

    def run(self) -> Result:
        with closing(self._client):
            _say(f"Sending {len(self._rows):,} events of {len(self._accounts)} accounts …")
            self._choose(MILESTONES)
            self.result.sent = sending.send(self._url, KEY, self._rows, self._seed)
            self.result.mismatches += self.result.sent.faults()
            _say("Asking for scores …")
            started = time.perf_counter()
            self._ask_all()
            self.result.asking_seconds = time.perf_counter() - started
            _say("Running nights …")
            self._run_nights()
        return self.result

    def _choose(self, milestones: Sequence[str]) -> None:
        oldest = min(events[0].day for events in self._accounts.values())
        retention_days = (self._now.date() - oldest).days + RETENTION_MARGIN_DAYS
        settings = {"retention_days": retention_days, "milestones": milestones, "timezone": str(self._zone)}
        self._client.call("PUT", "/v1/settings", settings)

    def _ask_all(self) -> None:
        chance = random.Random(self._seed)
        month_ends = comparing.month_ends(self._now.astimezone(self._zone).date(), self._zone)
        for account, events in self._accounts.items():
            self._compare("ends of the past 36 months", account, month_ends)
            counted = self._compare(
                "ends of every 30 days of its life", account, comparing.whole_life(events, self._zone)
            )
            if counted != len(events):
                self.result.mismatches.append(f"{account}: {counted} events counted in all, of {len(events)}")
            self._compare("amid active days", account, comparing.amid_days(events, chance))
            self._compare("turning points", account, comparing.turning_points(events, MILESTONES))
            self._compare("limits of recency", account, comparing.fading(events, self._now))
        self._choose(OTHER_MILESTONES)
        for account, events in self._accounts.items():
            instants = [*month_ends[::6], *comparing.turning_points(events, OTHER_MILESTONES)]
            self._compare("with other milestones chosen", account, instants, OTHER_MILESTONES)
        self._choose(MILESTONES)

    def _compare(
        self, kind: str, account: str, instants: Iterable[datetime], milestones: Sequence[str] = MILESTONES
    ) -> int:
        """Compare answers with recomputations; returns the number of events in all the windows."""
        events = 0
        for as_of in instants:
            expected = naive.score(self._accounts[account], as_of, milestones, self._zone)
            answer = self._health(account, as_of)
            events += answer["components"]["activity"]["facts"]["events"]
            found = comparing.differences(comparing.expected_answer(account, expected, milestones), answer)
            self.result.mismatches += [f"{account} as of {as_of}: {difference}" for difference in found]
            self.result.compared[kind] = self.result.compared.get(kind, 0) + 1
        return events

    def _health(self, account: str, as_of: datetime) -> Any:
        return self._client.get(f"{account_path(account)}/health", as_of=as_of.isoformat())

    def _run_nights(self) -> None:
        started = time.perf_counter()
        self.result.nights = nights.run(self._client, self._accounts, MILESTONES, self._zone)
        self.result.nights_seconds = time.perf_counter() - started
        self.result.mismatches += self.result.nights.mismatches


def main() -> int:
    """Run with the options of the command line.

    Returns:
        The exit status: 1 if anything differs.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.real_input", description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", type=int, metavar="N", help="only the N smallest accounts, whole (all)")
    parser.add_argument("--timezone", type=ZoneInfo, default=ZoneInfo("UTC"), help="the workspace's time zone (UTC)")
    parser.add_argument("--seed", type=int, default=1, help="of everything left to chance (1)")
    parser.add_argument(
        "--engine", choices=server.ENGINES, default=server.fastest_engine(), help="where the tables are (%(default)s)"
    )
    parser.add_argument("--url", help="an empty local stack that is running already, instead of one started here")
    parser.add_argument("--report", type=Path, help="write the report to this file instead of standard output")
    options = parser.parse_args()
    with nullcontext(options.url) if options.url else server.running(options.engine) as url:
        result = Run(url, read_rows(options.sample), options.timezone, options.seed).run()
    text = report(result, engine=options.url or options.engine, zone=options.timezone)
    if options.report:
        options.report.write_text(text)
    else:
        sys.stdout.write(text)
    for mismatch in result.mismatches[:LISTED]:
        _say(mismatch)
    return 1 if result.mismatches else 0


def read_rows(sample: int | None) -> list[dict[str, str]]:
    """The raw events of all accounts, or only of the `sample` accounts with the fewest events."""
    rows = naive.read_file(DATA)
    sizes = Counter(row["account_id"] for row in rows)
    chosen = {account for account, _ in sizes.most_common()[: -(sample or len(sizes)) - 1 : -1]}
    return [row for row in rows if row["account_id"] in chosen]


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
