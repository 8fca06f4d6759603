"""The one way to try a write again: a loop, or a decorator, that waits between attempts.

A loop suits an attempt that depends on the one before, a decorator a function that simply begins again:

    for attempt in attempts("too many writers at once for one log"):
        try:
            write(...)
            break
        except ConditionFailedError:
            continue

    @retried("too many writers at once for one account")
    def save(...): ...
"""

from __future__ import annotations

import random
import time
from functools import wraps
from itertools import count
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from healthscore.storage.errors import ConditionFailedError, StorageUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")
T = TypeVar("T")

SECONDS = 6.0
"""The waits of one loop add up to little more than this. The clients of Segment and RudderStack give a request up after
ten seconds and send it again, so an answer has to be out by then."""
_FIRST, _LONGEST = 0.02, 1.0


def attempts(failure: str, sleep: Callable[[float], None] | None = None) -> Iterator[int]:
    """Number the attempts from 0, and wait before each but the first.

    Each wait is a random part of a span (full jitter); the span doubles from wait to wait, up to a second.

    Args:
        failure: the text of the error at the end.
        sleep: waits for a number of seconds; `time.sleep` where it is None.

    Raises:
        StorageUnavailableError: the waits have taken `SECONDS`, and another attempt is wanted.
    """
    span, left = _FIRST, SECONDS
    for attempt in count():
        yield attempt
        if left <= 0:
            raise StorageUnavailableError(failure)
        span = min(_LONGEST, 2 * span)
        pause = random.uniform(0, span)  # noqa: S311  (jitter)
        left -= pause
        (sleep or time.sleep)(pause)


def retried(failure: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Call a function again, from its beginning, for as long as it raises `ConditionFailedError`; see `attempts`."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def until_it_holds(*args: P.args, **kwargs: P.kwargs) -> T:
            tries = attempts(failure)
            while True:
                next(tries)
                try:
                    return function(*args, **kwargs)
                except ConditionFailedError:
                    continue

        return until_it_holds

    return decorate
