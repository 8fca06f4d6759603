"""The cost of a view of an account's score."""

from __future__ import annotations

import importlib.util
import io
import json
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Any

from healthscore.core.day_log.rollup import decode_rollup, encode_rollup
from healthscore.core.health import document, snapshot
from healthscore.core.model import CrmFacts
from healthscore.core.time import DAY
from healthscore.http.api_keys import key_hash
from healthscore.services.ingestion.events import ingest
from healthscore.services.scoring import assess_account
from healthscore.settings import Settings
from healthscore.storage import reads, schema, workspace
from healthscore.storage.accounts import accounts
from healthscore.storage.client import dynamodb, pages
from tests.bench.engine import ROOT, metered, recorded
from tests.bench.measuring import Section, Table, side_by_side, verdict
from tests.bench.usage import day_of_events
from tests.support.gateway import NOW, gateway_event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta

TARGET_MS = 4.0
TARGET_DAYS = 90
CASES = ((30, 100), (90, 100), (400, 100), (30, 10_000), (90, 10_000), (400, 10_000))
"""Days of history, and events a day."""
EVENTS_A_BATCH = 20
_KEY = "bench-read"


def measure(*, cases: Sequence[tuple[int, int]] = CASES, views: int = 20, rounds: int = 9) -> Section:
    """View accounts of each size, through the product's storage and through the whole function."""
    handler = _handler()
    workspace.add_key(workspace.ApiKey(key_hash(_KEY), "read", "bench", NOW, _KEY[-4:]))
    works: dict[str, Callable[[], object]] = {}
    reads = {}
    for days, events in cases:
        name = f"{days} {events}"
        account_id = f"viewed-{days}-{events}"
        _live(account_id, days, events)
        request = gateway_event("GET", f"/v1/accounts/{account_id}/health", key=_KEY)
        _answered(handler(request, _Context()))
        with metered() as meter:
            _answered(handler(request, _Context()))
        reads[name] = meter.reads
        with recorded() as calls:
            _score(account_id)
        works[f"score {name}"] = _repeated(lambda account_id=account_id: _score(account_id), views)
        works[f"function {name}"] = _repeated(lambda request=request: handler(request, _Context()), views)
        works[f"client {name}"] = _repeated(lambda calls=calls: [call() for call in calls], views)
    taken = {name: ms / views for name, ms in side_by_side(works, rounds).items()}
    rows, figures = [], {}
    for days, events in cases:
        name = f"{days} {events}"
        score, whole, client = (taken[f"{kind} {name}"] for kind in ("score", "function", "client"))
        target = f"{TARGET_MS:g}, {verdict(score, TARGET_MS)}" if days == TARGET_DAYS else ""
        rows.append([days, f"{events:,}", f"{reads[name]:g}", f"{score:.2f}", target, f"{client:.2f}", f"{whole:.2f}"])
        figures |= {f"score {name}": score, f"function {name}": whole, f"reads {name}": reads[name]}
    headings = ["days of history", "events a day", "read units", "CPU ms", "target", "of which the bare client"]
    table = Table([*headings, "the whole function"], rows)
    return Section("A view of a score", [_ABOUT, table, _why(taken, cases)], figures)


def _why(taken: Mapping[str, float], cases: Sequence[tuple[int, int]]) -> str:
    """The sentence that divides a view's CPU time, at the median of all cases."""
    score, client = (median(taken[f"{kind} {days} {events}"] for days, events in cases) for kind in ("score", "client"))
    return (
        f"So the AWS client's two calls are {client:.1f} of a view's {score:.1f} ms, at the median of these cases; "
        f"the other {max(score - client, 0):.1f} ms, which are ours, read 31 roll-ups and an account, "
        "score, and write the answer."
    )


_ABOUT = """The live score of an account that was active every day, with CRM facts and a snapshot for each night: the
CPU time to read the account and its window, to score and to explain. *The bare client* repeats the same calls and
ignores the answers, which is the minimum for any code around it. *The whole function* adds the rest of Lambda's
handler: routing, the key (remembered), the settings, the answer's JSON. Read units are those of the whole function;
every read is consistent. A view costs the same with more days before the window and with more events a day: it reads
one account and 31 roll-ups. It reads heads whole, so the units depend on how much of a day is not sealed yet."""


def _score(account_id: str) -> dict[str, Any]:
    account = accounts.get(account_id)
    assert account is not None
    return document(assess_account(account, NOW, Settings()))


def _live(account_id: str, days: int, events: int) -> None:
    """Give an account a history: today and yesterday are ingested, the days before are copies of yesterday."""
    workspace.fix_timezone()
    today, yesterday = NOW.date(), NOW.date() - DAY
    for day, hours in ((yesterday, 24.0), (today, 9.0)):
        whole = day_of_events(account_id, day, events, max(events // 20, 1), "views", hours=hours)
        for start in range(0, len(whole), EVENTS_A_BATCH):
            ingest(whole[start : start + EVENTS_A_BATCH], Settings(), NOW)
    stretch = schema.day_range(yesterday, yesterday)
    request = reads.partition(schema.activity_table(), schema.activity_pk(account_id), between=stretch)
    heads = list(pages(dynamodb().query, **request))
    for back in range(1, days - 1):
        for head in heads:
            dynamodb().put_item(TableName=schema.activity_table(), Item=_moved(head, back * DAY))
    accounts.save_crm(account_id, CrmFacts(NOW - DAY, open_tickets=1, last_email_at=NOW - DAY, active_deal=True))
    account = accounts.get(account_id)
    assert account is not None
    tonight = snapshot(assess_account(account, NOW, Settings()))
    for back in range(days, 0, -1):
        night = replace(tonight, day=today - back * DAY, as_of=NOW - back * DAY)
        account = accounts.get(account_id)
        assert account is not None
        accounts.save_score(account, night)


def _moved(head: dict[str, Any], back: timedelta) -> dict[str, Any]:
    """A head moved to an earlier day. Its log stays unchanged, since a view does not read it."""
    day, shard = schema.parse_day_key(head["sk"]["S"])
    rollup = decode_rollup(day, head["r"]["S"])
    earlier = replace(rollup, day=rollup.day - back, first_at=rollup.first_at - back, last_at=rollup.last_at - back)
    return {**head, "sk": {"S": schema.day_key(day - back, shard)}, "r": {"S": encode_rollup(earlier)}}


def _handler() -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    spec = importlib.util.spec_from_file_location("score_handler", ROOT / "functions" / "score" / "handler.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.router._logger.registered_handler.setStream(io.StringIO())
    return module.handler


def _answered(response: dict[str, Any]) -> None:
    assert response["statusCode"] == 200, response
    assert json.loads(response["body"])["score"]


def _repeated(work: Callable[[], object], times: int) -> Callable[[], None]:
    def repeat() -> None:
        for _ in range(times):
            work()

    return repeat


class _Context:
    """The part of Lambda's context that the handler uses."""

    aws_request_id = "bench"
    function_name = "score"
    memory_limit_in_mb = 1024

    def get_remaining_time_in_millis(self) -> int:
        return 29_000
