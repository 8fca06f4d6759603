"""The text that the local stack shows after its start: URL, API keys, accounts, and commands to try."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.demo.seed import DemoAccount

_GREEN, _YELLOW, _RED = "\033[32m", "\033[33m", "\033[31m"
_COLORS = {
    "healthy": _GREEN,
    "at_risk": _YELLOW,
    "critical": _RED,
    "ok": _GREEN,
    "yellow": _YELLOW,
    "red": _RED,
}
"""Of bands, and of states of the risk."""
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
            "local-read, local-work (also handles alerts and owners), local-admin (everything)",
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
    ids = max(len(account.account_id) for account in demo_accounts)
    rows = [f"{'account':<{ids}}  score  {'band':<8}  {'state':<7}  story"]
    for at in sorted(demo_accounts, key=lambda account: -account.score):
        band = _colored(f"{at.band:<8}", _COLORS.get(at.band) if color else None)
        state = _colored(f"{at.state:<7}", _COLORS.get(at.state) if color else None)
        rows.append(f"{at.account_id:<{ids}}  {at.score:>5}  {band}  {state}  {at.plot}")
    coded = [at for at in demo_accounts if not at.path.endswith(f"/{at.account_id}")]
    rows += [f"In paths, {at.account_id} is {at.path.rpartition('/')[2]}." for at in coded]
    return "\n".join(rows)


def _colored(text: str, color: str | None) -> str:
    return f"{color}{text}{_PLAIN}" if color else text


def _bold(text: str, color: bool) -> str:
    return f"{_BOLD}{text}{_PLAIN}" if color else text
