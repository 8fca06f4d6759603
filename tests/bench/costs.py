"""Costs on AWS: measured units times list prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from healthscore.metrics import Metric
from tests.bench.measuring import Table
from tools import ROOT
from tools.local import cloudformation

if TYPE_CHECKING:
    from collections.abc import Mapping

WRITE_UNIT, READ_UNIT = 0.625, 0.125
"""DynamoDB on demand, standard tables: dollars per million."""
REQUEST = 1.00
"""HTTP API: dollars per million."""
INVOCATION = 0.20
"""Lambda: dollars per million."""
GB_SECOND = 13.3334
"""Lambda on arm64: dollars per million."""
LOG_GB = 0.50
"""A GB ingested by CloudWatch Logs: dollars."""
TRACE = 5.00
"""X-Ray: dollars per million traces. Lambda traces the first request of each second and a twentieth of the others.
At less than a request a second these are all of them, which is counted here."""
SECRET, SECRET_CALL = 0.40, 5.00
"""Secrets Manager: dollars a secret and month, and per million calls."""
STORED_GB, RECOVERABLE_GB, STORED_LOG_GB = 0.25, 0.20, 0.03
"""Dollars a GB and month: of a table, of its point-in-time recovery, of kept logs."""
ALARM_METRIC, OWN_METRIC, DASHBOARD = 0.10, 0.30, 3.00
"""CloudWatch: dollars a month for each metric that an alarm watches, each metric of our own, the dashboard."""
CORE_MB = 1769
"""Memory that comes with one whole core."""
FUNCTION_MB = 1024
"""As in template.yaml; the nightly function has a core."""
WAIT_MS = 5.0
"""Assumed time that a call waits for DynamoDB."""
LOG_BYTES = 1500
"""Assumed bytes of logs a request: the gateway's line, the function's and the platform's."""
HANDLER_MS = 2.0
"""Assumed CPU of an ingest request without the commit: routing, validation, the answer."""
INGEST_CALLS, VIEW_CALLS = 2, 3


class Cost(NamedTuple):
    """Dollars by service."""

    writes: float
    reads: float
    functions: float
    gateway: float
    logs: float
    traces: float

    @property
    def total(self) -> float:
        """The sum of all services."""
        return sum(self)


def events(figures: Mapping[str, float], batch: int, users: int = 100) -> Cost:
    """A million events in batches of one account and day each."""
    requests = 1 / batch
    cpu_ms = figures[f"cpu {batch} {users}"] * batch + HANDLER_MS
    return Cost(
        figures[f"writes {batch} {users}"] * WRITE_UNIT,
        figures[f"reads {batch} {users}"] * READ_UNIT,
        requests * _invocation(cpu_ms, INGEST_CALLS),
        requests * REQUEST,
        requests * _logs(),
        requests * TRACE,
    )


def views(figures: Mapping[str, float], case: str = "90 100") -> Cost:
    """A million views of accounts that are active every day."""
    return Cost(
        0,
        figures[f"reads {case}"] * READ_UNIT,
        _invocation(figures[f"function {case}"], VIEW_CALLS),
        REQUEST,
        _logs(),
        TRACE,
    )


def night(figures: Mapping[str, float]) -> Cost:
    """One night of a million accounts, without state transitions and messages, which cost cents."""
    gb_seconds = figures["night cpu"] / 1000 * CORE_MB / 1024
    return Cost(
        figures["night writes"] * WRITE_UNIT, figures["night reads"] * READ_UNIT, gb_seconds * GB_SECOND, 0, 0, 0
    )


def _invocation(cpu_ms: float, calls: int) -> float:
    billed_seconds = (cpu_ms * CORE_MB / FUNCTION_MB + calls * WAIT_MS) / 1000
    return INVOCATION + billed_seconds * FUNCTION_MB / 1024 * GB_SECOND


def _logs() -> float:
    return LOG_BYTES / 1e9 * 1e6 * LOG_GB


def report(figures: Mapping[str, float]) -> str:
    """The cost page, as Markdown."""
    lines = {
        f"a million events, {size} a batch" if size > 1 else "a million events, one by one": events(figures, size)
        for size in (1, 20, 100)
    }
    lines |= {"a million views": views(figures), "a million accounts, a night": night(figures)}
    rows = [[name, *(f"{part:.2f}" for part in cost), f"**{cost.total:.2f}**"] for name, cost in lines.items()]
    monthly = _monthly()
    month = (
        sum(monthly.values()) + events(figures, 20).total + views(figures).total / 10 + night(figures).total / 1000 * 30
    )
    headings = ["dollars for", "writes", "reads", "Lambda", "gateway", "logs", "traces", "together"]
    monthly_rows = [[name, f"{dollars:.2f}"] for name, dollars in monthly.items()]
    monthly_table = Table(["dollars a month for", ""], monthly_rows)
    return _PAGE.format(table=Table(headings, rows), monthly=monthly_table, month=month, **_units(figures))


def _monthly() -> dict[str, float]:
    """What is paid each month whether anything is sent or not, by the template."""
    resources = cloudformation.load((ROOT / "template.yaml").read_text(encoding="utf-8"))["Resources"].values()
    secrets = sum(resource["Type"] == "AWS::SecretsManager::Secret" for resource in resources)
    alarms = [resource["Properties"] for resource in resources if resource["Type"] == "AWS::CloudWatch::Alarm"]
    watched = sum(sum("MetricStat" in one for one in alarm.get("Metrics", [])) or 1 for alarm in alarms)
    return {
        f"{secrets} secrets for CRMs": secrets * SECRET,
        f"{watched} metrics that alarms watch": watched * ALARM_METRIC,
        f"{len(Metric)} metrics of our own": len(Metric) * OWN_METRIC,
        "the dashboard": DASHBOARD,
    }


