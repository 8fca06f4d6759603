"""Prints what the demo workspace's coming night tells, as mail and as SMS: `python -m tools.demo.messages`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from tools.demo.seed import seed
from tools.local.stack import LocalStack


def main() -> None:
    """Write the demo workspace, run its night, and print the messages."""
    with LocalStack(0) as stack:
        seed(stack, datetime.now(UTC))
        stack.call("POST", "/_local/nightly", body={})
        messages = stack.call("GET", "/_local/outbox")["messages"]
    for message in messages:
        sys.stdout.write(f"--- Mail: {message['subject']}\n\n{message['email']}\n--- SMS: {message['sms']}\n\n")


if __name__ == "__main__":
    main()
