"""Everything that the tables hold, as text: what is packed, unpacked; to look for what must not be there."""

from __future__ import annotations

import base64
import gzip
import json
import os
import tempfile
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb

from healthscore.core.day_log import codec
from healthscore.core.day_log import log as daylog
from healthscore.dataset import bucket
from healthscore.dataset.erasing import erase_pending
from healthscore.storage import schema
from healthscore.storage.accounts import stored_scores
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.kinds import Kind

if TYPE_CHECKING:
    from healthscore.core.model import Snapshot

TABLES = ("ACCOUNTS_TABLE", "ACTIVITY_TABLE", "HISTORY_TABLE", "SETTINGS_TABLE")
_COMPRESSIONS = (-zlib.MAX_WBITS, zlib.MAX_WBITS | 32)
"""Raw, and with a header of zlib or gzip."""


def items() -> list[tuple[str, dict[str, Any]]]:
    """Every item, with its table."""
    found: list[tuple[str, dict[str, Any]]] = []
    for table in TABLES:
        of_table = pages(dynamodb().scan, TableName=os.environ[table], ConsistentRead=True)
        found += [(table, item) for item in of_table]
    return found


def everything() -> list[str]:
    """One text an item, with its raw bytes, all that can be inflated in these, and the entries of its log."""
    return [_as_text(*one) for one in items()]


def mentions(*texts: str) -> list[str]:
    """The items in which any of the texts stands, plainly or in another form in which texts are kept, and objects."""
    return [*(_as_text(*one) for one in items_that_mention(*texts)), *objects_that_mention(*texts)]


def objects_that_mention(*texts: str) -> list[str]:
    """The objects of the dataset's bucket in which any of the texts stands."""
    found = []
    for key in bucket.keys(""):
        data = bucket.get(key).data
        rows = _rows(data) if key.endswith(".parquet") else gzip.decompress(data).decode()
        found += [key for text in texts if text in rows]
    return found


def _rows(data: bytes) -> str:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return str(duckdb.read_parquet(file.name).fetchall())


def items_that_mention(*texts: str) -> list[tuple[str, dict[str, Any]]]:
    """The same items, as `items` answers them.

    Without the note of an account that is still to be erased from the dataset: it goes once that is done.
    """
    forms = {form for text in texts for form in _forms(text)}
    found = [one for one in items() if not Kind.DATASET_ERASURE.is_of(*one)]
    return [one for one in found for text in [_as_text(*one)] if any(form in text for form in forms)]


def erase_from_dataset() -> None:
    """Do what the function behind the queue of erasures does."""
    now = datetime.now(UTC)
    assert erase_pending(now, now + timedelta(minutes=15), lambda: True)


def _as_text(table: str, item: dict[str, Any]) -> str:
    return f"{table} {json.dumps(item, ensure_ascii=False, default=_binary)} {_entries(item)} {_snapshots(item)}"


def _forms(text: str) -> set[str]:
    """A text as it is, in JSON within JSON, in base64 at any offset, and the digits of a UUID."""
    in_base64 = {
        base64.b64encode(b" " * shift + text.encode()).decode().rstrip("=")[shift * 4 // 3 + 1 : -1]
        for shift in range(3)
    }
    escaped = json.dumps(json.dumps(text))[3:-3]
    found = {text, escaped, text.replace("-", ""), *in_base64, *(one.translate(_URL_SAFE) for one in in_base64)}
    return {form for form in found if len(form) >= min(len(text), 4)}


_URL_SAFE = str.maketrans("+/", "-_")


def _binary(value: bytes) -> str:
    inflated = [_inflated(value[start:], bits) for bits in _COMPRESSIONS for start in range(len(value))]
    return " ".join([value.decode("utf-8", "backslashreplace"), value.hex(), *filter(None, inflated)])


def _inflated(data: bytes, bits: int) -> str:
    try:
        return zlib.decompress(data, bits).decode("utf-8", "backslashreplace")
    except zlib.error:
        return ""


def _snapshots(item: dict[str, Any]) -> list[Snapshot]:
    """The snapshots in an item, unpacked."""
    names = (stored_scores.LATEST, stored_scores.SNAPSHOT)
    return [stored_scores.snapshot_of(item[name]) for name in names if name in item]


def _entries(item: dict[str, Any]) -> list[codec.Entry]:
    """The entries in the log of an item, whether or not any head leads to it."""
    sk = item.get("sk", {}).get("S", "")
    if "l" not in item or "B" not in item["l"]:
        return []
    day = schema.parse_day_key("D#" + "#".join(sk.split("#")[1:3]))[0]
    if sk.startswith(schema.DAYS_PREFIX):
        return list(daylog.decode_head(day, item["l"]["B"]).tail)
    return daylog.decode_block(day, item["l"]["B"])[1]
