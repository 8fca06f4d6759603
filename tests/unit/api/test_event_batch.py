from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from healthscore.api.event_batch import FIELDS, parse_batch
from healthscore.api.event_rules import MAX_EVENTS, MAX_PROPERTIES_BYTES
from healthscore.core.identity.settings import IdentitySettings
from healthscore.core.model import MICROS, Event
from healthscore.core.time import format_instant
from healthscore.http.errors import ApiError
from healthscore.settings import Settings

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
GOOD = {"event_id": "e1", "account_id": "acme", "name": "login", "timestamp": "2026-11-20T10:00:00Z"}


OPTIONAL_IDS = ("event_id", "user_id", "anonymous_id", "session_id")


def parse(*events, settings=None, now=NOW):
    return parse_batch(json.dumps({"events": events}).encode(), now, settings or Settings())


def taken(**fields) -> Event:
    batch = parse({**GOOD, **fields})
    assert batch.rejected == []
    return batch.events[0][1]


def rejection(event, **options):
    """The rejection of an event that has a good neighbour on either side."""
    before, after = {**GOOD, "event_id": "before"}, {**GOOD, "event_id": "after"}
    batch = parse(before, event, after, **options)
    assert [(index, accepted.event_id) for index, accepted in batch.events] == [(0, "before"), (2, "after")]
    (rejected,) = batch.rejected
    assert rejected.position == 1
    return rejected


def refusal(body: bytes) -> ApiError:
    with pytest.raises(ApiError) as caught:
        parse_batch(body, NOW, Settings())
    return caught.value


def test_parse_batch__every_field__becomes_an_event():
    event = taken(
        timestamp="2026-11-20T12:00:00.1239+02:00",
        user_id="ann",
        anonymous_id="visitor",
        session_id="s1",
        value=2.5,
        properties={"nested": {"list": [1, None, True]}},
    )
    at = datetime(2026, 11, 20, 10, 0, 0, 123_000, tzinfo=UTC)
    assert event == Event("e1", "acme", "login", at, "ann", "visitor", "s1", 2_500_000)


@pytest.mark.parametrize(
    "fields", [{}, dict.fromkeys(["user_id", "anonymous_id", "session_id", "value", "properties"])]
)
def test_parse_batch__optional_fields_missing_or_null__have_their_defaults(fields):
    event = taken(**fields)
    assert (event.user_id, event.anonymous_id, event.session_id, event.value) == (None, None, None, MICROS)


def test_parse_batch__gzip__is_read():
    batch = parse_batch(gzip.compress(json.dumps({"events": [GOOD]}).encode()), NOW, Settings())
    assert len(batch.events) == 1


def test_parse_batch__no_events__is_an_empty_batch():
    batch = parse()
    assert (batch.events, batch.rejected) == ([], [])


@pytest.mark.parametrize(
    ("value", "micros"),
    [
        (0, 0),
        (-3, -3 * MICROS),
        (120, 120 * MICROS),
        (0.1, 100_000),
        (1.0000005, 1_000_001),
        (-0.0000004, 0),
        (10**12, 10**18),
        (-1e12, -(10**18)),
        (5e-324, 0),
    ],
)
def test_parse_batch__value__is_kept_in_exact_millionths(value, micros):
    assert taken(value=value).value == micros


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        (field, wrong)
        for field in FIELDS
        for wrong in (True, 7, 1.5, "", [], {}, [{}], {"a": 1})
        if not (field == "properties" and isinstance(wrong, dict)) and not (field == "value" and wrong in (7, 1.5))
        if not (wrong == "" and field in OPTIONAL_IDS)
    ],
    ids=repr,
)
def test_parse_batch__wrong_type_of_any_field__rejects_that_event_only(field, wrong):
    assert rejection({**GOOD, field: wrong}).message.startswith(field)


@pytest.mark.parametrize("event", [None, True, 3, "event", [], [GOOD]], ids=repr)
def test_parse_batch__event_that_is_no_object__is_rejected(event):
    rejected = rejection(event)
    assert (rejected.code, rejected.event_id) == ("invalid_event", None)


