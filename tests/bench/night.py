"""How many accounts a night scores per CPU-second, beside one SQL statement over the same events."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

from healthscore import nightly
from healthscore.core.timeline import DAY
from healthscore.ingest import ingest
from healthscore.settings import Settings
from healthscore.storage import accounts, workspace
from tests.bench import postgres
from tests.bench.engine import Meter, metered, recorded
from tests.bench.measuring import Section, Table, cpu_ms, verdict
from tests.bench.usage import day_of_events
from tests.support.gateway import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from healthscore.core.model import Event

TARGET = 500
LOGGER = Logger(service="bench", level="CRITICAL")


def measure(*, customers: int = 100, days: int = 40, a_day: int = 10, nights: int = 7) -> Section:
    """Run nights over the same accounts, and the last of them in PostgreSQL as well."""
    first = NOW.date() - days * DAY
    ids = [f"customer-{number:05d}" for number in range(customers)]
    events: list[Event] = []
    workspace.fix_timezone()
    for number, account_id in enumerate(ids):
        # From the busy to the quiet: some are active daily, some now and then, some fell silent.
        active = range(0, days - (number % 4) * 3, 1 + number % 5)
        of_account = [
            event
            for back in active
            for event in day_of_events(account_id, first + back * DAY, a_day, 1 + number % 7, "night")
        ]
        ingest(of_account, Settings(), NOW)
        events += of_account
    instants = [datetime.combine(NOW.date() - back * DAY, time(2), UTC) for back in range(nights, -1, -1)]
    worker, client, watched_calls, meter = [], [], [], Meter()
    for number, as_of in enumerate(instants):
        with metered() if number == nights else recorded() as watched:
            taken = cpu_ms(lambda as_of=as_of: _run(as_of, customers))
        if number == nights:
            meter = watched
        elif number > 1:  # the first nights warm up, and have no night before them
            worker.append(taken)
            watched_calls = watched
            client.append(cpu_ms(lambda watched=watched: _again(watched)))
    worker_ms, client_ms = (sorted(values)[len(values) // 2] / customers for values in (worker, client))
    rate, most = 1000 / worker_ms, 1000 / client_ms
    rows = [
        [
            "the nightly worker",
            f"{worker_ms:.2f}",
            f"{rate:,.0f}",
            f"≥ {TARGET}, {verdict(rate, TARGET, at_least=True)}",
        ]
    ]
    rows.append(["the bare client making the same calls", f"{client_ms:.2f}", f"{most:,.0f}", ""])
    sql = postgres.score_all(events, instants[-1])
    about_sql = sql if isinstance(sql, str) else _ABOUT_SQL.format(events=len(events))
    if not isinstance(sql, str):
        ours = {account.account_id: account.latest.score for account in accounts.scan(0, 1) if account.latest}
        assert sql.scores == {name: ours[name] for name in sql.scores}
        sql_ms = sql.cpu_ms / customers
        rows.append(["one SQL statement in PostgreSQL", f"{sql_ms:.3f}", f"{1000 / sql_ms:,.0f}", ""])
    units = Table(
        ["call", "units an account"],
        [
            [call, f"{total / customers:.2f}"]
            for call, total in sorted(meter.by_call.items())
            if total >= customers / 100
        ],
    )
    figures = {
        "night cpu": worker_ms,
        "night reads": meter.reads / customers,
        "night writes": meter.writes / customers,
    }
    main = Table(["who", "CPU ms an account", "accounts per CPU-second", "target"], rows)
    about = _ABOUT.format(customers=customers, a_day=a_day, days=days, nights=nights - 2)
    calls = len(watched_calls) / customers
    why = _ABOUT_RATE.format(calls=calls, each=client_ms / calls, ours=max(worker_ms - client_ms, 0), most=most)
    return Section("A night", [about, main, why, about_sql, _ABOUT_UNITS, units], figures)


_ABOUT = """{customers} accounts, {a_day} events on each active day of the {days} before, some daily, some rarer, some
silent for a while. The worker scans, reads each account's month, scores, keeps the snapshot, decides on alerts,
stores them and enters the score in the account, over real connections, with its eight threads; the median of {nights}
nights. *The bare client* makes exactly the worker's calls again, as many at once, and does nothing else with the
answers: the AWS client's own work, such as signing, serialising, the HTTP exchange and parsing, is the floor of any
code that asks so often."""
_ABOUT_RATE = """An account takes {calls:.1f} calls, {each:.2f} ms of CPU each in the client alone, which by itself
gets to {most:,.0f} accounts per CPU-second; what is our own, scoring and alerts and reading what was stored, is the
{ours:.2f} ms on top. So the rate is a matter of how many calls an account takes, and not of how it is scored."""
_ABOUT_SQL = """The SQL statement scores the same {events:,} events as of the same instant, sessions, milestones and
recency included, and inserts the snapshots; its scores were held against ours, and they are the same. It is far
faster, and no wonder: it runs beside its data, and asks nobody over a network. It leaves out explanations, alerts and
the trend, but these would not change the picture. What the difference buys: no server that is paid for around the
clock, patched, sized and failed over; a night that is as long for a hundred times the accounts, since segments run
side by side; a worker that may die anywhere; and the same code for the night, the page and any past instant. Somebody
who has such a database with all events in it, and only wants the numbers, should use it."""
_ABOUT_UNITS = """What the engine says a night consumes, the indexes of the book included (they are updated where the
score, or when an account was last seen, has changed):"""


def _run(as_of: datetime, customers: int) -> None:
    run = nightly.start({"time": as_of.isoformat()}, NOW)
    tally = nightly.run_segment(run, 0, 1, keep_going=lambda: True, logger=LOGGER).tally
    assert tally.complete
    assert tally.scored == customers, tally


def _again(calls: Iterable[Callable[[], object]]) -> None:
    """Make calls again, as many at once as the worker; conditions fail now, which costs the client about the same."""
    with ThreadPoolExecutor(nightly.WORKERS) as pool:
        deque(pool.map(_made, calls), maxlen=0)


def _made(call: Callable[[], object]) -> None:
    try:
        call()
    except Exception as error:
        if "ConditionalCheckFailed" not in str(error):
            raise
