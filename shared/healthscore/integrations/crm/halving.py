"""Calls that are about many records: one record that a CRM cannot answer about does not spoil the call for the others.

A CRM may refuse a whole batch because of one record, or break at it (a status from 500 on, again and again). Halves of
the batch find the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from healthscore.integrations.crm.client import BROKEN, TRIES
from healthscore.integrations.crm.protocol import CrmError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from healthscore.integrations.crm.client import Answer

One = TypeVar("One")
_TRIES_OF_HALVES = 2
"""Of a call that is about a part of what the CRM has broken at before, in all its tries."""
_REFUSALS = 25
"""Calls refused in a row that no single record explains: halving a batch refuses about ten before it has found one."""


def in_halves(
    batches: Iterable[Sequence[One]],
    ask: Callable[[Sequence[One], int], Answer],
    *,
    refused: Collection[int],
    works: Callable[[], object],
) -> Iterator[tuple[Sequence[One], Any]]:
    """Make a call for each batch, and for halves of those that the CRM refuses or breaks at.

    Args:
        batches: what the calls are about, in order.
        ask: makes the call for a part of a batch, in so many tries; it accepts the statuses below, and `BROKEN`.
        refused: statuses by which the CRM refuses a call because of what it is about.
        works: makes a call that is about no record; it raises `CrmError` where the CRM is out of order as a whole.

    Returns:
        The parts of the batches with the bodies of the answers: None for a single record that spoils its batch.

    Raises:
        CrmError: everything is refused, and not a single record; or the CRM is out of order.
    """
    waiting = [*batches][::-1]
    broken: list[Sequence[One]] = []
    in_a_row, tries, is_sure = 0, TRIES, True
    while waiting:
        batch = waiting.pop()
        answer = ask(batch, tries)
        if answer.status not in BROKEN and answer.status not in refused:
            in_a_row, is_sure = 0, True
            yield batch, answer.body
            continue
        in_a_row += 1
        if in_a_row > _REFUSALS:
            raise CrmError(f"The CRM answered {answer.status} to all of {in_a_row} calls in a row.")
        if answer.status in BROKEN:
            tries, is_sure = _TRIES_OF_HALVES, False
        if len(batch) > 1:
            middle = len(batch) // 2
            waiting += [batch[middle:], batch[:middle]]
        elif answer.status in refused:
            yield batch, None
        else:
            broken.append(batch)
    if not is_sure:
        works()
    yield from ((batch, None) for batch in broken)
