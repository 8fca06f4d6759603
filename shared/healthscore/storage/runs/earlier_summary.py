"""The workspace in short as nights of a version before left it (table Settings): the dataset has it now.

It is answered until there is a night of this version, which deletes it. It names accounts, so erasures look at it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.storage import codec, reads, schema, writes

if TYPE_CHECKING:
    from healthscore.storage.codec import Item

KEY = codec.key(schema.SUMMARY_PK, schema.CURRENT)
SUMMARY = "summary"
"""The attribute that holds it."""


def read() -> dict[str, Any] | None:
    """What the newest such night left; None where there is nothing.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    there = item()
    return None if there is None else dict(codec.json_of(there, SUMMARY))


def item() -> Item | None:
    """Its item; None where there is none.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return reads.get(schema.settings_table(), KEY)


def delete() -> None:
    """Delete it, if it is there.

    Raises:
        StorageUnavailableError: it may be there still.
    """
    writes.apply(writes.delete(schema.settings_table(), KEY))
