"""What the clients of the Segment family send is read as they mean it, and one bad call never costs another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.api.event_rules import MAX_EVENTS
from healthscore.api.segment_com_calls import parse_calls
from healthscore.api.segment_com_traits import account_traits, person_traits
from healthscore.core.identity.calls import Alias, GroupCall, Identification
from healthscore.core.identity.settings import IdentitySettings
from healthscore.core.model import MICROS
from healthscore.core.time import format_instant, millis
from healthscore.http.errors import ApiError
from healthscore.settings import Settings

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
NOON = "2026-11-20T12:00:00Z"
TRACK = {"type": "track", "event": "seen", "userId": "ann", "messageId": "m", "timestamp": NOON}


NOBODIES = ["undefined", " Null", "[object Object]", 0, -1, False, "00000000-0000-0000-0000-000000000000", "demo"]


def parse(*calls, kind=None, **beside):
    body = calls[0] if kind else {"batch": list(calls), **beside}
    return parse_calls(body, kind, NOW, Settings(identity=IdentitySettings(("Demo",))))


def tracked(call=TRACK, **fields):
    parsed = parse({**call, **fields})
    assert parsed.rejected == []
    return parsed.calls.tracked_events[0]


def entry(**fields):
    return tracked(**fields).entry


def code(call):
    (rejection,) = parse(call).rejected
    return rejection.code


@pytest.mark.parametrize(
    ("fields", "account_id"),
    [
        ({}, None),
        ({"context": {"groupId": "a"}, "groupId": "b", "properties": {"account_id": "c"}}, "a"),
        ({"context": {"groupId": ""}, "groupId": "b", "properties": {"account_id": "c"}}, "b"),
        ({"context": None, "groupId": None, "properties": {"account_id": "c"}}, "c"),
        ({"groupId": 17}, "17"),
    ],
)
def test_account__of_an_event__is_the_first_that_is_named(fields, account_id):
    assert tracked(**fields).account_id == account_id


@pytest.mark.parametrize(
    ("fields", "person"),
    [
        ({"userId": "ann", "anonymousId": "x"}, "uann"),
        ({"userId": "", "anonymousId": "x"}, "ax"),
        ({"userId": None, "anonymousId": "x"}, "ax"),
        ({"userId": 42}, "u42"),
        ({"userId": 42.0}, "u42"),
        ({"userId": 2**63 + 1}, "u9223372036854775809"),
        ({"userId": 10**199 + 1}, f"u{10**199 + 1}"),
        ({"userId": -(2**63)}, "u-9223372036854775808"),
        ({"userId": " Zoe\u0308\n"}, "uZo\u00eb"),
        ({"userId": " ", "anonymousId": "x"}, "ax"),
    ],
)
def test_person__by_user_or_anonymous_id__numbers_as_text(fields, person):
    assert entry(**fields).person == person


@pytest.mark.parametrize("nobody", NOBODIES)
def test_person__id_that_names_nobody__is_not_said(nobody):
    assert entry(userId=nobody, anonymousId="x").person == "ax"
    assert entry(userId=nobody, anonymousId=nobody, context={"groupId": "acme"}).person is None
    assert tracked(context={"groupId": nobody}, groupId=nobody, properties={"account_id": "acme"}).account_id == "acme"
    assert tracked(context={"groupId": nobody}).account_id is None
    assert entry(messageId=nobody) == entry(messageId=None)
    assert entry(context={"sessionId": nobody}).session == 0


@pytest.mark.parametrize("nobody", NOBODIES)
def test_identify__of_nobody_on_a_device__describes_the_device_and_joins_nothing(nobody):
    calls = parse({"type": "identify", "userId": nobody, "anonymousId": "x", "traits": {"name": "Ann"}}).calls
    assert [(one.about, one.traits) for one in calls.people] == [("ax", {"name": "Ann"})]
    assert (calls.aliases, calls.group_calls) == ([], [])


@pytest.mark.parametrize("nobody", NOBODIES)
def test_identify__with_a_group_that_names_nobody__attaches_nothing(nobody):
    parsed = parse({"type": "identify", "userId": "ann", "context": {"groupId": nobody}})
    assert (parsed.updates, parsed.calls.group_calls) == (["identify"], [])


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ({"userId": "undefined"}, 'userId "undefined"'),
        ({"userId": "", "anonymousId": "null"}, 'anonymousId "null"'),
        ({"userId": None, "groupId": "None"}, 'groupId "None"'),
        ({"type": "identify", "userId": 0}, 'userId "0"'),
        ({"type": "identify", "userId": "nil", "context": {"groupId": "nan"}}, 'userId "nil"'),
        ({"type": "group", "groupId": "undefined"}, 'groupId "undefined"'),
        ({"type": "group", "groupId": "acme", "userId": "guest"}, 'userId "guest"'),
        ({"type": "alias", "userId": "undefined", "previousId": "x"}, 'userId "undefined"'),
        ({"type": "alias", "previousId": "anonymous", "anonymousId": "x"}, 'previousId "anonymous"'),
        ({"type": "alias", "anonymousId": "true"}, 'anonymousId "true"'),
    ],
)
def test_call__that_names_nobody__is_rejected_with_that_reason(call, reason):
    (rejected,) = parse({**TRACK, **call}).rejected
    assert (rejected.code, rejected.message) == ("invalid_event", f"{reason} stands for nobody")


@pytest.mark.parametrize("user_id", [4.5, 1e300, 2.0**53, float("inf"), {"id": 1}, ["ann"], "a\x00b", "x" * 201])
def test_person__no_id__rejects_that_call_alone(user_id):
    parsed = parse({**TRACK, "userId": user_id}, TRACK)
    assert ([one.position for one in parsed.rejected], len(parsed.calls.tracked_events)) == ([0], 1)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ({"type": "nothing"}, "invalid_event"),
        ({"type": ["track"]}, "invalid_event"),
        ("track", "invalid_event"),
        ({**TRACK, "event": None}, "invalid_event"),
        ({**TRACK, "event": 7}, "invalid_event"),
        ({**TRACK, "event": ""}, "invalid_name"),
        ({**TRACK, "event": "x" * 201}, "too_long"),
        ({**TRACK, "userId": None}, "invalid_event"),
        ({**TRACK, "messageId": "a\nb"}, "invalid_id"),
        ({**TRACK, "messageId": "x" * 101}, "too_long"),
        ({**TRACK, "timestamp": "yesterday"}, "invalid_timestamp"),
        ({**TRACK, "timestamp": 1_700_000_000}, "timestamp_too_old"),
        ({**TRACK, "timestamp": 20_261_120}, "invalid_timestamp"),
        ({**TRACK, "timestamp": "2026112012000"}, "timestamp_in_future"),
        ({**TRACK, "timestamp": "20261120120000"}, "invalid_timestamp"),
        ({**TRACK, "timestamp": float("inf")}, "invalid_timestamp"),
        ({**TRACK, "timestamp": 10**300}, "invalid_timestamp"),
        ({**TRACK, "timestamp": True}, "invalid_timestamp"),
        ({**TRACK, "timestamp": "9999-12-31T23:59:59-01:00"}, "invalid_timestamp"),
        ({**TRACK, "timestamp": None, "originalTimestamp": "NaN"}, "invalid_timestamp"),
        ({**TRACK, "timestamp": "2001-01-01T00:00:00Z"}, "timestamp_too_old"),
        ({**TRACK, "timestamp": "2026-11-21T10:15:01Z"}, "timestamp_in_future"),
        ({**TRACK, "properties": "none"}, "invalid_event"),
        ({**TRACK, "properties": {"text": "x" * 33_000}}, "properties_too_large"),
        ({"type": "group", "userId": "ann"}, "invalid_event"),
        ({"type": "group", "groupId": "acme"}, "invalid_event"),
        ({"type": "identify", "traits": {}}, "invalid_event"),
        ({"type": "alias", "userId": "ann"}, "invalid_event"),
        ({"type": "group", "userId": "ann", "groupId": "acme", "timestamp": "2027-01-01"}, "timestamp_in_future"),
    ],
)
def test_call__that_cannot_be_taken__is_rejected_with_its_reason(call, expected):
    assert code(call) == expected


@pytest.mark.parametrize("kind", ["Track", "TRACK", " track "])
def test_kind__however_it_is_written__is_read(kind):
    assert entry(type=kind).name == entry(type=None, action=kind).name == "seen"


def test_event__name_with_spaces_at_its_ends__is_trimmed_and_composed():
    assert entry(event=" Gro\u0308\u00dfe ").name == "Gr\u00f6\u00dfe"


def test_call__with_members_nobody_knows__is_taken():
    assert (
        tracked(integrations={"All": True}, _metadata={"nodeVersion": "20"}, writeKey="k", version=2).entry.name
        == "seen"
    )


@pytest.mark.parametrize(("kind", "name"), [("page", "page_viewed"), ("screen", "screen_viewed")])
def test_page__by_any_name__is_one_event(kind, name):
    assert entry(type=kind, name="Home").name == name


@pytest.mark.parametrize(
    ("call", "page"),
    [
        ({"name": "Home"}, "Home"),
        ({"properties": {"name": "Home"}}, "Home"),
        ({"name": "Größe ändern ↗", "properties": {"name": "other"}}, "Größe ändern ↗"),
        ({"name": f"  {'x' * 199} and more"}, "x" * 199),
        ({}, ""),
        ({"name": "  "}, ""),
        ({"name": 7}, ""),
        ({"name": "\x07"}, ""),
        ({"type": "track", "name": "Home"}, ""),
    ],
)
def test_page__with_a_name_of_its_own__keeps_as_much_of_it_as_there_is_room_for(call, page):
    assert entry(**{"type": "page", **call}).page == page


def test_page__without_a_message_id__differs_from_another_page_at_the_same_moment():
    one, other = (entry(type="page", name=name, messageId=None) for name in ("Home", "Prices"))
    assert one.at == other.at
    assert one.id != other.id


@pytest.mark.parametrize(
    ("value", "micros"), [(None, MICROS), (120, 120 * MICROS), (0.5, 500_000), ("many", MICROS), (True, MICROS)]
)
def test_value__in_properties__counts_where_it_is_a_number(value, micros):
    assert entry(properties={"value": value}).value == micros


def test_session__from_the_context__number_or_text():
    assert entry(context={"sessionId": 1700}).session == entry(context={"sessionId": "1700"}).session != 0
    assert entry().session == 0


def test_context__beside_the_batch__holds_where_a_call_does_not_say_otherwise():
    parsed = parse(TRACK, {**TRACK, "context": {"groupId": "own"}}, context={"groupId": "shared"})
    assert [one.account_id for one in parsed.calls.tracked_events] == ["shared", "own"]


def at(call=TRACK, **fields):
    return entry(**{**call, **fields}).at - millis(datetime(2026, 11, 20, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T12:00:00Z",
        "2026-11-20T12:00:00",
        "2026-11-20T13:00:00+01:00",
        "2026-11-20T13:00:00+0100",
        "2026-11-20 12:00:00.000000",
        "2026-11-20T12:00:00.000123456Z",
        " 2026-11-20T12:00:00Z ",
        1_795_176_000,
        1_795_176_000_000,
        1_795_176_000.0001,
        "1795176000",
        "1795176000000",
        "1795176000.000",
    ],
)
def test_time__as_any_client_writes_it__is_read(text):
    assert at(timestamp=text) == at(timestamp=None, originalTimestamp=text) == 0


def test_time__in_seconds_with_a_fraction__keeps_its_millisecond():
    assert [at(timestamp=1_795_176_000 + n / 1000) for n in range(1000)] == list(range(1000))


def test_time__not_sent__is_that_of_receipt():
    assert entry(timestamp=None).at == millis(NOW)


def of_message(sender, message_id="m"):
    return f"{sender}\x1f{message_id}"


@pytest.mark.parametrize(
    ("sent_at", "correction"),
    [
        (NOW, timedelta(0)),
        (NOW - timedelta(minutes=7), timedelta(0)),
        (NOW - timedelta(hours=25), timedelta(0)),
        (NOW - timedelta(days=300), timedelta(0)),
        (NOW + timedelta(minutes=15), timedelta(0)),
        (NOW + timedelta(minutes=15, milliseconds=1), timedelta(minutes=-15, milliseconds=-1)),
        (NOW + timedelta(hours=2, seconds=3), timedelta(hours=-2, seconds=-3)),
        (NOW + timedelta(days=300), timedelta(days=-300)),
    ],
)
def test_clock__only_one_that_is_surely_ahead__is_put_right_and_exactly(sent_at, correction):
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    for one in (tracked(sentAt=format_instant(sent_at)), parse(TRACK, sentAt=millis(sent_at)).calls.tracked_events[0]):
        assert one.entry.at == millis(noon + correction)
        assert one.written == (millis(noon) if correction else None)
        assert one.message is None


@given(st.floats(0, 400), st.floats(0, 400), st.integers(1, 1000))
def test_clock__that_is_ahead_by_any_span__gives_the_time_by_the_receiving_clock(age, way, ahead):
    """A client whose clock is off, sending some seconds after the event, over a slow line: the age is what counts."""
    sent = NOW - timedelta(seconds=way) + timedelta(minutes=30, hours=ahead)
    written = sent - timedelta(seconds=age)
    one = tracked(timestamp=format_instant(written), sentAt=format_instant(sent))
    assert one.entry.at == millis(NOW) - (millis(sent) - millis(written))


def test_clock__time_after_the_sending_time__is_not_from_the_future():
    assert at(sentAt="2026-11-19T12:00:00Z") == 0
    rejected = parse({**TRACK, "timestamp": "2019-10-15", "sentAt": "2019-10-14"}).rejected[0]
    assert (rejected.code, "ahead" in rejected.message) == ("timestamp_too_old", False)


@pytest.mark.parametrize(
    "clock",
    [
        "never",
        "",
        True,
        None,
        [],
        {},
        7,
        float("nan"),
        float("inf"),
        10**300,
        "0001-01-01",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_clock__that_says_nothing__changes_nothing(clock):
    assert at(sentAt=clock) == at(receivedAt=clock, timestamp=None, originalTimestamp=NOON) == 0
    assert parse(TRACK, sentAt=clock).calls.tracked_events[0].entry.at == entry().at


@pytest.mark.parametrize("clock", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00"])
def test_clock__at_the_end_of_the_calendar__never_crashes(clock):
    for field in ("sentAt", "receivedAt", "timestamp", "originalTimestamp"):
        parsed = parse({**TRACK, "timestamp": None, "originalTimestamp": NOON, field: clock}, TRACK)
        assert len(parsed.calls.tracked_events) + len(parsed.rejected) == 2


def test_clock__put_right_on_the_way__is_left_alone():
    assert at(sentAt="2026-11-20T12:00:01Z", receivedAt="2026-11-20T15:00:00Z") == 0
    assert at(sentAt="2027-11-20T12:00:01Z", receivedAt="2026-11-20T15:00:00Z") == 0


def test_clock__read_by_a_server_on_the_way__is_put_right_by_that_one_and_needs_no_memory():
    one = tracked(
        timestamp=None,
        originalTimestamp="2026-11-20T14:00:00Z",
        sentAt="2026-11-20T14:00:30Z",
        receivedAt="2026-11-20T12:00:30Z",
    )
    assert (one.entry.at, one.written) == (entry().at, None)


def test_time__not_sent__is_that_of_the_server_on_the_way():
    one = tracked(timestamp=None, receivedAt=NOON)
    assert (one.entry.at, one.message) == (entry().at, None)
    late = tracked(timestamp=None, receivedAt="2026-11-22T12:00:00Z")
    assert (late.entry.at, late.message) == (millis(NOW), of_message("uann"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, of_message("uann")),
        ({"userId": None, "anonymousId": "x"}, of_message("ax")),
        ({"userId": None, "groupId": "acme"}, of_message("gacme")),
        ({"messageId": None}, None),
        ({"messageId": "undefined"}, None),
    ],
)
def test_message__of_an_event_without_a_time__is_its_id_and_sender(fields, message):
    assert tracked(timestamp=None, **fields).message == message


def test_message__of_an_event_with_neither_id_nor_time__is_its_content_and_sending_time():
    sent = {**TRACK, "timestamp": None, "messageId": None, "sentAt": NOON}
    first, again = (
        parse_calls([sent], None, now, Settings()).calls.tracked_events[0] for now in (NOW, NOW + timedelta(days=1))
    )
    assert first.message == again.message != tracked({**sent, "sentAt": "2026-11-20T12:00:01Z"}).message
    assert first.entry.id == again.entry.id


def test_identity__of_a_corrected_event_without_message_id__does_not_depend_on_the_delivery():
    sent = {**TRACK, "messageId": None, "sentAt": format_instant(NOW + timedelta(hours=2))}
    ids = {
        parse_calls([sent], None, now, Settings()).calls.tracked_events[0].entry.id
        for now in (NOW, NOW + timedelta(minutes=1), NOW + timedelta(days=1))
    }
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("fields", "provisional"),
    [
        ({}, False),
        ({"timestamp": None}, True),
        ({"sentAt": "2026-11-21T12:00:00Z"}, True),
        ({"sentAt": "2026-11-01T12:00:00Z"}, False),
        ({"timestamp": None, "receivedAt": NOON}, False),
    ],
)
def test_identity_call__each_part__says_its_message_and_whether_its_time_is_provisional(fields, provisional):
    call = {"userId": "ann", "anonymousId": "x", "groupId": "acme", "messageId": "m", "timestamp": NOON}
    call |= {"context": {"groupId": "acme"}, "traits": {"name": "A"}, "previousId": "old", **fields}
    for kind in ("identify", "group", "alias"):
        calls = parse({"type": kind, **call}).calls
        parts = [*calls.group_calls, *calls.identifications, *calls.aliases, *calls.accounts, *calls.people]
        assert parts
        assert {(one.message, one.provisional) for one in parts} == {(of_message("uann"), provisional)}
        assert len({one.at for one in parts}) == 1


def test_identity_call__without_message_id__has_no_message():
    calls = parse({"type": "group", "userId": "ann", "groupId": "acme"}).calls
    assert [(one.message, one.provisional) for one in calls.group_calls] == [(None, True)]


@pytest.mark.parametrize(
    ("fields", "code", "beginning"),
    [
        ({"timestamp": "2026-11-21T10:15:01Z"}, "timestamp_in_future", 'timestamp "2026-11-21T10:15:01Z" is more than'),
        (
            {"timestamp": None, "originalTimestamp": 1_800_000_000},
            "timestamp_in_future",
            'originalTimestamp "1800000000" is more than 15 minutes ahead',
        ),
        (
            {"timestamp": "2026-11-22T12:00:00Z", "sentAt": "2026-11-21T12:00:00Z"},
            "timestamp_in_future",
            'timestamp "2026-11-22T12:00:00Z", corrected to 2026-11-22T10:00:00Z since sentAt "2026-11-21T12:00:00Z"',
        ),
        (
            {"sentAt": "9999-12-31T23:59:59Z"},
            "timestamp_too_old",
            f'timestamp "{NOON}", corrected to a time that no calendar has since sentAt "9999-12-31T23:59:59Z" is',
        ),
        ({"timestamp": None, "receivedAt": "2020-01-01"}, "timestamp_too_old", 'receivedAt "2020-01-01" is more than'),
    ],
)
def test_rejection__of_a_time__names_its_field_its_value_and_its_correction(fields, code, beginning):
    (rejected,) = parse({**TRACK, **fields}).rejected
    assert rejected.code == code
    assert rejected.message.startswith(beginning)


@pytest.mark.parametrize("kind", ["identify", "group", "alias"])
@pytest.mark.parametrize(
    ("written", "code"),
    [("0001-01-01T00:00:00Z", "timestamp_too_old"), ("9999-12-31", "timestamp_in_future"), (7, "invalid_timestamp")],
)
def test_identity_call__of_an_impossible_time__is_rejected(kind, written, code):
    call = {"type": kind, "userId": "ann", "groupId": "acme", "previousId": "x", "timestamp": written}
    assert [one.code for one in parse(call).rejected] == [code]


def test_identity__without_message_id__is_the_content():
    same, other = (entry(messageId=None, properties={"n": n}) for n in (1, 2))
    assert same == entry(messageId=None, properties={"n": 1})
    assert same.id != other.id


def test_group__with_both_ids__says_where_the_user_belongs_and_who_the_visitor_is():
    parsed = parse({"type": "group", "userId": 7, "anonymousId": "x", "groupId": 12, "timestamp": NOON})
    noon = millis(datetime(2026, 11, 20, 12, tzinfo=UTC))
    assert parsed.calls.group_calls == [GroupCall("u7", noon, "12")]
    assert parsed.calls.identifications == [Identification("ax", noon, "u7")]
    assert parsed.updates == ["group"]


def test_group__of_long_ago__is_taken():
    assert (
        len(parse({"type": "group", "userId": "u", "groupId": "g", "timestamp": "2001-01-01"}).calls.group_calls) == 1
    )


def test_identify__in_a_group__says_where_the_user_belongs():
    parsed = parse({"type": "identify", "userId": "ann", "context": {"groupId": "acme", "traits": {"name": "Ann"}}})
    assert [one.account_id for one in parsed.calls.group_calls] == ["acme"]
    assert [one.traits for one in parsed.calls.people] == [{"name": "Ann"}]


def test_alias__of_any_former_id__leads_to_the_user():
    sent = {"type": "alias", "previousId": "x", "userId": "ann", "messageId": "m"}
    assert parse(sent).calls.aliases == [Alias("ux", millis(NOW), "uann", of_message("uann"), provisional=True)]


@pytest.mark.parametrize("body", [TRACK, [TRACK], {"batch": [TRACK]}, {"batch": [{**TRACK, "action": "track"}]}])
def test_body__single_list_or_batch__same_event(body):
    assert [one.entry.name for one in parse_calls(body, None, NOW, Settings()).calls.tracked_events] == ["seen"]


def test_body__of_a_route_of_one_kind__needs_no_type():
    (one,) = parse_calls({"event": "seen", "userId": "ann"}, "track", NOW, Settings()).calls.tracked_events
    assert one.entry.name == "seen"


@pytest.mark.parametrize("body", [None, "x", 7, {}, {"batch": None}, {"batch": {}}])
def test_body__neither_call_nor_calls__400(body):
    with pytest.raises(ApiError) as refused:
        parse_calls(body, None, NOW, Settings())
    assert refused.value.code == "invalid_request"


def test_body__too_many_calls__413():
    with pytest.raises(ApiError) as refused:
        parse_calls([TRACK] * (MAX_EVENTS + 1), None, NOW, Settings())
    assert refused.value.code == "too_many_events"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("type", "userId", "anonymousId", "groupId", "previousId", "event", "messageId", "timestamp", "sentAt")


@given(
    st.sampled_from(["track", "page", "identify", "group", "alias", "other"]),
    st.dictionaries(st.sampled_from([*NAMES, "receivedAt", "context", "properties", "traits"]), json_values),
)
def test_call__of_any_content__is_taken_or_rejected_and_nothing_else(kind, fields):
    parsed = parse({"type": kind, "userId": "ann", "event": "seen", "groupId": "g", "previousId": "x", **fields}, TRACK)
    assert len(parsed.calls.tracked_events) + len(parsed.updates) + len(parsed.rejected) == 2


@given(st.dictionaries(st.sampled_from(["name", "plan", "arr", "createdAt", "email", "x"]) | st.text(), json_values))
def test_traits__of_any_content__are_taken_or_left_out(traits):
    account_traits(traits)
    person_traits(traits)


def test_account_traits__fields_by_their_rules__and_the_rest_as_attributes():
    found = account_traits(
        {"name": " Acme ", "plan": "pro", "arr": "12000", "createdAt": "2024-02-30", "industry": "x", "tags": ["a"]}
    )
    assert found == {"name": "Acme", "plan": "pro", "attributes.industry": "x"}


def test_person_traits__first_and_last_name__make_a_name():
    found = person_traits({"firstName": "Ann", "lastName": "Lee", "email": "ann@example.com", "phone": "1"})
    assert found == {"name": "Ann Lee", "email": "ann@example.com"}
