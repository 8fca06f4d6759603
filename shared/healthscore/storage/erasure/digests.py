"""Takes an account's name out of the digests that name it (table History)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.alerts.model import Alert
from healthscore.core.nightly.digest import without_names
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.alerts.digests import NAMED
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthscore.storage.erasure.eraser import AccountErasure

COVERS = frozenset({Kind.DIGEST})


def erase(erasure: AccountErasure) -> Iterator[int]:
    """Take all names out of these digests; their figures and their status stay.

    The items are not deleted: a night that is run again would not find its digest, and send it again.
    """
    pk, first, last = schema.digest_range()
    names_it = conditions.contains(NAMED, codec.text(erasure.account_id))
    request = reads.partition(schema.history_table(), pk, between=(first, last), only=names_it)
    for item in pages(dynamodb().query, **request):
        nameless = without_names(Alert.from_json(codec.json_of(item, "message")))
        sets = {"message": codec.json_text(nameless.to_json())}
        writes.apply(writes.update(schema.history_table(), codec.key_of(item), sets=sets, removes=[NAMED]))
        yield 0
