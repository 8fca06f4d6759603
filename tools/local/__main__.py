"""Start the local stack: `python -m tools.local --port 3000`, or `make run`.

Variables of the shell:
    SEED               `demo` (the default) for the demo workspace, `none` for an empty one
    DYNAMODB_ENDPOINT  another DynamoDB than the embedded one, such as http://127.0.0.1:8000 for DynamoDB Local
    CRM                `hubspot` for a connected HubSpot account to open tickets in (with SEED=demo)
    LOG_LEVEL          the lowest level of the functions' logs that is shown; WARN by default
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError

from tools.demo.seed import demo_accounts, seed
from tools.local.screen import screen, wants_color
from tools.local.stack import LocalStack

if TYPE_CHECKING:
    from tools.local.crm import LocalHubSpot

_SEEDS = ("demo", "none")


def main() -> int:
    """Run the local stack until it is interrupted.

    Returns:
        The exit status: 0 after an interrupt, 1 with the reason on standard error where it could not start.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.local", description="Run the whole product on this machine.")
    parser.add_argument("--port", type=int, default=3000, help="where to answer (3000; 0 for any free port)")
    port = parser.parse_args().port
    wanted = os.environ.get("SEED") or "demo"
    if wanted not in _SEEDS:
        return _refuse(f"SEED={wanted}: there are {' and '.join(_SEEDS)}.")
    endpoint = os.environ.get("DYNAMODB_ENDPOINT") or None
    try:
        stack = LocalStack(
            port, dynamodb_endpoint=endpoint, log_level=os.environ.get("LOG_LEVEL") or "WARN", report=_report
        )
    except OSError as error:
        return _refuse(
            f"Port {port} cannot be used ({os.strerror(error.errno or 0)}). Another one: make run PORT={port + 1}"
        )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with stack, ExitStack() as undo:
            if os.environ.get("CRM") == "hubspot":
                from tools.local.crm import LocalHubSpot  # noqa: PLC0415  (loads the fakes)

                crm = undo.enter_context(LocalHubSpot(stack))
            else:
                crm = None
            _run(stack, endpoint, demo=wanted == "demo", crm=crm)
    except KeyboardInterrupt:
        _report("\nStopped.")
    except BotoCoreError as error:
        return _refuse(f"DynamoDB cannot be used at {endpoint or 'the embedded endpoint'}: {error}")
    return 0


def _run(stack: LocalStack, endpoint: str | None, *, demo: bool, crm: LocalHubSpot | None) -> None:
    accounts = []
    if demo:
        _report("Writing the demo workspace: up to a year of 24 customers, and the last fortnight's nights …")
        seed(stack, datetime.now(UTC))
        accounts = list(demo_accounts(stack))
    if crm is not None:
        crm.connect()
        stack.extend(crm.answer)
        opening = json.dumps({"account_id": "brightpath", "priority": "HIGH"})
        _report(
            "A HubSpot account is connected. Open a ticket in it; then look at the score, and at the alert:\n"
            f"  curl -X POST {stack.url}/_local/crm/tickets -d '{opening}'\n"
            f"  curl -H 'Authorization: Bearer local-read' {stack.url}/v1/accounts/brightpath/health\n"
            f"  curl {stack.url}/_local/outbox.txt"
        )
    stack.serve(screen(stack.url, accounts, color=False, dynamodb_endpoint=endpoint) + "\n")
    _report("\n" + screen(stack.url, accounts, color=wants_color(), dynamodb_endpoint=endpoint) + "\n")
    Event().wait()


def _report(line: str) -> None:
    print(line, flush=True)


def _refuse(reason: str) -> int:
    print(reason, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
