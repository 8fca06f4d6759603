"""What could not be read of a connected CRM's records (table Settings).

pk crm#hubspot#unreadable, sk named  a count, and the first hundred: kind, the CRM's own id, field, company, and when

Values are not kept, so that nothing that people have typed lies here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from healthscore.core.time import format_instant, parse_instant
from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.retries import retried

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from healthscore.storage.codec import Item

MOST_NAMED = 100
"""Values that are named; further ones are counted."""
_MOST_MISSING = 50

Named = tuple[str, str, str]
"""Kind of record, the record's id, and its field."""


@dataclass(frozen=True, slots=True)
class Unread:
    """What could not be read when it was read last."""

    count: int = 0
    named: dict[Named, tuple[str, str]] = field(default_factory=dict)
    """The first `MOST_NAMED`: the company that it belongs to, and when it was met last."""
    missing: list[str] = field(default_factory=list)
    """Properties and kinds of records that the CRM does not have, or that the token may not read."""


def unread(provider: str) -> Unread:
    """What could not be read of a CRM.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    return _unread(reads.get(schema.settings_table(), _key(provider)))


@retried("too many writers at once for what could not be read")
def note(
    provider: str, read: Collection[str], found: Mapping[Named, str], missing: Collection[str], now: datetime
) -> int:
    """Note what could not be read of some companies, in the place of what was noted of them before.

    Args:
        provider: the CRM.
        read: ids of the companies that were read.
        found: what could not be read, and the id of the company that it belongs to, or an empty text.
        missing: properties and kinds that are missing.
        now: the instant of reading.

    Returns:
        By how many the count has grown.

    Raises:
        StorageUnavailableError: not noted.
    """
    item = reads.get(schema.settings_table(), _key(provider))
    before, given = _unread(item), format_instant(now)
    companies = set(read)
    kept = {key: of for key, of in before.named.items() if of[0] not in companies or key in found}
    now_met = {key: (company_id, given) for key, company_id in found.items()}
    all_of_them = kept | now_met
    are_all_named = before.count <= len(before.named)
    # Where not all are named, only a full run can tell new ones from those that were counted before.
    count = len(all_of_them) if are_all_named else max(before.count, len(all_of_them))
    after = Unread(
        count, dict(list(all_of_them.items())[:MOST_NAMED]), sorted({*before.missing, *missing})[:_MOST_MISSING]
    )
    _save(provider, item, before, after)
    return max(0, count - before.count)


@retried("too many writers at once for what could not be read")
def finish(provider: str, count: int, missing: Collection[str], started: datetime) -> int:
    """Note that a full run has ended: what it has not met again is readable now, or gone.

    Args:
        provider: the CRM.
        count: what it could not read.
        missing: properties and kinds that were missing.
        started: when it began.

    Returns:
        By how many the count has grown.

    Raises:
        StorageUnavailableError: not noted.
    """
    item = reads.get(schema.settings_table(), _key(provider))
    before = _unread(item)
    named = {key: of for key, of in before.named.items() if parse_instant(of[1]) >= started}
    after = Unread(max(count, len(named)), named, sorted(missing)[:_MOST_MISSING])
    _save(provider, item, before, after)
    return max(0, after.count - before.count)


def _save(provider: str, item: Item | None, before: Unread, after: Unread) -> None:
    if after == before:
        return
    named = [[*key, *of] for key, of in after.named.items()]
    text = codec.json_text({"count": after.count, "named": named, "missing": after.missing})
    unchanged = conditions.ABSENT if item is None else conditions.unchanged("unread", codec.text_of(item, "unread"))
    writes.apply(writes.put(schema.settings_table(), {**_key(provider), "unread": text}, unchanged))


def _unread(item: Item | None) -> Unread:
    document: dict[str, Any] = codec.json_of(item, "unread") if item else {}
    named = {(kind, record_id, name): (of, at) for kind, record_id, name, of, at in document.get("named", ())}
    return Unread(document.get("count", 0), named, document.get("missing", []))


def _key(provider: str) -> Item:
    return codec.key(schema.company_pk(provider, "unreadable"), "named")
