"""The judge of identity says what docs/identity.md says: its rules one by one, by hand, and its examples."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from healthscore.core.model import DayRollup, NameCount
from tests.support import identity_guide as guide
from tests.support import identity_judge as judge

DAY = datetime(2026, 11, 16, 9, tzinfo=UTC)
EXAMPLES = guide.examples()


def call(kind: str, minute: float, **said) -> judge.Call:
    """A call so many minutes after nine; `user`, `device` and `account` are its ids."""
    names = {"user": "userId", "device": "anonymousId", "account": "groupId", "previous": "previousId"}
    at = (DAY + timedelta(minutes=minute)).isoformat()
    return {"type": kind, "timestamp": at, **{names.get(name, name): value for name, value in said.items()}}


def track(message_id: str, minute: float, **said) -> judge.Call:
    return call("track", minute, messageId=message_id, event="login", **said)


def days_of(calls, **options) -> dict[str, DayRollup]:
    """By account, the figures of the one day on which it has events."""
    return {account: one for account, days in judge.figures(calls, **options).items() for one in days.values()}


def counts(calls, **options) -> dict[str, int]:
    return {account: one.events for account, one in days_of(calls, **options).items()}


def people(calls) -> dict[str, int]:
    return {account: one.people for account, one in days_of(calls).items()}


ANN_ON_TABLET = call("identify", 10, user="ann", device="tablet")
BOB_ON_TABLET = call("identify", 20, user="bob", device="tablet")
ANN_OF_ACME = call("group", 0, user="ann", account="acme")
BOB_OF_BOLT = call("group", 0, user="bob", account="bolt")
TWO_ON_A_TABLET = [ANN_ON_TABLET, BOB_ON_TABLET, ANN_OF_ACME, BOB_OF_BOLT]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_example__of_the_guide__counts_as_promised(example):
    assert guide.figures_shown(judge.figures(example.calls)) == example.promised


def test_guide__examples__are_found_with_their_calls():
    assert len(EXAMPLES) >= 9
    assert all(example.calls and example.promised for example in EXAMPLES)


class TestDevice:
    @pytest.mark.parametrize(
        ("minute", "account"),
        [(5, "acme"), (10, "acme"), (19.99, "acme"), (20, "bolt"), (90, "bolt")],
        ids=["before all", "at the first", "just before the second", "at the second", "after all"],
    )
    def test_event__of_a_device_of_two_users__is_of_the_last_one_identified(self, minute, account):
        assert counts([*TWO_ON_A_TABLET, track("m", minute, device="tablet")]) == {account: 1}

    def test_identifications__at_the_same_instant__the_greatest_user_has_it(self):
        same = call("identify", 10, user="bob", device="tablet")
        for order in ([ANN_ON_TABLET, same], [same, ANN_ON_TABLET]):
            assert counts([*order, ANN_OF_ACME, BOB_OF_BOLT, track("m", 30, device="tablet")]) == {"bolt": 1}
            assert counts([*order, ANN_OF_ACME, BOB_OF_BOLT, track("m", 0, device="tablet")]) == {"bolt": 1}

    def test_group__with_both_ids__identifies_the_device(self):
        calls = [call("group", 10, user="ann", device="tablet", account="acme"), track("m", 30, device="tablet")]
        assert counts(calls) == {"acme": 1}

    def test_event__with_both_ids__is_the_users_and_identifies_nothing(self):
        both = track("m1", 12, user="bob", device="tablet")
        assert counts([*TWO_ON_A_TABLET, both, track("m2", 13, device="tablet")]) == {"bolt": 1, "acme": 1}

    def test_device__never_identified__is_a_person_of_its_own(self):
        calls = [call("group", 0, device=device, account="acme") for device in ("one", "other")]
        assert people([*calls, track("m1", 1, device="one"), track("m2", 1, device="other")]) == {"acme": 2}

    def test_user_and_device__of_the_same_text__are_two(self):
        calls = [track("m1", 1, user="x", groupId="acme"), track("m2", 1, device="x", groupId="acme")]
        assert people(calls) == {"acme": 2}


class TestAlias:
    @pytest.mark.parametrize("minute", [0, 90])
    def test_users__joined_over_several_steps__are_one_person_at_all_times(self, minute):
        aliases = [call("alias", minute, previous=a, user=b) for a, b in ("ab", "cb", "dc")]
        acts = [track(f"m{user}", 30 + i, user=user) for i, user in enumerate("abcd")]
        calls = [call("group", 0, user="d", account="acme"), *aliases, *acts]
        assert (counts(calls), people(calls)) == ({"acme": 4}, {"acme": 1})

    def test_alias__of_an_anonymous_id__identifies_the_device(self):
        calls = [ANN_OF_ACME, call("alias", 10, previous="v", user="ann"), track("m", 5, device="v")]
        assert counts(calls) == {"acme": 1}

    def test_alias__of_a_device_of_another_user__holds_from_its_time_on_and_joins_no_users(self):
        calls = [*TWO_ON_A_TABLET, call("alias", 15, previous="tablet", user="bob")]
        acts = [track("m1", 12, device="tablet"), track("m2", 16, device="tablet"), track("m3", 0, user="ann")]
        assert counts([*calls, *acts]) == {"acme": 2, "bolt": 1}

    def test_alias__of_an_id_with_itself__joins_nothing(self):
        calls = [ANN_OF_ACME, call("alias", 10, previous="ann", user="ann"), track("m", 5, user="ann")]
        assert (counts(calls), people(calls)) == ({"acme": 1}, {"acme": 1})

    def test_alias__without_a_previous_id__takes_the_anonymous_one(self):
        calls = [ANN_OF_ACME, call("alias", 10, device="v", user="ann"), track("m", 5, device="v")]
        assert counts(calls) == {"acme": 1}


class TestMembership:
    def test_account__of_several_over_time__is_that_of_the_last_call_or_else_the_first(self):
        moves = [call("group", 10, user="ann", account="acme"), call("group", 20, user="ann", account="bolt")]
        acts = [track(f"m{minute}", minute, user="ann") for minute in (5, 10, 19, 20, 21, 22)]
        assert counts([*moves, *acts]) == {"acme": 3, "bolt": 3}

    def test_accounts__at_the_same_instant__the_greatest_is_taken(self):
        moves = [call("group", 10, user="ann", account=account) for account in ("bolt", "acme")]
        assert counts([*moves, track("m", 5, user="ann")]) == {"bolt": 1}

    def test_membership__of_one_id__holds_for_the_whole_person(self):
        calls = [
            call("group", 0, user="old", account="acme"),
            call("group", 30, user="new", account="bolt"),
            call("alias", 90, previous="old", user="new"),
        ]
        assert counts([*calls, track("m1", 10, user="new"), track("m2", 40, user="old")]) == {"acme": 1, "bolt": 1}

    def test_group__of_a_device_only__is_its_users_at_that_time(self):
        calls = [ANN_ON_TABLET, BOB_ON_TABLET, call("group", 15, device="tablet", account="acme")]
        acts = [track("m1", 90, user="ann"), track("m2", 90, user="bob"), track("m3", 12, device="tablet")]
        assert counts([*calls, *acts]) == {"acme": 2}

    def test_identify__with_an_account__is_a_membership(self):
        calls = [call("identify", 0, user="ann", context={"groupId": "acme"}), track("m", 5, user="ann")]
        assert counts(calls) == {"acme": 1}

    @pytest.mark.parametrize(
        "named",
        [{"context": {"groupId": "bolt"}}, {"account": "bolt"}, {"properties": {"account_id": "bolt"}}],
    )
    def test_event__that_names_its_account__counts_there_and_moves_nobody(self, named):
        calls = [ANN_OF_ACME, track("m1", 5, user="ann", **named), track("m2", 6, user="ann")]
        assert counts(calls) == {"acme": 1, "bolt": 1}

    def test_event__without_an_account__counts_nowhere(self):
        assert counts([track("m", 0, user="ann")]) == {}

    def test_event__sent_again__counts_once(self):
        assert counts([ANN_OF_ACME, *[track("m", 0, user="ann")] * 3]) == {"acme": 1}


class TestNobody:
    @pytest.mark.parametrize(
        "text", ["", " ", "undefined", "NULL", " None ", "NaN", "anonymous", "guest", "0", "-1", "[object Object]", 0]
    )
    def test_placeholders__in_every_id__are_not_said(self, text):
        calls = [
            ANN_OF_ACME,
            call("identify", 0, user="ann", device=text),
            call("alias", 0, previous=text, user="ann"),
            call("group", 9, user="ann", account=text),
        ]
        acts = [
            track("m1", 10, user=text, device="v"),
            track("m2", 10, device=text, groupId="acme"),
            track("m3", 10, user="ann", device=text, groupId=text),
        ]
        assert (counts([*calls, *acts]), people([*calls, *acts])) == ({"acme": 2}, {"acme": 1})

    @pytest.mark.parametrize(
        ("kind", "said"),
        [
            ("track", {"user": "null"}),
            ("identify", {"user": "null", "device": "0"}),
            ("group", {"user": "ann", "account": "undefined"}),
            ("group", {"user": "guest", "account": "acme"}),
            ("alias", {"user": "ann", "previous": "null"}),
            ("alias", {"user": "null", "previous": "ann"}),
        ],
    )
    def test_call__that_names_nobody__is_rejected(self, kind, said):
        assert judge.is_rejected(call(kind, 0, **said))

    def test_group__that_is_rejected__identifies_nothing(self):
        refused = call("group", 0, user="ann", device="v", account="null")
        assert counts([ANN_OF_ACME, refused, track("m", 5, device="v")]) == {}


class TestFigures:
    def test_day__of_several_people__adds_up(self):
        calls = [
            ANN_OF_ACME,
            call("identify", 12, user="ann", device="v"),
            call("page", 0, messageId="m1", device="v"),
            track("m2", 30, user="ann", properties={"value": 2.5}),
            track("m3", 61, user="ann"),
            track("m4", 5, groupId="acme"),
        ]
        at = DAY.date()
        names = {"login": NameCount(3, 4_500_000), "page_viewed": NameCount(1, 1_000_000)}
        last = DAY + timedelta(minutes=61)
        assert judge.figures(calls) == {"acme": {at: DayRollup(at, 4, 2, 3, 1_800_000, 1, DAY, last, names)}}

    def test_session__across_sign_in__is_one(self):
        calls = [ANN_OF_ACME, call("identify", 50, user="ann", device="v")]
        one = {"context": {"sessionId": "s"}}
        acts = [track("m1", 0, device="v", **one), track("m2", 60, user="ann", **one), track("m3", 61, user="ann")]
        figures = days_of([*calls, *acts])["acme"]
        assert (figures.sessions, figures.session_ms, figures.session_events) == (2, 3_600_000, 3)

    def test_session_id__of_two_people__is_two_sessions(self):
        one = {"context": {"sessionId": "s"}, "groupId": "acme"}
        acts = [track("m1", 0, user="ann", **one), track("m2", 1, user="bob", **one), track("m3", 2, **one)]
        assert days_of(acts)["acme"].sessions == 3

    @pytest.mark.parametrize(("gap", "sessions"), [(30, 1), (30 + 1 / 60_000, 2)])
    def test_run__with_a_gap__ends_after_more_than_half_an_hour(self, gap, sessions):
        calls = [ANN_OF_ACME, call("identify", 0, user="ann", device="v")]
        acts = [track("m1", 0, device="v"), track("m2", gap, user="ann")]
        assert days_of([*calls, *acts])["acme"].sessions == sessions

    def test_day__in_the_workspaces_zone__begins_at_its_midnight(self):
        calls = [ANN_OF_ACME, track("m1", 119, user="ann"), track("m2", 120, user="ann")]
        zone = ZoneInfo("Pacific/Auckland")
        days = judge.figures(calls, zone=zone)["acme"]
        assert {day: one.events for day, one in days.items()} == {date(2026, 11, 16): 1, date(2026, 11, 17): 1}

    def test_first_seen__of_each_name__is_the_earliest_event_of_the_account(self):
        calls = [*TWO_ON_A_TABLET, *(track(f"m{minute}", minute, device="tablet") for minute in (40, 15, 12, 30))]
        assert judge.first_seen(calls) == {
            "acme": {"login": DAY + timedelta(minutes=12)},
            "bolt": {"login": DAY + timedelta(minutes=30)},
        }


class TestInternal:
    ACTS = (track("m1", 0, user="kim", groupId="acme"), track("m2", 0, user="ann", groupId="acme"))

    def test_event__that_is_marked__does_not_count(self):
        marked = track("m3", 0, user="ann", groupId="acme", properties={"internal": True})
        assert counts([*self.ACTS, marked]) == {"acme": 2}

    @pytest.mark.parametrize(("marks", "expected"), [((True,), 1), ((True, False), 2), ((False, True), 1)])
    def test_person__that_is_marked__counts_by_the_last_mark_at_all_times(self, marks, expected):
        calls = [call("identify", 10 + i, user="kim", traits={"internal": mark}) for i, mark in enumerate(marks)]
        assert counts([*self.ACTS, *calls]) == {"acme": expected}

    def test_marks__at_the_same_instant__are_internal(self):
        calls = [call("identify", 10, user="kim", traits={"internal": mark}) for mark in (True, False)]
        assert counts([*self.ACTS, *calls]) == {"acme": 1}

    def test_mark__of_one_id__holds_for_the_whole_person(self):
        calls = [
            call("alias", 10, previous="kim", user="k2"),
            call("identify", 11, user="k2", device="v"),
            call("identify", 12, device="v", traits={"internal": True}),
        ]
        assert counts([*self.ACTS, *calls, track("m3", 0, device="v", groupId="acme")]) == {"acme": 1}

    def test_ids__of_the_settings__are_internal_with_their_person(self):
        calls = [*self.ACTS, call("alias", 10, previous="kim", user="k2"), track("m3", 0, device="d", groupId="acme")]
        assert counts(calls, staff={"k2", "d"}) == {"acme": 1}

    def test_marks__where_nobody_is_internal__do_not_matter(self):
        calls = [call("identify", 10, user="kim", traits={"internal": True})]
        assert counts([*self.ACTS, *calls], staff=None) == {"acme": 2}


def test_merged_accounts__over_several_steps__are_one_for_all_time():
    acts = [track(f"m{account}", 0, user="ann", groupId=account) for account in ("acme", "old", "older")]
    merges = {"older": "old", "old": "acme"}
    assert counts(acts, merges=merges) == {"acme": 3}
    assert judge.first_seen(acts, merges=merges) == {"acme": {"login": DAY}}
