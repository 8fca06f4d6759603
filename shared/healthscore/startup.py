"""A function's start, which happens once and before anybody waits for an answer.

A handler imports this module before all else of the library, and calls `complete` when it has loaded everything. In
between nothing is looked for that could be thrown away: what is loaded stays, and the garbage collector, which would go
through all of it several times, takes a fifteenth of a cold start to find nothing.
"""

from __future__ import annotations

import contextlib
import gc
from functools import cache

gc.disable()


@cache
def complete() -> None:
    """Make what every request needs, and let garbage be collected again, though never among what is loaded now.

    The DynamoDB client is made here and not by the first request, which then waits less, also because functions are
    often seen to get more CPU while they start than their memory pays for (AWS does not promise it). Where the
    environment does not allow a client, the first request will say so.
    """
    # Not loaded before the collector is off.
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    from healthscore.storage.client import dynamodb  # noqa: PLC0415

    with contextlib.suppress(BotoCoreError):
        dynamodb()
    gc.freeze()
    gc.enable()
