"""The tasks of the state machine that runs a night of any size: start, one segment after the other, end.

What goes through the state machine stays small: a worker answers with the task that is left to do, and keeps what it
has counted in a table, where the end of the night adds it up.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from healthscore.core.nightly.run_totals import RunTotals
from healthscore.core.time import format_instant, parse_instant
from healthscore.services.nightly.finish import finish
from healthscore.services.nightly.process import Run, run_segment, start
from healthscore.storage import workspace
from healthscore.storage.accounts import existence
from healthscore.storage.runs import runs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from aws_lambda_powertools import Logger

    from healthscore.services.notifications.outbox import Outbox

ACCOUNTS_PER_SEGMENT = 5000
"""So many take a worker less than a minute: what fails is small, and quickly done again."""
SEGMENTS = 1000
"""At most. Their numbers travel through the state machine, whose inputs end at 256 KB."""
WORKER_RESULTS_KEPT = timedelta(days=3)
"""How long what workers have counted is there to be looked at."""


def begin(event: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Pin what a run is for, and divide the accounts.

    Args:
        event: `{"task": "start", "event": what nightly.start takes, "execution": a name unlike any other run's}`.
        now: the instant of the call.

    Returns:
        `run`, which every other task is given; `segments`, their number; `numbers`, one a segment.

    Raises:
        ValueError: the event makes no sense; the message says why.
        StorageUnavailableError: the workspace cannot be read or written now.
    """
    asked = {name: value for name, value in event["event"].items() if value is not None}
    run = start(asked, now)
    segments = min(max(-(-runs.accounts_about() // ACCOUNTS_PER_SEGMENT), 1), SEGMENTS)
    return {
        "run": {
            "day": run.day.isoformat(),
            "as_of": format_instant(run.as_of),
            "backfill": run.backfill,
            "execution": event["execution"],
        },
        "segments": segments,
        "numbers": list(range(segments)),
    }


def work(task: Mapping[str, Any], now: datetime, *, keep_going: Callable[[], bool], logger: Logger) -> dict[str, Any]:
    """Work on a segment until it is done or time is nearly up.

    Args:
        task: `run` as of `begin`; `segment` of `segments`; `chunk`, the workers that were on it before; and `resume`,
            the account behind which to go on, or null.
        now: the instant of the call.
        keep_going: asked before each account; False leaves the rest to the next worker.
        logger: told of each failure.

    Returns:
        The task for the next worker, or the same with `"done": true`.

    Raises:
        StorageUnavailableError: the tables cannot be read or written now; the same task may be tried again.
    """
    worked = run_segment(
        _run(task["run"]),
        task["segment"],
        task["segments"],
        keep_going=keep_going,
        logger=logger,
        after=task["resume"],
    )
    totals = worked.totals
    part = (task["run"]["execution"], task["segment"], task["chunk"])
    existence.save_naming(totals, lambda totals: runs.put_worker_result(*part, totals, now + WORKER_RESULTS_KEPT))
    done = totals.complete
    return {**task, "chunk": task["chunk"] + 1, "resume": None if done else worked.last, "done": done}


def end(task: Mapping[str, Any], outbox: Outbox, *, keep_going: Callable[[], bool]) -> dict[str, Any]:
    """Add up what the workers have counted, and end the night; see `night_end.finish`.

    Args:
        task: `run` and `segments` as of `begin`.
        outbox: where messages go out.
        keep_going: asked before each message.
    """
    total, done = RunTotals(), set()
    for segment, _, part in runs.parts(task["run"]["execution"]):
        if part.complete:
            done.add(segment)
        total.merge(part)
    # That a worker had to hand on leaves nothing incomplete once the next one has come to the end.
    total.complete = True
    missing = sorted(set(range(task["segments"])) - done)
    return finish(_run(task["run"]), [total], outbox, keep_going=keep_going, missing=missing, segments=task["segments"])


def _run(pinned: Mapping[str, Any]) -> Run:
    return Run(
        day=date.fromisoformat(pinned["day"]),
        as_of=parse_instant(pinned["as_of"]),
        settings=workspace.settings().settings,
        backfill=pinned["backfill"],
    )