def _units(figures: Mapping[str, float]) -> dict[str, float]:
    return {
        "event": figures["writes 20 100"],
        "single": figures["writes 1 100"],
        "view": figures["reads 90 100"],
        "night_writes": figures["night writes"],
        "night_reads": figures["night reads"],
        "hour": figures["night cpu"] / 3.6,
        "named": figures["writes a user who names the account, later on a day"],
        "own": figures["writes a user, later on a day"],
        "first": figures["writes a user, first on a day"],
    }


_PAGE = f"""# What it costs

Written by `make bench` from what it measured ([benchmarks](benchmarks.md)) and the list prices of us-east-1 for
the first tier of each service, looked up in November 2026
([DynamoDB](https://aws.amazon.com/dynamodb/pricing/on-demand/), [Lambda](https://aws.amazon.com/lambda/pricing/),
[API Gateway](https://aws.amazon.com/api-gateway/pricing/), [CloudWatch](https://aws.amazon.com/cloudwatch/pricing/),
[X-Ray](https://aws.amazon.com/xray/pricing/), [Secrets Manager](https://aws.amazon.com/secrets-manager/pricing/)),
without free tiers, taxes or discounts. Check the prices of your region; the units are the same everywhere.

{{table}}

{{monthly}}

A thousand customers with a million events in batches of 20, a hundred thousand views and thirty nights cost
about **${{month:.2f}} a month**, with all of that, and without storage and text messages.

A GB in a table costs ${STORED_GB:.2f} a month, and its point-in-time recovery ${RECOVERABLE_GB:.2f} more,
without which nothing would bring lost data back. A day of an account takes up to 1 KB, and some 20 bytes for each event
beyond the first fifty or so. So the 60 days that `retention_days` of 460 keeps beyond 400 are 60 MB for a thousand
accounts that are active every day, and 40 MB for a million events a month: some
${(STORED_GB + RECOVERABLE_GB) * 0.1:.2f} a month together. A GB of kept logs costs ${STORED_LOG_GB:.2f} a
month. A public
key has [a limit a day](security.md): a million events, which a stranger who has it could send one by one.

## The inputs

| | |
|---|---:|
| write units an event, one by one and in batches of 20 (100 users) | {{single:.2f}} and {{event:.2f}} |
| read units a view, of an account active every day | {{view:g}} |
| write and read units an account and night | {{night_writes:.1f}} and {{night_reads:.1f}} |
| CPU hours a night of a million accounts | {{hour:.1f}} |
| a million write units, read units | ${WRITE_UNIT}, ${READ_UNIT} |
| a million HTTP API requests, Lambda invocations | ${REQUEST:.2f}, ${INVOCATION:.2f} |
| a million GB-seconds of Lambda on arm64 | ${GB_SECOND:.2f} |
| a GB of ingested logs | ${LOG_GB:.2f} |
| a million traces of X-Ray | ${TRACE:.2f} |
| a secret a month, a million reads of it | ${SECRET:.2f}, ${SECRET_CALL:.2f} |
| a month: a metric that an alarm watches, one of our own | ${ALARM_METRIC:.2f}, ${OWN_METRIC:.2f} |

Assumed and not measured: {WAIT_MS:g} ms of waiting a DynamoDB call; {HANDLER_MS:g} ms of CPU for an ingest request's
routing and validation; {LOG_BYTES:,} bytes of logs a request; a core of Lambda as fast as that of the machine
measured on, of which {FUNCTION_MB:,} MB have {FUNCTION_MB / CORE_MB:.2f}. Functions are warm: with steady traffic,
a cold start is rare, and adds its CPU once.

A batch here has events of one account and one day. A batch that mixes accounts costs a put for each of them: an event
that is the only one of its account and day costs as much as a batch of one.

## What changes the costs

- **Batches.** A sender that collects twenty events before it sends pays for one request and one put instead of
  twenty. The gateway and Lambda then cost next to nothing; a frontend that sends every click by itself pays mostly
  for them.
- **Whom events name.** An event that names its account costs {{named:g}} write unit. One that names a user or a device
  alone costs {{own:g}}, since it is kept in that person's own log as well, and the first of a person on a day up to
  {{first:g}}, since it is written only if nobody has changed who the person is ([benchmarks](benchmarks.md), without
  batches). A client that knows the account should say it, as `context.groupId`.
- **Nights** cost mostly the write of the account, and of a copy of the snapshot that it replaces: three units. An
  account that was active costs one more, for its use, and on Mondays two; one that was not costs none.
- **Views** cost more than events, most of it for gateway, Lambda and logs. A page that shows fifty accounts should read
  the book with one request.
- **Traces** are counted as if every request had one, which is so at less than a request a second. Beyond that, Lambda
  traces a request a second and a twentieth of the others: at most some $13 a month and function, and $0.25 a million
  requests. The first hundred thousand a month are free. To have none, set `Tracing: PassThrough` in `template.yaml`.
- **Secrets** are read by each run of a connected CRM's sync, a hundred times a day, for cents a year. Without a CRM
  they cost the same and are empty.
- **Logs** cost mostly for their ingestion, however long they are kept.
"""
