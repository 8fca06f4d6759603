"""Runs early warning over a file of real use with outcomes.

    python -m tools.backtest FILE.jsonl.gz          how often it is right, beside simpler rules (some minutes)
    python -m tools.backtest FILE.jsonl.gz --json   every change of an account's state, one JSON line each

A line of `--json`: `{"account", "day", "from", "to", "reasons"}`. `day` is the last complete day that the night knew,
numbered as in the file; `from` and `to` are `ok`, `monitor`, `yellow`, `red` or null. Reasons are those of the episode,
the gravest first; where one ended, `recovered` or `new_normal`, and what is left.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from healthscore.core.detectors.settings import DetectorSettings, Sensitivity
from tools.backtest import rules
from tools.backtest.accounts import excused, read
from tools.backtest.outcomes import Outcome
from tools.backtest.report import (
    ACCOUNT_HEAD,
    BREAK_HEAD,
    PATTERN_HEAD,
    Table,
    account_line,
    break_line,
    pattern_line,
    summary,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.backtest.accounts import Account


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit status: 0, or 1 with the reason on standard error.
    """
    options = _parser().parse_args(arguments)
    try:
        accounts = list(read(options.file))
    except (OSError, EOFError, ValueError) as error:
        print(f"The file could not be read: {error}", file=sys.stderr)
        return 1
    if options.json:
        for line in changes(accounts, DetectorSettings(options.sensitivity)):
            print(line)
        return 0
    outcomes = [Outcome(account) for account in accounts]
    print(summary(outcomes))
    lines = []
    table = Table(accounts, outcomes, excused(accounts))
    print("\nAlerts per account and year; of those that left, percent with the alert on, days after the last event.")
    print(ACCOUNT_HEAD)
    for name, measures in table.lines():
        print(account_line(name, measures), flush=True)
        lines.append((name, measures))
    print("\nLasting contractions: percent with the alert on, days after they began.")
    print(BREAK_HEAD)
    for name, measures in lines:
        print(break_line(name, measures))
    print("\nPatterns, from the day on which they are yellow or red: percent that leave within 90 days, or shrink.")
    print(PATTERN_HEAD)
    for pattern in table.patterns():
        print(pattern_line(pattern))
    return 0


def changes(accounts: Sequence[Account], settings: DetectorSettings) -> Iterator[str]:
    """The lines of `--json`."""
    weeks = excused(accounts)
    for account in accounts:
        for change in rules.judge(account, weeks, settings).changes:
            ending = [] if change.ending is None else [change.ending.value]
            yield json.dumps(
                {
                    "account": account.name,
                    "day": change.day - account.zero,
                    "from": None if change.before is None else change.before.word,
                    "to": None if change.after is None else change.after.word,
                    "reasons": [*ending, *(sighting.reason for sighting in change.reasons)],
                }
            )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.backtest", description="Measure early warning on real use.")
    parser.add_argument("file", type=Path, help="a gzip file with one account in each line (docs/early-warning.md)")
    parser.add_argument("--json", action="store_true", help="print every change of state, and no tables")
    parser.add_argument(
        "--sensitivity",
        type=Sensitivity,
        choices=list(Sensitivity),
        default=Sensitivity.BALANCED,
        help="of --json; the tables show all of them",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