@pytest.mark.parametrize("field", ["account_id", "name", "timestamp"])
def test_parse_batch__required_field_missing_or_null__is_rejected(field):
    missing = rejection({name: value for name, value in GOOD.items() if name != field})
    null = rejection({**GOOD, field: None})
    assert (missing.code, missing.message) == ("invalid_event", f"{field} is missing")
    assert (null.code, null.message) == ("invalid_event", f"{field} must not be null")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"userId": "ann"}, "unknown_field"),
        ({"\ud800": 1}, "unknown_field"),
        ({"account_id": "a\nb"}, "invalid_id"),
        ({"user_id": "\N{PILE OF POO}"}, "invalid_id"),
        ({"user_id": 42}, "invalid_event"),
        ({"event_id": "x" * 101}, "too_long"),
        ({"account_id": "x" * 201}, "too_long"),
        ({"name": "x" * 201}, "too_long"),
        ({"name": "log\x00in"}, "invalid_name"),
        ({"timestamp": "1795255140"}, "invalid_timestamp"),
        ({"timestamp": 20_261_120}, "invalid_timestamp"),
        ({"timestamp": 1_795_255_140_000_000}, "invalid_timestamp"),
        ({"timestamp": -1_795_255_140}, "invalid_timestamp"),
        ({"timestamp": 9_999_999_999}, "timestamp_in_future"),
        ({"timestamp": "9999-12-31T23:59:59-01:00"}, "invalid_timestamp"),
        ({"timestamp": "2026-11-20T10:00:00"}, "invalid_timestamp"),
        ({"timestamp": "2026-11-20"}, "invalid_timestamp"),
        ({"timestamp": "2026-02-30T10:00:00Z"}, "invalid_timestamp"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, "invalid_timestamp"),
        ({"timestamp": "yesterday \ud800"}, "invalid_timestamp"),
        ({"value": True}, "invalid_value"),
        ({"value": "3"}, "invalid_value"),
        ({"value": 10**12 + 1}, "invalid_value"),
        ({"value": 10**60}, "invalid_value"),
        ({"properties": []}, "invalid_event"),
        ({"properties": {"a": "\ud800"}}, "invalid_event"),
        ({"properties": {"\ud800": 1}}, "invalid_event"),
    ],
)
def test_parse_batch__bad_content__is_rejected_with_its_code(fields, code):
    rejected = rejection({**GOOD, **fields})
    assert rejected.code == code
    json.dumps(rejected.to_json(), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        (1_795_168_800, 0),
        (1_795_168_800_123, 123),
        (1_795_168_800.123, 123),
        (1_795_168_800_123.9, 123),
        (1_795_168_800.9999, 999),
        (1_795_168_800.0009999, 1),
    ],
)
def test_parse_batch__time_as_a_number__is_read_to_the_millisecond(written, milliseconds):
    assert taken(timestamp=written).at == datetime(2026, 11, 20, 10, 0, 0, milliseconds * 1000, tzinfo=UTC)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 5000, "9" * 41])
def test_parse_batch__time_as_a_number_beyond_all_bounds__rejects_that_event_only(number):
    body = json.dumps({"events": [GOOD, {**GOOD, "timestamp": 0}]}).replace(": 0}", f": {number}}}")
    (rejected,) = parse_batch(body.encode(), NOW, Settings()).rejected
    assert (rejected.position, rejected.code) == (1, "invalid_timestamp")


@pytest.mark.parametrize("field", ["event_id", "account_id", "user_id", "anonymous_id", "session_id", "name"])
def test_parse_batch__ids_and_names__are_trimmed_and_composed(field):
    event = taken(**{field: "\u2003Gro\u0308\u00dfe \t"})
    assert getattr(event, field) == "Gr\u00f6\u00dfe"


@pytest.mark.parametrize("text", ["", "undefined", " NULL ", "0", "00000000-0000-0000-0000-000000000000"])
def test_parse_batch__id_that_names_nobody__is_read_as_not_sent(text):
    bare = {name: value for name, value in GOOD.items() if name != "event_id"}
    sent, not_sent = (parse(event).events[0][1] for event in ({**bare, **dict.fromkeys(OPTIONAL_IDS, text)}, bare))
    assert sent == not_sent


@pytest.mark.parametrize("text", ["", "undefined", "N/A", "demo"])
def test_parse_batch__account_that_names_nobody__is_rejected_with_that_reason(text):
    settings = Settings(identity=IdentitySettings(("Demo",)))
    rejected = rejection({**GOOD, "account_id": text}, settings=settings)
    assert (rejected.code, rejected.message) == ("invalid_event", f'account_id "{text}" stands for nobody')


def test_parse_batch__no_event_id_and_an_id_in_another_form__is_the_same_event():
    bare = {name: value for name, value in GOOD.items() if name != "event_id"}
    one, other = (parse({**bare, "user_id": user_id}).events[0][1] for user_id in ("\u00e9", " e\u0301"))
    assert one == other


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 5000])
def test_parse_batch__number_beyond_all_bounds__rejects_that_event_only(number):
    body = json.dumps({"events": [GOOD, {**GOOD, "event_id": "big", "value": 0}, {**GOOD, "properties": {"n": 0}}]})
    batch = parse_batch(body.replace(": 0}", f": {number}}}").encode(), NOW, Settings())
    assert [index for index, _ in batch.events] == [0]
    assert [(rejected.position, rejected.code) for rejected in batch.rejected] == [
        (1, "invalid_value"),
        (2, "invalid_event"),
    ]


def test_parse_batch__number_as_user_id__is_refused_with_the_advice_to_use_quotes():
    assert rejection({**GOOD, "user_id": 42}).message == "user_id must be a string, not a number; put it in quotes"


def test_parse_batch__properties_nested_almost_too_deeply_for_json__are_taken_or_rejected():
    for depth in (100, 500, 900, 960, 980, 990):
        properties = '{"a":' * depth + "1" + "}" * depth
        body = json.dumps({"events": [GOOD, {**GOOD, "properties": {}}]}).replace("{}", properties).encode()
        try:
            batch = parse_batch(body, NOW, Settings())
        except ApiError as error:
            assert error.code == "invalid_json"  # noqa: PT017  (either outcome is right)
        else:
            assert len(batch.events) + len(batch.rejected) == 2


