from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.api import schemas
from healthscore.core.alerts.settings import AlertSettings, Declining, ScoreFell
from healthscore.core.detectors.registry import DETECTORS
from healthscore.core.identity.settings import IdentitySettings
from healthscore.http.errors import ApiError
from healthscore.settings import Settings

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def faults(read, *arguments) -> dict[str, str]:
    """What a check finds wrong, by field."""
    with pytest.raises(ApiError) as caught:
        read(*arguments)
    error = caught.value
    assert (error.status, error.code) == (400, "invalid_request")
    return {fault["field"]: fault["message"] for fault in error.extra.get("fields", [])}


def profile_faults(**fields):
    return faults(schemas.read_profile, fields)


def settings_faults(**fields):
    return faults(schemas.read_settings, fields)


def crm_faults(**fields):
    return faults(schemas.read_crm, fields, NOW)


def test_read_profile__every_field__is_kept():
    profile = {
        "name": "Acme \N{ROCKET}",
        "owner": "Ann",
        "owner_email": "ann@example.com",
        "plan": "pro",
        "arr": 12000.5,
        "renewal_date": "2027-01-31",
        "created_at": "2026-01-02",
        "attributes": {"tier": "gold", "seats": 40, "ratio": 0.5, "beta": True, "note": "two\nlines"},
        "champions": ["u1", "u2"],
        "expected_cadence_days": 7,
        "usage_mode": "periodic",
        "usage_channel": "both",
        "signals": {"value_events": [], "integrations": {"Jira": ["issue_created"]}, "features": {"a": ["b", "c"]}},
    }
    assert schemas.read_profile(profile) == profile


def test_read_profile__spaces_offsets_and_repeats__are_tidied():
    profile = schemas.read_profile(
        {"name": " Acme ", "created_at": "2026-01-02T01:00:00+02:00", "champions": ["b", "a", "b"]}
    )
    assert profile == {"name": "Acme", "created_at": "2026-01-01T23:00:00Z", "champions": ["b", "a"]}


def test_read_profile__signals_beyond_their_room__are_refused():
    features = {f"f{i}": [f"{i}{j:02d}{'x' * 190}" for j in range(3)] for i in range(20)}
    said = profile_faults(signals={"features": features})
    assert said == {"signals": "must not take more than 8192 bytes as compact JSON; they take 11954"}


def test_merge_profile__signals_one_by_one__leaves_the_others_and_null_takes_one_away():
    stored = {"name": "Acme", "signals": {"value_events": ["a"], "features": {"x": ["b"]}}}
    change = schemas.read_profile({"signals": {"value_events": None, "integrations": {"Jira": ["c"]}}})
    merged = schemas.merge_profile(stored, change)
    assert merged == {"name": "Acme", "signals": {"features": {"x": ["b"]}, "integrations": {"Jira": ["c"]}}}


def test_merge_profile__signals_that_outgrow_their_room_together__are_refused():
    half = {"a": [f"{i:02d}{'x' * 180}" for i in range(25)]}
    stored = {"signals": {"features": half}}
    said = faults(schemas.merge_profile, stored, {"signals": {"integrations": half}})
    assert said["signals"].startswith("after the change must not take more than 8192 bytes")


