"""The results of a run: figures, and the nights of the quiet account."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.e2e.sending import Sent

if TYPE_CHECKING:
    from datetime import tzinfo

    from tests.e2e.nights import Nights


@dataclass
class Result:
    """The results of a run."""

    accounts: int = 0
    sent: Sent = field(default_factory=Sent)
    compared: dict[str, int] = field(default_factory=dict)
    """Health answers compared, by the kind of instant that was asked about."""
    asking_seconds: float = 0.0
    nights: Nights | None = None
    nights_seconds: float = 0.0
    mismatches: list[str] = field(default_factory=list)


def report(result: Result, *, engine: str, zone: tzinfo) -> str:
    """The report as Markdown."""
    sent, nights = result.sent, result.nights
    assert nights is not None
    answers = ", ".join(f"{count:,} {name}" for name, count in sorted(sent.answers.items()))
    repeated = f"{sent.twice_in_a_batch:,} again in the same batch, {sent.twice_in_two_batches:,} again in another"
    compared = sum(result.compared.values())
    lines = [
        "# Real input",
        "",
        "Real events sent over HTTP, and every answered score compared with a recomputation from the raw file.",
        "Written by `make e2e`; `tests/e2e/real_input.py` describes its steps.",
        "",
        f"{result.accounts} accounts, tables in {engine}, time zone {zone}.",
        "",
        "| what | figure |",
        "|---|---|",
        f"| distinct events | {sent.distinct:,} |",
        f"| events sent | {sent.events:,}: {repeated}, and {sent.broken:,} broken |",
        f"| batches | {sent.batches:,}, {sent.compressed:,} of them compressed |",
        f"| requests | {sent.requests:,}, {sent.repeats:,} of them repeated after a 503 |",
        f"| answers | {answers} |",
        f"| time to send | {sent.seconds:.0f} s, {sent.events / sent.seconds:,.0f} events a second |",
        f"| answers compared | {compared:,} in {result.asking_seconds:.0f} s |",
        *(f"| … {kind} | {count:,} |" for kind, count in result.compared.items()),
        f"| nights | {len(nights.days)}, {nights.days[0]} to {nights.days[-1]}, in {result.nights_seconds:.0f} s |",
        f"| evenings and histories compared | {nights.comparisons:,}, with {nights.drivers:,} drivers |",
        f"| mismatches | {len(result.mismatches):,} |",
        "",
        f"## How {nights.account} went quiet",
        "",
        "Each evening's score, band and trend, and what moved the score since the evening before.",
        "",
        "```text",
        *nights.story_lines(),
        "```",
    ]
    return "\n".join(lines) + "\n"
