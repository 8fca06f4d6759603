"""The standard score as one SQL statement, in a temporary PostgreSQL server."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from healthscore.core.model import Event

MISSING = "PostgreSQL is not installed here (initdb, postgres and psql), so there is nothing beside it."

_SCHEMA = """
create table events (account_id text, user_id text, session_id text, name text, at timestamptz);
create table snapshots (
    account_id text, day date, score int, activity int, engagement int, milestones int, recency int
);
"""
_SCORE = """
insert into snapshots
with windowed as (
    select account_id, at, at::date as day, user_id, session_id
    from events
    where at >= '{as_of}'::date - 29 and at <= '{as_of}'
), sessions as (
    select account_id, count(*) as events, extract(epoch from max(at) - min(at)) as seconds
    from windowed group by account_id, day, user_id, session_id
), depth as (
    select account_id, avg(seconds) as seconds, avg(events) as events from sessions group by account_id
), usage as (
    select account_id, count(*) as events, count(distinct day) as days from windowed group by account_id
), ever as (
    select account_id, '{as_of}'::timestamptz - max(at) as silence,
        count(distinct name) filter (
            where name in ('account_created', 'first_feature_used', 'integration_connected')
        ) as reached
    from events where at <= '{as_of}' group by account_id
), components as (
    select account_id,
        case when coalesce(usage.events, 0) = 0 then 0 when usage.events <= 5 then 20 when usage.events <= 15 then 40
            when usage.events <= 30 then 60 when usage.events <= 50 then 80 else 100 end as activity,
        floor(coalesce(least(depth.seconds / 300, 1) * 40 + least(depth.events / 10, 1) * 40, 0)
            + coalesce(usage.days, 0) / 30.0 * 20 + 0.5)::int as engagement,
        (array[0, 50, 75, 100])[1 + reached] as milestones,
        case when silence < interval '1 day' then 100 when silence <= interval '3 days' then 80
            when silence <= interval '7 days' then 60 when silence <= interval '14 days' then 40
            when silence <= interval '30 days' then 20 else 0 end as recency
    from ever left join usage using (account_id) left join depth using (account_id)
)
select account_id, '{as_of}'::date,
    floor((40 * activity + 30 * engagement + 20 * milestones + 10 * recency) / 100.0 + 0.5)::int,
    activity, engagement, milestones, recency
from components;
"""


@dataclass(frozen=True)
class Scored:
    """The statement's scores and its CPU time."""

    scores: dict[str, int]
    cpu_ms: float


def score_all(events: Sequence[Event], as_of: datetime, rounds: int = 9) -> Scored | str:
    """Score all accounts as of an instant; returns a sentence where PostgreSQL is not installed."""
    if (programs := _programs()) is None:
        return MISSING
    rows = "\n".join(
        "\t".join([one.account_id, str(one.user_id), str(one.session_id), one.name, one.at.isoformat()])
        for one in events
    )
    statement = _SCORE.replace("{as_of}", as_of.strftime("%Y-%m-%d %H:%M:%S+00"))
    # One server process, so that its CPU is all there is; the server itself reports the times.
    timed = f"set log_statement_stats = on; set client_min_messages = log;\n{statement}\nreset client_min_messages;"
    script = [_SCHEMA, f"copy events from stdin;\n{rows}\n\\.", "create index on events (account_id, at); analyze;"]
    script += ["set max_parallel_workers_per_gather = 0;", *(f"truncate snapshots; {timed}" for _ in range(rounds))]
    script += ["copy (select account_id, score from snapshots) to stdout;"]
    with _server(programs) as psql:
        done = psql("\n".join(script))
    scores = dict(line.split("\t") for line in done.stdout.splitlines() if "\t" in line)
    taken = [float(user) + float(system) for user, system in _CPU.findall(done.stderr)]
    statements = sorted(taken)[-rounds:]  # the server also reports the resetting of the option, which takes no time
    return Scored({name: int(score) for name, score in scores.items()}, sorted(statements)[rounds // 2] * 1000)


_CPU = re.compile(r"\t([\d.]+) s user, ([\d.]+) s system, [\d.]+ s elapsed")


def _programs() -> Path | None:
    """The folder of the server's programs."""
    folders = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


@contextlib.contextmanager
def _server(programs: Path) -> Iterator[Any]:
    """A server on a socket in its own folder. It refuses to run as root; root therefore starts it as nobody."""
    owner = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        shutil.chown(home, owner)
        as_owner: dict[str, Any] = {
            "user": owner,
            "cwd": home,
            "env": {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"},
        }
        data = Path(home) / "data"
        init = [programs / "initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(init, check=True, capture_output=True, **as_owner)
        start = [programs / "postgres", "-D", data, "-k", home, "-c", "listen_addresses=", "-c", "shared_buffers=256MB"]
        with subprocess.Popen(start, stderr=subprocess.PIPE, text=True, **as_owner) as server:
            assert server.stderr is not None
            for line in server.stderr:
                if "ready to accept connections" in line:
                    break

            def psql(script: str) -> subprocess.CompletedProcess[str]:
                command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", home, "-U", "bench", "postgres"]
                return subprocess.run(command, input=script, check=True, capture_output=True, text=True, **as_owner)

            try:
                yield psql
            finally:
                server.terminate()