def test_read_profile__null__is_kept_apart_from_left_out():
    nulls = dict.fromkeys(
        [
            "name",
            "arr",
            "attributes",
            "champions",
            "renewal_date",
            "expected_cadence_days",
            "usage_mode",
            "usage_channel",
            "signals",
        ]
    )
    assert schemas.read_profile(nulls) == nulls
    assert schemas.read_profile({}) == {}


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", 1, "must be a string, not a number"),
        ("name", " ", "must not be blank; send null where there is none"),
        ("name", "x" * 201, "must not be longer than 200 characters; it has 201"),
        ("owner", "a\nb", "must not contain control characters or broken Unicode"),
        ("plan", "\ud800", "must not contain control characters or broken Unicode"),
        ("owner_email", "ann", "must be one e-mail address, such as ann@example.com"),
        ("owner_email", "a@b.c, d@e.f", "must be one e-mail address, such as ann@example.com"),
        ("owner_email", "ann@" + "x" * 251, "must be one e-mail address, such as ann@example.com"),
        ("arr", "12", "must be a number, not a string"),
        ("arr", True, "must be a number, not a boolean"),
        ("arr", -0.01, "must lie between 0 and 1000000000000000"),
        ("arr", float("inf"), "must lie between 0 and 1000000000000000"),
        ("renewal_date", "2027-02-29", "cannot be read: there is no such day"),
        ("renewal_date", "2027-02-28T00:00:00Z", "cannot be read: it must be a date such as 2026-11-21"),
        (
            "created_at",
            "2026-01-02T10:00:00",
            "cannot be read: it needs a time of day and an offset, such as 2026-11-21T10:00:00Z",
        ),
        ("attributes", [], "must be an object, not a list"),
        ("attributes", {"a": {}}, 'must be flat, but "a" is an object'),
        ("attributes", {"a": float("inf")}, 'must not hold a number as large as "a"'),
        ("attributes", {"a": "\ud800"}, "must not hold broken Unicode (half a surrogate pair)"),
        ("attributes", {"a ": 1}, 'must not have names with spaces at an end, such as "a "'),
        ("attributes", {str(i): i for i in range(51)}, "must not have more than 50 entries; it has 51"),
        ("attributes", {"a": "x" * 16_384}, "must not take more than 16384 bytes as compact JSON; it takes 16392"),
        ("champions", "u1", "must be a list, not a string"),
        ("champions", [f"u{i}" for i in range(101)], "must not name more than 100 users; it names 101"),
        ("expected_cadence_days", 0, "must lie between 1 and 365"),
        ("expected_cadence_days", 1.0, "must be a whole number, not 1.0"),
        ("expected_cadence_days", "7", "must be a whole number, not a string"),
        ("usage_mode", "daily", "must be 'continuous' or 'periodic'"),
        ("usage_channel", "robots", "must be 'people', 'api' or 'both'"),
        ("plna", "pro", "is no field that can be set here"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_read_profile__bad_field__is_named_with_what_is_wrong(field, value, says):
    assert profile_faults(**{field: value}) == {field: says}


def test_read_profile__name_of_a_field_in_broken_unicode__is_refused():
    assert profile_faults(**{"\ud800": 1}) == {"the object": "cannot be read"}


def test_read_profile__bad_item_of_a_list__is_named_by_its_position():
    assert profile_faults(champions=["u1", 2, "u\n3"]) == {
        "champions[1]": "must be a string, not a number",
        "champions[2]": "must not contain control or other invisible characters",
    }


def test_read_profile__many_faults__are_all_listed_and_the_first_put_in_words():
    with pytest.raises(ApiError) as caught:
        schemas.read_profile({"name": 1, "owner": 2, "plan": 3, "arr": "4", "x": 5})
    assert caught.value.message == (
        "Nothing was changed: name must be a string, not a number; owner must be a string, not a number; "
        "plan must be a string, not a number; and 2 more, see `fields`."
    )
    assert [fault["field"] for fault in caught.value.extra["fields"]] == ["name", "owner", "plan", "arr", "x"]


@pytest.mark.parametrize("body", [None, [], "name", 3, True])
@pytest.mark.parametrize(
    "read", [schemas.read_profile, schemas.read_settings, lambda body: schemas.read_crm(body, NOW)], ids=["p", "s", "c"]
)
def test_read__no_object__is_an_invalid_request(read, body):
    assert faults(read, body) == {}


@given(
    st.dictionaries(
        st.sampled_from([*schemas.Profile.__annotations__, "other"]) | st.text(st.characters()),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
            max_leaves=5,
        ),
    )
)
def test_read__any_object__is_taken_or_refused_in_words_that_can_be_sent(body):
    for read in (schemas.read_profile, schemas.read_settings, lambda body: schemas.read_crm(body, NOW)):
        try:
            read(body)
        except ApiError as error:
            assert error.code == "invalid_request"  # noqa: PT017  (either outcome is right)
            str(error.body("id")).encode()


def test_merge_profile__fields_sent__replace_and_null_removes():
    stored = {"name": "Acme", "plan": "pro", "champions": ["a"]}
    merged = schemas.merge_profile(stored, {"name": "ACME", "plan": None, "owner": "Ann", "arr": None})
    assert merged == {"name": "ACME", "champions": ["a"], "owner": "Ann"}
    assert stored == {"name": "Acme", "plan": "pro", "champions": ["a"]}


def test_merge_profile__attributes__merge_one_by_one():
    merged = schemas.merge_profile({"attributes": {"a": 1, "b": 2}}, {"attributes": {"b": None, "c": False}})
    assert merged == {"attributes": {"a": 1, "c": False}}


def test_merge_profile__attributes_null__removes_them_all():
    assert schemas.merge_profile({"attributes": {"a": 1}}, {"attributes": None}) == {}


