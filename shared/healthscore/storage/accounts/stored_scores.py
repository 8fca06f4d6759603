"""Nightly scores as items hold them: packed, since they are most of what a night writes.

A snapshot is JSON, deflated with a dictionary of what such texts have in common: 1 KB becomes 150 to 250 bytes. The
scores of an account's last nights are columns of bytes, deflated: 30 nights take about 100 bytes. The first byte names
the format. What was stored before is JSON, as text, and is read as well.
"""

from __future__ import annotations

import json
import zlib
from datetime import date, timedelta
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from healthscore.core.documents import daily_from_json, snapshot_from_json, snapshot_to_json
from healthscore.core.model import Component, DailyScore
from healthscore.storage import codec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from healthscore.core.model import Snapshot
    from healthscore.storage.codec import Attribute

SNAPSHOT, LATEST, RECENT = "snapshot", "latest", "recent"
"""The attributes that hold a snapshot in the history, and the newest snapshot and last nights' scores of an account."""
VERSION = "scored"
"""The attribute of an account that follows from these two, as they are stored: for conditions."""
_FORMAT = b"\x01"
_WINDOW = -12
"""Of 4 KB, which hold a text and the dictionary; negative: without zlib's header and checksum, which take six bytes."""
_MEMORY = 5
"""As much as such texts need. With zlib's default it takes five times as long to get the memory and give it back."""
_DICTIONARY = (
    b'"customer_success_contact""page_viewed","at":"202"none","active_deal":null,"deal_updated_at":null,"churned":'
    b'true,"provider":"attio","open_tickets":0,"renewal_date":"2027-","facts":{"activity":{"events":0,"window_days":30'
    b'},"engagement":{"sessions":0,"average_session_seconds":0.0,"average_events_per_session":0.0,"days_active":0,'
    b'"session_events":0,"session_seconds":0.0,"window_days":30},"milestones":{"reached":[],"configured":['
    b'"account_created","first_feature_used","integration_connected"],"missing":["account_created",'
    b'"first_feature_used","integration_connected"]},"recency":{"last_seen_at":null,"days_since":null,"seconds_since":'
    b'null}}}{"date":"2026-11-20","as_of":"2026-11-20T02:00:00Z","score":100,"band":"critical","band":"at_risk","band":'
    b'"healthy","components":{"activity":100,"engagement":100,"milestones":100,"recency":100,"crm":100},"facts":{'
    b'"activity":{"events":100,"window_days":30},"engagement":{"sessions":10,"average_session_seconds":300.0,'
    b'"average_events_per_session":10.0,"days_active":30,"session_events":100,"session_seconds":3000.0,"window_days":30'
    b'},"milestones":{"reached":[{"name":"account_created","at":"2026-10-01T00:00:00Z"},{"name":"first_feature_used",'
    b'"at":"2026-10-01T00:00:00Z"},{"name":"integration_connected","at":"2026-10-01T00:00:00Z"}],"configured":['
    b'"account_created","first_feature_used","integration_connected"],"missing":[]},"recency":{"last_seen_at":'
    b'"2026-11-20T01:00:00.000Z","days_since":0.1,"seconds_since":3600.0},"crm":{"received_at":"2026-11-20T00:00:00Z",'
    b'"provider":"hubspot","open_tickets":1,"high_priority_open":0,"last_meeting_at":"2026-11-20T00:00:00Z",'
    b'"last_email_at":"2026-11-20T00:00:00Z","last_contact_at":"2026-11-20T00:00:00Z","active_deal":true,'
    b'"deal_updated_at":"2026-11-20T00:00:00Z","renewal_date":"2027-01-01","churned":false,"arr":10000}}}'
)
"""What is stored was packed with exactly these bytes: others need another format."""
_COMPONENTS = tuple(Component)
_MISSING = 255
"""Stands for the score of a component that a night was scored without."""
_DAY_BYTES, _GAP_BYTES = 4, 2


