"""The start of a function.

A handler imports this module before the rest of the library, and calls `complete` after its last import. The garbage
collector is off in between: modules stay loaded, so that it would search them several times and find nothing, which
takes a fifteenth of a cold start.
"""

from __future__ import annotations

import contextlib
import gc
from functools import cache

gc.disable()


@cache
def complete() -> None:
    """Make the DynamoDB client, and turn the garbage collector on again, without the objects that exist now.

    With the client made here, the first request is faster. A function is also often seen to get more CPU while it
    starts than its memory pays for (AWS does not promise that). Where the environment does not allow a client, the
    first request fails.
    """
    # Loaded after the collector was turned off.
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    from healthscore.storage.client import dynamodb  # noqa: PLC0415

    with contextlib.suppress(BotoCoreError):
        dynamodb()
    gc.freeze()
    gc.enable()
