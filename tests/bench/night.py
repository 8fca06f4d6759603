"""Accounts that a night scores per CPU-second, compared with one SQL statement over the same events."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from aws_lambda_powertools import Logger

from healthscore.core.time import DAY
from healthscore.services.ingestion.events import ingest
from healthscore.services.nightly import process
from healthscore.services.nightly.plan import plan_run
from healthscore.settings import Settings
from healthscore.storage import workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.client import dynamodb
from tests.bench import costs, lived_nights, older, postgres
from tests.bench.by_hand import by_hand
from tests.bench.engine import Meter, metered, recorded
from tests.bench.measuring import Section, Table, cpu_ms, verdict
from tests.bench.usage import day_of_events
from tests.support.gateway import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from healthscore.core.model import Event

TARGET = 500
LOGGER = Logger(service="bench", level="CRITICAL")


class Compared(NamedTuple):
    """The size of the comparison with an older version."""

    customers: int = 100
    before: int = 31
    """Nights that are not measured: an account keeps the scores of thirty."""
    timed: int = 7
    metered: int = 3


COMPARED = Compared()


def measure(
    *, customers: int = 100, days: int = 40, a_day: int = 10, nights: int = 7, compared: Compared = COMPARED
) -> Section:
    """Run nights over the same accounts, score the last one in PostgreSQL too, and compare with an older version."""
    first = NOW.date() - days * DAY
    ids = [f"customer-{number:05d}" for number in range(customers)]
    lived: dict[date, list[list[Event]]] = {first + day * DAY: [] for day in range(days)}
    workspace.fix_timezone()
    for number, account_id in enumerate(ids):
        # Some accounts are active daily, some less often, some fell silent.
        for day in range(0, days - (number % 4) * 3, 1 + number % 5):
            of_day = day_of_events(account_id, first + day * DAY, a_day, 1 + number % 7, "night")
            lived[first + day * DAY].append(of_day)
    events = [event for of_day in lived.values() for batch in of_day for event in batch]
    instants = [datetime.combine(NOW.date() - back * DAY, time(2), UTC) for back in range(nights, -1, -1)]
    worker, client, hand, watched_calls, meter = [], [], [], [], Meter()
    for number, as_of in enumerate(instants):
        for day in [day for day in lived if day < as_of.date()]:
            for batch in lived.pop(day):
                ingest(batch, Settings(), as_of)
        with metered() if number == nights else recorded() as watched:
            taken = cpu_ms(lambda as_of=as_of: _run(as_of, customers))
        if number == nights:
            meter = watched
        elif number > 1:  # the first nights warm up, and have no earlier snapshot
            worker.append(taken)
            watched_calls = watched
            client.append(cpu_ms(lambda watched=watched: _again(watched)))
            with by_hand(watched, dynamodb().meta.endpoint_url) as bare:
                hand.append(cpu_ms(lambda bare=bare: _again(bare)))
    worker_ms, client_ms, hand_ms = (median(values) / customers for values in (worker, client, hand))
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
    rows.append(["the same calls made by hand", f"{hand_ms:.2f}", f"{1000 / hand_ms:,.0f}", ""])
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
    own = max(worker_ms - client_ms, 0)
    why = _ABOUT_RATE.format(
        calls=calls,
        each=client_ms / calls,
        ours=own,
        most=most,
        floor=hand_ms / calls,
        possible=1000 / (hand_ms + own),
        cpu_dollars=worker_ms / 1000 * costs.CORE_MB / 1024 * costs.GB_SECOND,
        write_dollars=meter.writes / customers * costs.WRITE_UNIT,
    )
    return Section("A night", [about, main, why, about_sql, _ABOUT_UNITS, units, *_beside_older(compared)], figures)


WITH_RISK = {"customers": 30, "before": 3, "timed": 7, "metered": 7, "history": 300, "daily": True}
"""The comparison with the version without early warning: a week of nights, of which one is a Monday's."""


def with_risk(size: Mapping[str, Any] = WITH_RISK) -> Section:
    """What early warning adds to a night, of accounts that are active every day."""
    title = "A night's early warning"
    versions = older.nights(commit=older.WITHOUT_RISK, **size)
    if versions is None:
        return Section(title, [older.NOT_AT_HAND], {})
    without, now = versions
    shown = [("calls", "calls"), ("read units", "reads"), ("write units", "writes")]
    rows = [
        [what, f"{without.mean(name):.2f}", f"{now.mean(name):.2f}", f"+{now.mean(name) - without.mean(name):.2f}"]
        for what, name in shown
    ]
    ratio = now.median("cpu") / without.median("cpu")
    rows.append(
        [
            "CPU ms",
            f"{without.median('cpu'):.2f}",
            f"{now.median('cpu'):.2f}",
            f"{ratio:.2f} times, {verdict(ratio, 1.6, at_least=False)}",
        ]
    )
    about = _ABOUT_RISK.format(commit=older.WITHOUT_RISK, **size)
    table = Table(["an account and night", "without", "with early warning", "more"], rows)
    return Section(title, [about, table], {"risk cpu ratio": ratio})


