"""Takes an account's name out of the totals of the nightly runs' workers (table Settings)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.kinds import Kind
from healthscore.storage.runs import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthscore.storage.erasure.eraser import AccountErasure

COVERS = frozenset({Kind.WORKER_RESULT})


def erase(erasure: AccountErasure) -> Iterator[int]:
    """Take the name out of the totals of all runs that are still kept; the account's figures stay."""
    account_id = erasure.account_id
    names_it = conditions.contains(runs.NAMED, codec.text(account_id))
    request = reads.partition(schema.settings_table(), schema.WORKER_RESULTS_PK, only=names_it)
    for item in pages(dynamodb().query, **request):
        totals = runs.totals_of(item)
        update = writes.update(
            schema.settings_table(),
            codec.key_of(item),
            conditions.unchanged(runs.TOTALS, codec.text_of(item, runs.TOTALS)),
            sets={runs.TOTALS: codec.json_text(totals.naming(totals.named - {account_id}).stored())},
            takes={runs.NAMED: codec.texts([account_id])},
        )
        with contextlib.suppress(ConditionFailedError):  # put again since, by a worker that knew of the erasure
            writes.apply(update)
        yield 0
