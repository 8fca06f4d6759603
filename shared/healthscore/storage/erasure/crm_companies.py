"""Deletes the records of the CRM companies that are an account, or may be (table Settings)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.crm import connections
from healthscore.storage.crm.companies import RECORD
from healthscore.storage.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthscore.storage.erasure.eraser import AccountErasure

COVERS = frozenset({Kind.COMPANY, Kind.COMPANY_CLAIM, Kind.UNMATCHED_COMPANY})


def erase(erasure: AccountErasure) -> Iterator[int]:
    """Delete the account's companies and its claim; the next reading of the CRM finds these companies to be new."""
    # The name within the record's JSON, quotes included.
    names_it = conditions.contains(RECORD, codec.json_text(erasure.account_id))
    for connection in connections.connections():
        companies = reads.partition(
            schema.settings_table(),
            schema.company_pk(connection.provider, "company"),
            attributes=("sk",),
            only=names_it,
        )
        for company in pages(dynamodb().query, **companies):
            for part in ("unmatched", "company"):  # the company last: the next call finds the rest by it
                _delete(connection.provider, part, codec.text_of(company, "sk"))
            yield 0
        _delete(connection.provider, "claim", erasure.account_id)


def _delete(provider: str, part: str, sk: str) -> None:
    writes.delete_all(schema.settings_table(), [codec.key(schema.company_pk(provider, part), sk)])