def test_parse_batch__properties_of_exactly_the_limit__are_taken():
    frame = len(json.dumps({"a": ""}, separators=(",", ":")))
    taken(properties={"a": "x" * (MAX_PROPERTIES_BYTES - frame)})
    taken(properties={"a": "é" * ((MAX_PROPERTIES_BYTES - frame) // 2)})


def test_parse_batch__properties_one_byte_over_the_limit__are_rejected():
    frame = len(json.dumps({"a": ""}, separators=(",", ":")))
    assert rejection({**GOOD, "properties": {"a": "x" * (MAX_PROPERTIES_BYTES - frame + 1)}}).code == (
        "properties_too_large"
    )


@pytest.mark.parametrize("retention_days", [1, 400, 20_000])
def test_parse_batch__exactly_as_old_as_retention__is_accepted_and_a_millisecond_more_is_not(retention_days):
    settings = Settings(retention_days=retention_days)
    edge = NOW - timedelta(days=retention_days)
    assert parse({**GOOD, "timestamp": format_instant(edge)}, settings=settings).events
    with pytest.raises(ApiError) as caught:
        parse({**GOOD, "timestamp": format_instant(edge - timedelta(milliseconds=1))}, settings=settings)
    assert caught.value.extra["rejected"][0]["code"] == "timestamp_too_old"


def test_parse_batch__exactly_15_minutes_ahead__is_accepted_and_a_millisecond_more_is_not():
    edge = NOW + timedelta(minutes=15)
    assert taken(timestamp=format_instant(edge)).at == edge
    rejected = rejection({**GOOD, "timestamp": format_instant(edge + timedelta(milliseconds=1))})
    assert rejected.code == "timestamp_in_future"
    assert "2026-11-21T10:00:00Z" in rejected.message


def test_parse_batch__clock_with_microseconds__does_not_move_the_edges():
    now = NOW + timedelta(microseconds=999)
    assert parse({**GOOD, "timestamp": format_instant(NOW - timedelta(days=400))}, now=now).events


def test_parse_batch__rejected_event__is_named_by_an_id_that_can_be_shown():
    assert rejection({**GOOD, "event_id": "mine", "name": ""}).event_id == "mine"
    assert rejection({**GOOD, "event_id": "x" * 101}).event_id is None
    assert rejection({**GOOD, "event_id": "\ud800"}).event_id is None


def test_parse_batch__no_event_id__is_derived_from_the_content():
    bare = {name: value for name, value in GOOD.items() if name != "event_id"}
    first, same, null, spelled, other = (
        parse(event).events[0][1].event_id
        for event in (
            bare,
            {**bare, "timestamp": "2026-11-20T12:00:00.000+02:00", "value": 1.0, "properties": {}},
            {**bare, "event_id": None, "user_id": None},
            {**bare, "properties": {"b": 1, "a": 2}},
            {**bare, "properties": {"a": 2, "b": 1}},
        )
    )
    assert first == same == null
    assert spelled == other != first
    assert first.startswith("auto-")


@pytest.mark.parametrize(
    "change",
    [
        {"account_id": "other"},
        {"name": "logout"},
        {"timestamp": "2026-11-20T10:00:00.001Z"},
        {"user_id": "ann"},
        {"anonymous_id": "ann"},
        {"session_id": "ann"},
        {"value": 2},
        {"properties": {"a": 1}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_parse_batch__no_event_id_and_other_content__is_another_event(change):
    bare = {name: value for name, value in GOOD.items() if name != "event_id"}
    assert parse(bare).events[0][1].event_id != parse({**bare, **change}).events[0][1].event_id


def test_parse_batch__all_rejected__is_an_error_that_lists_them():
    error = refusal(json.dumps({"events": [{**GOOD, "name": None}, 3]}).encode())
    assert (error.status, error.code) == (400, "all_rejected")
    assert error.extra["rejected"] == [
        {"index": 0, "event_id": "e1", "code": "invalid_event", "message": "name must not be null"},
        {"index": 1, "event_id": None, "code": "invalid_event", "message": "an event must be an object, not a number"},
    ]


def test_parse_batch__as_many_events_as_allowed__are_taken_and_one_more_is_refused_as_a_whole():
    assert len(parse(*[GOOD] * MAX_EVENTS).events) == MAX_EVENTS
    error = refusal(json.dumps({"events": [GOOD] * (MAX_EVENTS + 1)}).encode())
    assert (error.status, error.code) == (413, "too_many_events")


@pytest.mark.parametrize(
    "body",
    [
        [],
        [GOOD],
        GOOD,
        "events",
        None,
        3,
        {},
        {"events": None},
        {"events": {}},
        {"events": "x"},
        {"events": [], "a": 1},
    ],
    ids=repr,
)
def test_parse_batch__another_shape__is_an_invalid_request(body):
    error = refusal(json.dumps(body).encode())
    assert (error.status, error.code) == (400, "invalid_request")
