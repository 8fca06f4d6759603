"""Whatever arrives, a batch is taken apart completely or refused with a reason."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from healthscore.api.event_batch import FIELDS, parse_batch
from healthscore.http.errors import ApiError
from healthscore.settings import Settings

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.text(st.characters(categories=["Cs", "Cc", "So"]), max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
good = st.fixed_dictionaries(
    {
        "account_id": st.sampled_from(["acme", "aws/chalice"]),
        "name": st.sampled_from(["login", "Größe"]),
        "timestamp": st.sampled_from(["2026-11-20T10:00:00Z", "2026-11-21T12:14:59.9+02:00"]),
    },
    optional={"event_id": st.uuids().map(str), "user_id": st.just("ann"), "value": st.floats(-10, 10)},
)
spoiled = st.builds(
    lambda event, changes: {**event, **changes},
    good,
    st.dictionaries(st.sampled_from(FIELDS) | st.text(st.characters(), max_size=5), anything, max_size=3),
)


def outcome(body: bytes) -> tuple[int, int] | None:
    """How many events were taken and rejected, or None where the batch as a whole was refused."""
    try:
        batch = parse_batch(body, NOW, Settings())
    except ApiError as error:
        json.dumps(error.body("id"), ensure_ascii=False, allow_nan=False).encode()
        return (0, len(error.extra["rejected"])) if error.code == "all_rejected" else None
    indexes = [index for index, _ in batch.events] + [rejection.position for rejection in batch.rejected]
    assert sorted(indexes) == list(range(len(indexes)))
    json.dumps([rejection.to_json() for rejection in batch.rejected], ensure_ascii=False).encode()
    return len(batch.events), len(batch.rejected)


@given(st.lists(good | spoiled | anything, max_size=6))
def test_parse_batch__any_json_events__are_each_taken_or_rejected(events):
    body = json.dumps({"events": events})
    counts = outcome(body.encode())
    if "NaN" in body or "Infinity" in body:
        return
    assert counts is not None
    assert sum(counts) == len(events)


@given(st.lists(good, max_size=6), st.lists(anything | spoiled, max_size=3))
def test_parse_batch__good_events_among_any_others__are_all_taken(goods, others):
    body = json.dumps({"events": [*others, *goods]})
    if "NaN" in body or "Infinity" in body:
        return
    counts = outcome(body.encode())
    assert counts is not None
    assert counts[0] >= len(goods)


@given(anything)
def test_parse_batch__any_json_value__is_taken_apart_or_refused(value):
    outcome(json.dumps(value).encode())


@given(st.binary(max_size=200))
def test_parse_batch__any_bytes__are_refused_with_a_reason(body):
    assert outcome(body) is None
    assert outcome(b"\x1f\x8b" + body) is None
    assert outcome(gzip.compress(body)) is None


@given(st.lists(good, min_size=1, max_size=3), st.data())
def test_parse_batch__one_byte_changed__is_taken_apart_or_refused(events, data):
    body = bytearray(json.dumps({"events": events}).encode())
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    outcome(bytes(body))