def snapshot_attribute(snapshot: Snapshot) -> Attribute:
    """A snapshot, packed."""
    return _packed(codec.dumps(snapshot_to_json(snapshot)).encode(), _DICTIONARY)


def snapshot_of(attribute: Attribute) -> Snapshot:
    """Read what `snapshot_attribute` wrote.

    Raises:
        ValueError: it is not what this version writes; so do KeyError and TypeError.
    """
    text = _unpacked(attribute["B"], _DICTIONARY) if "B" in attribute else attribute["S"]
    return snapshot_from_json(json.loads(text))


def recent_attribute(recent: Sequence[DailyScore]) -> Attribute:
    """The scores of at least one night, oldest first, packed."""
    days = [daily.day.toordinal() for daily in recent]
    gaps = (later - earlier for earlier, later in pairwise(days))
    columns = [bytes(daily.score for daily in recent)]
    columns += [bytes(daily.components.get(name, _MISSING) for daily in recent) for name in _COMPONENTS]
    begin = days[0].to_bytes(_DAY_BYTES) + b"".join(gap.to_bytes(_GAP_BYTES) for gap in gaps)
    return _packed(begin + b"".join(columns))


def recent_of(item: Mapping[str, Any]) -> tuple[DailyScore, ...]:
    """Read what `recent_attribute` wrote; empty where the item has none. Raises as `snapshot_of` does."""
    if "B" not in item.get(RECENT, {}):
        return tuple(daily_from_json(daily) for daily in codec.json_of(item, RECENT, []))
    data = _unpacked(codec.binary_of(item, RECENT))
    width = _GAP_BYTES + 1 + len(_COMPONENTS)
    nights, rest = divmod(len(data) - _DAY_BYTES + _GAP_BYTES, width)
    if rest:
        raise ValueError("scores of nights are cut off")
    begin = _DAY_BYTES + _GAP_BYTES * (nights - 1)
    scores, *components = (data[begin + nights * at : begin + nights * (at + 1)] for at in range(1 + len(_COMPONENTS)))
    return tuple(
        DailyScore(day, score, {name: one for name, one in zip(_COMPONENTS, row, strict=True) if one != _MISSING})
        for day, score, row in zip(_days(data[:begin]), scores, zip(*components, strict=True), strict=True)
    )


def attributes(latest: Snapshot, recent: Sequence[DailyScore]) -> dict[str, Attribute]:
    """The attributes of an account that hold its newest snapshot and its last nights, with their version."""
    scores = {LATEST: snapshot_attribute(latest), RECENT: recent_attribute(recent)}
    return {**scores, VERSION: version_attribute(scores)}


def version_attribute(item: Mapping[str, Attribute]) -> Attribute:
    """The version of an account's newest snapshot and last nights, as an item holds them."""
    stored = (value for name in (LATEST, RECENT) for value in item.get(name, {}).values())
    parts = [one if isinstance(one, bytes) else one.encode() for one in stored]
    return codec.text(blake2b(b"\0".join(parts), digest_size=6).hexdigest())


def _days(data: bytes) -> Iterator[date]:
    day = date.fromordinal(int.from_bytes(data[:_DAY_BYTES]))
    yield day
    for at in range(_DAY_BYTES, len(data), _GAP_BYTES):
        day += timedelta(days=int.from_bytes(data[at : at + _GAP_BYTES]))
        yield day


def _packed(data: bytes, dictionary: bytes = b"") -> Attribute:
    deflated = zlib.compressobj(wbits=_WINDOW, memLevel=_MEMORY, zdict=dictionary)
    return codec.binary(_FORMAT + deflated.compress(data) + deflated.flush())


def _unpacked(data: bytes, dictionary: bytes = b"") -> bytes:
    if data[:1] != _FORMAT:
        raise ValueError("packed in a format that this version does not know")
    inflated = zlib.decompressobj(wbits=_WINDOW, zdict=dictionary)
    try:
        return inflated.decompress(data[1:]) + inflated.flush()
    except zlib.error as error:
        raise ValueError("cannot be unpacked") from error