def test_merge_profile__too_many_attributes_together__is_refused():
    stored = {"attributes": {f"a{i}": i for i in range(30)}}
    change = {"attributes": {f"b{i}": i for i in range(30)}}
    assert faults(schemas.merge_profile, stored, change) == {
        "attributes": "after the change must not have more than 50 entries; it has 60"
    }


def test_read_crm__every_field__becomes_facts_as_received():
    facts = schemas.read_crm(
        {
            "provider": "hubspot",
            "open_tickets": 3,
            "high_priority_open": True,
            "last_meeting_at": "2026-11-12T15:00:00+01:00",
            "last_email_at": "2026-11-19T08:30:00Z",
            "last_contact_at": None,
            "active_deal": True,
            "deal_updated_at": "2026-11-10T11:00:00Z",
            "renewal_date": "2027-03-31",
            "churned": False,
        },
        NOW,
    )
    assert facts.received_at == NOW
    assert facts.unknown == frozenset()
    assert (facts.open_tickets, facts.high_priority_open) == (3, 1)
    assert facts.last_meeting_at == datetime(2026, 11, 12, 14, tzinfo=UTC)
    assert (facts.last_contact_at, facts.renewal_date) == (None, date(2027, 3, 31))


def test_read_crm__fields_left_out__are_unknown_and_null_is_none():
    facts = schemas.read_crm({"open_tickets": None, "high_priority_open": 0}, NOW)
    assert (facts.open_tickets, facts.high_priority_open) == (None, 0)
    assert "open_tickets" not in facts.unknown
    assert {"active_deal", "churned", "last_contact_at", "provider"} <= facts.unknown


def test_read_crm__provider_alone__says_that_nothing_else_is_known():
    facts = schemas.read_crm({"provider": "hubspot"}, NOW)
    assert facts.unknown == frozenset(schemas.Crm.__annotations__) - {"provider"}


def test_read_crm__nothing_at_all__is_refused():
    assert crm_faults() == {}


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"open_tickets": "3"}, {"open_tickets": "must be a whole number, not a string"}),
        ({"open_tickets": True}, {"open_tickets": "must be a whole number, not a boolean"}),
        ({"open_tickets": -1}, {"open_tickets": "must lie between 0 and 1000000"}),
        ({"high_priority_open": "no"}, {"high_priority_open": "must be a whole number, not a string"}),
        ({"active_deal": 1}, {"active_deal": "must be true or false, not a number"}),
        ({"churned": "false"}, {"churned": "must be true or false, not a string"}),
        ({"last_email_at": 1_795_255_140}, {"last_email_at": "must be a string, not a number"}),
        ({"renewal_date": "soon"}, {"renewal_date": "cannot be read: it must be a date such as 2026-11-21"}),
        ({"tickets": 3}, {"tickets": "is no field that can be set here"}),
    ],
    ids=str,
)
def test_read_crm__bad_field__is_named_with_what_is_wrong(fields, fault):
    assert crm_faults(**fields) == fault


@pytest.mark.parametrize("open_tickets", [0, 1, None])
def test_read_crm__more_urgent_tickets_than_tickets__is_a_contradiction(open_tickets):
    assert list(crm_faults(open_tickets=open_tickets, high_priority_open=2)) == ["high_priority_open"]


def test_read_settings__some_fields__leaves_the_others_at_their_defaults():
    settings = schemas.read_settings(
        {"retention_days": 20_000, "alerts": {"declining": {"enabled": False}, "score_fell": {"days": 30}}}
    )
    assert settings == Settings(
        retention_days=20_000,
        alerts=AlertSettings(declining=Declining(enabled=False), score_fell=ScoreFell(days=30)),
    )


def test_read_settings__what_is_answered__can_be_sent_back():
    settings = Settings("Asia/Kolkata", ("a", "b"), 1, identity=IdentitySettings(("demo", "Test User")))
    assert schemas.read_settings(settings.to_json()) == settings


def test_read_settings__detector_that_is_none__is_refused_with_those_that_there_are():
    said = settings_faults(signals={"drops": {"enabled": False}})["signals"]
    assert said.startswith('must name detectors, but "drops" is none; there are regime_change, ')
    assert all(detector.name in said for detector in DETECTORS)


def test_read_settings__event_of_two_integrations__is_refused_with_both():
    said = settings_faults(integrations={"Jira": ["issue", "sync"], "Slack": ["sync"]})
    assert said == {"integrations": 'must not name an event twice, but "sync" is in "Jira" and "Slack"'}


