"""Asks the demo workspace for the answers that the description shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from healthscore.core.time import format_instant
from healthscore.http.router import ROUTES
from tools.demo.seed import seed
from tools.local.stack import LocalStack
from tools.openapi.document import OPERATIONS
from tools.openapi.operations import NOW, TODAY
from tools.openapi.samples import target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tools.openapi.operations import Operation

_LISTED = 3
"""Entries of a list that are shown of the answers that have long ones."""


def record() -> dict[str, Any]:
    """An answer of each operation to its example, by the operation's id.

    Raises:
        tools.local.stack.CallError: an example was refused.
    """
    answers = {}
    with LocalStack(port=0) as stack:
        seed(stack, datetime.now(UTC))
        stack.call("POST", "/_local/nightly")
        for route, operation in in_order():
            if operation.answer in (dict, str) or operation.keyless:
                continue
            method = route.partition(" ")[0]
            scope = ROUTES[route]
            key = "" if scope is None else f"local-{scope.value}"
            fill = filler(datetime.now(UTC))
            body = None if operation.example is None else json.loads(fill(json.dumps(operation.example)))
            answers[operation.id] = _shortened(stack.call(method, fill(target(route, operation)), key, body))
    return answers


def in_order() -> Iterator[tuple[str, Operation]]:
    """The operations in an order in which their examples work: what deletes comes last."""
    yield from sorted(OPERATIONS.items(), key=lambda entry: entry[0].startswith("DELETE"))


def filler(now: datetime) -> Callable[[str], str]:
    """What puts the present into an example."""
    instant = format_instant(now.replace(microsecond=0))
    return lambda text: text.replace(NOW, instant).replace(TODAY, instant[: len(TODAY)])


def _shortened(answer: Any) -> Any:  # noqa: ANN401  (any JSON value)
    """An answer fit to be read: lists of objects without their middle."""
    if isinstance(answer, dict):
        return {name: _shortened(value) for name, value in answer.items()}
    if isinstance(answer, list):
        objects = bool(answer) and isinstance(answer[0], dict)
        return [_shortened(value) for value in (answer[-_LISTED:] if objects else answer)]
    return answer
