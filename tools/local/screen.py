"""The text that the local stack shows after its start: URL, API keys, accounts, and commands to try."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.demo.seed import DemoAccount

_COLORS = {"healthy": "\033[32m", "at_risk": "\033[33m", "critical": "\033[31m"}
_BOLD, _PLAIN = "\033[1m", "\033[0m"
_EMPTY_ACCOUNT = "acme"
_DEMO_ACCOUNT = "pinecrest"


def screen(url: str, demo_accounts: Sequence[DemoAccount], *, color: bool, dynamodb_endpoint: str | None = None) -> str:
    """Make the text of the screen.

    Args:
        url: where the stack answers.
        demo_accounts: the accounts of the demo workspace; empty where it was not wanted.
        color: whether to use a terminal's colours.
        dynamodb_endpoint: the endpoint of DynamoDB, where it is not the embedded one.
    """
    account = _DEMO_ACCOUNT if demo_accounts else _EMPTY_ACCOUNT
    kept = f"The tables are in {dynamodb_endpoint}" if dynamodb_endpoint else "All data is then gone"
    read_key, write_key = "-H 'Authorization: Bearer local-read'", "-H 'Authorization: Bearer local-write'"
    now = "'$(date -u +%FT%TZ)'"  # closes the quotes around it for the shell to put the time in
    who = f'"event_id": "try-1", "account_id": "{account}", "user_id": "you"'
    event = f'{{{who}, "name": "report_viewed", "timestamp": "{now}"}}'
    return "\n".join(
        [
            f"{_bold('Healthscore', color)} is running at {_bold(url, color)}",
            "Keys, sent as Authorization: Bearer …: local-write (sends events), local-server (also who pays what),",
            "local-read, local-admin (everything)",
            "",
            _table(demo_accounts, color=color) if demo_accounts else "The workspace is empty (SEED=none).",
            "",
            _bold("Try this next", color),
            "",
            "1. Send an event; however often it is sent, it counts once:",
            f"   curl -s {url}/v1/events {write_key} -d '{{\"events\": [{event}]}}'",
            "2. Read that account's live score, and why it is what it is:",
            f"   curl -s {url}/v1/accounts/{account}/health {read_key}",
            "3. Run the night, and read the mails and text messages that come of it:",
            f"   curl -s -X POST {url}/_local/nightly; curl -s {url}/_local/outbox.txt",
            "",
            f"Press Ctrl-C to stop. {kept}.",
        ]
    )


def wants_color() -> bool:
    """Whether standard output is a terminal that shows colours."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _table(demo_accounts: Sequence[DemoAccount], *, color: bool) -> str:
    names = max(len(account.name) for account in demo_accounts)
    paths = max(len(account.path) for account in demo_accounts)
    rows = [f"{'account':<{names}}  score  {'band':<8}  {'trend':<9}  {'path':<{paths}}  story"]
    for at in sorted(demo_accounts, key=lambda account: -account.score):
        band = f"{_COLORS[at.band]}{at.band:<8}{_PLAIN}" if color else f"{at.band:<8}"
        rows.append(f"{at.name:<{names}}  {at.score:>5}  {band}  {at.trend:<9}  {at.path:<{paths}}  {at.plot}")
    return "\n".join(rows)


def _bold(text: str, color: bool) -> str:
    return f"{_BOLD}{text}{_PLAIN}" if color else text