def _beside_older(compared: Compared) -> list[object]:
    versions = older.nights(**compared._asdict())
    if versions is None:
        return [older.NOT_AT_HAND]
    about = _ABOUT_OLDER.format(commit=older.COMMIT, names=lived_nights.EVENT_NAMES, **compared._asdict())
    return [about, Table(["an account and night", "before", "now", "ratio"], older.rows(versions))]


_ABOUT = """{customers} accounts with {a_day} events on each active day of the {days} days before; some are active
daily, some less often, some fell silent. The worker scans, copies the snapshots that it is about to replace into the
history, reads each account's month, folds its use, scores, decides on alerts, and saves the score in the account,
with its alerts, over real connections, with its eight threads;
the median of {nights} nights. *The bare client* repeats exactly the
worker's calls, as many at once, and ignores the answers: signing, serialising, the HTTP exchange and parsing are the
minimum for any code that makes so many calls with boto3. *By hand* is explained below."""
_ABOUT_RATE = """An account takes {calls:.2f} calls: a query for its month, and an update of its item, which holds the
snapshot; after a week in which it was active, two puts of its use; a share of a batch that copies 25
snapshots into the history; and sometimes one more, for an alert, for a last event long ago, or for a page of the scan.
Each takes
{each:.2f} ms of CPU in the client, which alone would reach {most:,.0f} accounts per CPU-second; our own code (scoring,
alerts, decoding) takes {ours:.2f} ms more. So the rate depends on the number of calls per account and on boto3's time
for one.

Fewer calls would be worse. The update has a condition, which keeps the first score of a night, and batched writes take
none. Batched statements (PartiQL) do, but are untested: moto, which `make run` and most tests use, reads all tables for
each of them. A query reads one account's days, and keys that are read in a batch would have to be known. And boto3
stays. The
same calls made by hand, with only botocore's signature and the standard library's HTTP and JSON, took {floor:.2f} ms
each, which would bring the worker to {possible:,.0f} accounts per CPU-second; but then retries, time-outs, rotating
credentials and HTTP errors would be our work. The CPU for a million accounts costs ${cpu_dollars:.2f}, and their writes
${write_dollars:.2f}: there is nothing to gain."""
_ABOUT_SQL = """The SQL statement scores the same {events:,} events as of the same instant, with sessions, milestones
and recency, and inserts the snapshots; its scores equal ours. It is far faster because it runs next to its data,
without a network. It leaves out explanations, alerts and the trend, which would not change the comparison. For the
difference you get: no server to pay around the clock, patch, size and fail over; a night that takes as long for a
hundred times the accounts, since the parts of the scan run in parallel; a worker that may crash anywhere; and the same
code for the night, the page and any past instant. If you have such a database with all events in it and only want the
numbers, use it."""
_ABOUT_OLDER = """Beside the version of `{commit}`, which put each snapshot by a call of its own and stored it as text:
{customers} accounts that have lived, with profiles, CRM facts, {names} event names and the scores of 30 nights. Both
versions run the same nights in turn, each in a process of its own, after {before} that are not measured; the medians of
{timed} nights for the CPU time and of {metered} others for the rest. Indexes are those of the book and of alerts."""
_ABOUT_RISK = """Beside the version of `{commit}`, which folds no use and judges no risk: {customers} accounts of
{history} days that are active every day, with ten events of 20 names, CRM facts and profiles. Both versions run the
same nights in turn, each in a process of its own; the CPU is the median of {timed} nights, the rest the mean of
{metered} others, a week with its Monday, in whose night the week is summed. The goal is 1.6 times the CPU, 1.5 write
units and 1 read unit more."""
_ABOUT_UNITS = """The units that a night consumes according to the engine, with the indexes of the book (a night updates
them where the score or the time of the last event has changed):"""


def _run(as_of: datetime, customers: int) -> None:
    run = plan_run({"time": as_of.isoformat()}, NOW)
    totals = process.process_scan_part(run, 0, 1, keep_going=lambda: True, logger=LOGGER).totals
    assert totals.complete
    assert totals.scored == customers, totals


def _again(calls: Iterable[Callable[[], object]]) -> None:
    """Repeat calls, as many at once as the worker; their conditions now fail, which costs the client as much."""
    with ThreadPoolExecutor(process.WORKERS) as pool:
        deque(pool.map(_made, calls), maxlen=0)


def _made(call: Callable[[], object]) -> None:
    try:
        call()
    except Exception as error:
        if "ConditionalCheckFailed" not in str(error):
            raise