def test_read_settings__quiet_days__are_kept_once_and_in_order():
    read = schemas.read_settings({"quiet_days": ["2026-12-26", "2026-12-25", "2026-12-26"]})
    assert read.early_warning.quiet_days == ("2026-12-25", "2026-12-26")


def test_read_settings__placeholders__are_kept_once_and_as_ids_are():
    read = schemas.read_settings({"identity": {"placeholders": [" Demo ", "x", "demo", "Zoe\u0308"]}})
    assert read.identity.placeholders == ("Demo", "x", "Zo\u00eb")


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("timezone", "utc", "timezone"),
        ("timezone", "America", "timezone"),
        ("timezone", "../etc/passwd", "timezone"),
        ("timezone", "\ud800", "timezone"),
        ("timezone", None, "timezone"),
        ("milestones", [], "milestones"),
        ("milestones", "login", "milestones"),
        ("milestones", ["a", "a"], "milestones"),
        ("milestones", [f"m{i}" for i in range(51)], "milestones"),
        ("milestones", ["a", ""], "milestones[1]"),
        ("milestones", ["x" * 201], "milestones[0]"),
        ("retention_days", 0, "retention_days"),
        ("retention_days", 20_001, "retention_days"),
        ("retention_days", 400.0, "retention_days"),
        ("retention_days", True, "retention_days"),
        ("retention_days", None, "retention_days"),
        ("identity", {"placeholders": "demo"}, "identity.placeholders"),
        ("identity", {"placeholders": ["demo", " "]}, "identity.placeholders[1]"),
        ("identity", {"placeholders": [f"p{i}" for i in range(201)]}, "identity.placeholders"),
        ("identity", {"nobody": []}, "identity.nobody"),
        ("alerts", None, "alerts"),
        ("alerts", {"silent": {"days": 0}}, "alerts.silent.days"),
        ("alerts", {"silent": {"enabled": 1}}, "alerts.silent.enabled"),
        ("alerts", {"score_fell": {"days": 31}}, "alerts.score_fell.days"),
        ("alerts", {"score_fell": {"points": 101}}, "alerts.score_fell.points"),
        ("alerts", {"band_fell": {"points": 3}}, "alerts.band_fell.points"),
        ("alerts", {"quiet": {}}, "alerts.quiet"),
        ("value_events", [f"e{i}" for i in range(51)], "value_events"),
        ("value_events", ["a", "a"], "value_events"),
        ("value_events", ["a", ""], "value_events[1]"),
        ("integrations", [], "integrations"),
        ("integrations", {"Jira": []}, "integrations.Jira"),
        ("integrations", {"Jira": ["a", 1]}, "integrations.Jira[1]"),
        ("integrations", {"Jira ": ["a"]}, "integrations"),
        ("integrations", {"x" * 51: ["a"]}, "integrations"),
        ("integrations", {"Jira": ["a"], "Slack": ["b", "a"]}, "integrations"),
        ("integrations", {f"i{i}": [f"e{i}"] for i in range(21)}, "integrations"),
        ("features", {"": ["a"]}, "features"),
        ("features", {"a": ["e"], "b": ["e"]}, "features"),
        ("features", {"a": [f"e{i}" for i in range(51)]}, "features.a"),
        ("quiet_days", ["2026-02-29"], "quiet_days[0]"),
        ("quiet_days", ["2026-02-28T00:00:00Z"], "quiet_days[0]"),
        ("quiet_days", [f"2026-{m:02d}-{d:02d}" for m in range(1, 9) for d in range(1, 29)], "quiet_days"),
        ("escalation_owner", " ", "escalation_owner"),
        ("sensitivity", "loud", "sensitivity"),
        ("overdue_irregular", 20, "overdue_irregular"),
        ("overdue_irregular", 91, "overdue_irregular"),
        ("signals", {"drops": {"enabled": False}}, "signals"),
        ("signals", {"drop": {}}, "signals.drop.enabled"),
        ("signals", {"drop": {"enabled": 1}}, "signals.drop.enabled"),
        ("signals", {"drop": False}, "signals.drop"),
        ("version", 1, "version"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_read_settings__bad_field__is_named_by_its_path(field, value, path):
    assert list(settings_faults(**{field: value})) == [path]


def test_read_settings__null__is_refused_with_what_it_must_be():
    assert settings_faults(retention_days=None) == {"retention_days": "must be a whole number, not null"}
