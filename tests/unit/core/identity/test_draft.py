"""What calls make of the records of ids: who is who, and who belongs where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.identity.draft import USERS_A_DAY
from healthscore.core.identity.people import ids_of, memberships
from healthscore.core.identity.record import IdRecord
from tests.unit.core.identity.drafted import DAY_LENGTH, Alias, Drafted, Group, Identify

USERS, DEVICES, ACCOUNTS = ("uann", "ubob", "ukim"), ("at1", "at2", "aann"), ("acme", "bolt")
INSTANTS = range(-1, 10)
times = st.integers(0, 8)
calls = st.lists(
    st.one_of(
        st.builds(Identify, st.sampled_from(DEVICES), times, st.sampled_from(USERS)),
        st.builds(Group, st.sampled_from(USERS + DEVICES), times, st.sampled_from(ACCOUNTS)),
        st.builds(Alias, st.sampled_from(USERS), times, st.sampled_from(USERS)),
    ),
    max_size=8,
)


class Plainly:
    """Who is who and who belongs where, as the rules of docs/identity.md word it, from all calls at once."""

    def __init__(self, said):
        self._person = {user: frozenset([user]) for user in USERS}
        self._identified = [call for call in said if isinstance(call, Identify)]
        for call in said:
            if isinstance(call, Alias):
                joined = self._person[call.previous] | self._person[call.user]
                self._person |= dict.fromkeys(joined, joined)
                self._identified.append(Identify(f"a{call.previous[1:]}", call.at, call.user))
        self._groups = [call for call in said if isinstance(call, Group)]

    def who(self, id_, at):
        if id_ in USERS:
            return self._person[id_]
        user = latest([(call.at, call.user) for call in self._identified if call.device == id_], at)
        return frozenset([id_]) if user is None else self._person[user]

    def account(self, id_, at):
        person = self.who(id_, at)
        of_person = [(call.at, call.account_id) for call in self._groups if self.who(call.id, call.at) == person]
        return latest(of_person, at)


def latest(points, at):
    if not points:
        return None
    until = max(at, min(points)[0])
    return max(point for point in points if point[0] <= until)[1]


@given(st.data(), calls)
def test_records__calls_in_any_order_batches_and_repetition__say_what_the_rules_say(data, said):
    again = st.lists(st.sampled_from(said), max_size=3) if said else st.just([])
    deliveries = data.draw(st.permutations(said)) + data.draw(again)
    records = Drafted()
    while deliveries:
        size = data.draw(st.integers(1, 4))
        records.tell(*deliveries[:size])
        deliveries = deliveries[size:]
    plainly = Plainly(said)
    for id_ in USERS + DEVICES:
        for at in INSTANTS:
            assert records.account(id_, at) == plainly.account(id_, at), (id_, at)
            assert {other for other in USERS if records.who(other, at) == records.who(id_, at)} == plainly.who(
                id_, at
            ) - set(DEVICES), (id_, at)


@given(st.data(), calls, calls)
def test_affected__of_further_calls__names_every_id_whose_events_count_otherwise(data, said, more):
    records = Drafted(*([call] for call in said))
    before = {(id_, at): records.place(id_, at) for id_ in USERS + DEVICES for at in INSTANTS}
    affected = records.tell(*more)
    changed = {id_ for (id_, at), place in before.items() if records.place(id_, at) != place}
    assert changed <= set(affected)


@given(calls)
def test_tell__the_same_again__changes_nothing(said):
    records = Drafted(said)
    before = records.stored()
    for call in said:
        assert records.tell(call) == []
    assert records.stored() == before


@given(calls)
def test_record__stored_and_read_again__says_the_same(said):
    for id_, record in Drafted(said).people.records.items():
        again = IdRecord.from_json(id_, record.to_json())
        assert again.to_json() == record.to_json()
        assert memberships(again) == memberships(record)


@given(calls)
def test_behind__a_place__names_all_records_that_decide_on_it(said):
    people = Drafted(said).people
    for id_ in USERS + DEVICES:
        for at in INSTANTS:
            behind = people.behind(id_, at, at + 1)
            assert {id_, people.person_at(id_, at).id} <= behind
            assert all(people.records[one].up in behind for one in behind if people.records[one].up is not None)


def test_alias__of_a_person_of_more_ids__keeps_the_id_that_stands_for_more():
    records = Drafted([Alias("ub", 0, "ua"), Alias("uc", 0, "ua")])
    stands = records.who("ua", 0)
    records.tell(Alias(stands, 0, "uz"))
    assert [records.who(user, 0) for user in ("ua", "ub", "uc", "uz")] == [stands] * 4
    assert sorted(ids_of(records.people.records[stands])[:4]) == ["ua", "ub", "uc", "uz"]


def test_alias__of_two_people_of_one_id_each__the_greater_id_stands_for_both():
    assert Drafted([Alias("ub", 0, "ua")]).who("ua", 0) == Drafted([Alias("ua", 0, "ub")]).who("ua", 0) == "ub"


@pytest.mark.parametrize(
    "pairs", [["ab", "bc", "cd"], ["cd", "bc", "ab"], ["ab", "cd", "bc"], ["dc", "cb", "ba", "ad"]]
)
def test_alias__over_several_steps_or_in_a_circle__joins_all_of_them(pairs):
    records = Drafted(*([Alias(f"u{one}", 5, f"u{other}")] for one, other in pairs))
    records.tell(Group("ua", 0, "acme"))
    assert len({records.who(f"u{user}", 0) for user in "abcd"}) == 1
    assert {records.account(f"u{user}", 9) for user in "abcd"} == {"acme"}


def test_alias__to_itself__identifies_the_device_of_its_name_and_joins_nobody():
    records = Drafted([Alias("uann", 3, "uann")])
    assert (records.who("aann", 0), records.who("uann", 0)) == ("uann", "uann")
    assert records.people.records["uann"].users == []


def test_device__of_two_users__is_each_ones_from_the_identification_on():
    records = Drafted([Identify("at1", 10, "uann")], [Identify("at1", 20, "ubob")])
    assert [records.who("at1", at) for at in (0, 10, 19, 20, 99)] == ["uann", "uann", "uann", "ubob", "ubob"]


def test_device__never_identified__is_a_person_of_its_own_and_has_no_label():
    records = Drafted([Group("at1", 5, "acme")])
    assert (records.who("at1", 0), records.place("at1", 0)) == ("at1", ("acme", None))


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_group__of_a_device_before_or_after_its_identification__is_its_users_at_the_time_of_the_call(before):
    group, identified = [Group("at1", 15, "acme")], [Identify("at1", 10, "uann"), Identify("at1", 20, "ubob")]
    records = Drafted(group, identified) if before else Drafted(identified, group)
    assert (records.account("uann", 99), records.account("ubob", 99)) == ("acme", None)
    assert (records.account("at1", 12), records.account("at1", 25)) == ("acme", None)


def test_group__of_a_device_whose_identification_turns_out_to_be_later__is_another_users():
    records = Drafted([Identify("at1", 10, "uann")], [Group("at1", 15, "acme")], [Identify("at1", 12, "ubob")])
    assert (records.account("uann", 99), records.account("ubob", 99)) == (None, "acme")


def test_group__that_changed_nothing_when_it_came__matters_once_an_earlier_one_says_otherwise():
    records = Drafted([Group("uann", 0, "acme")], [Group("uann", 20, "acme")], [Group("uann", 10, "bolt")])
    assert [records.account("uann", at) for at in (5, 15, 25)] == ["acme", "bolt", "acme"]


def test_identification__that_changed_nothing_when_it_came__matters_once_an_earlier_one_says_otherwise():
    records = Drafted([Identify("at1", 0, "uann")], [Identify("at1", 20, "uann")], [Identify("at1", 10, "ubob")])
    assert [records.who("at1", at) for at in (5, 15, 25)] == ["uann", "ubob", "uann"]


def test_affected__by_a_call_that_changes_nothing__is_nobody():
    records = Drafted([Group("uann", 0, "acme"), Identify("at1", 0, "uann")])
    assert records.tell(Group("uann", 20, "acme"), Identify("at1", 20, "uann")) == []


def test_affected__by_a_group_call__is_every_id_of_the_person():
    records = Drafted([Alias("uann", 0, "ubob"), Identify("at1", 0, "uann")])
    assert set(records.tell(Group("ubob", 5, "acme"))) == {"uann", "ubob", "at1", "aann"}


def crowd(count, device="aproxy", at=0):
    return [Identify(device, at + number, f"u{number:02d}") for number in range(count)]


def test_device__of_twenty_users_in_a_day__is_theirs_and_of_one_more_joins_no_further_user():
    records = Drafted(crowd(USERS_A_DAY))
    assert not records.people.records["aproxy"].shared
    records.tell(Identify("aproxy", 50, "ulast"))
    assert records.people.records["aproxy"].shared
    assert records.who("aproxy", 60) == f"u{USERS_A_DAY - 1:02d}"  # what it joined before stays
    records.tell(Identify("aproxy", 500, "uann"))
    assert records.who("aproxy", 600) == f"u{USERS_A_DAY - 1:02d}"


def test_device__of_more_users_over_several_days__is_theirs():
    days = [Identify("aproxy", DAY_LENGTH * number, f"u{number:02d}") for number in range(2 * USERS_A_DAY)]
    records = Drafted(days)
    assert not records.people.records["aproxy"].shared
    assert records.who("aproxy", DAY_LENGTH * 33) == "u33"


def test_device__of_many_users_who_came_in_one_by_one__is_shared_all_the_same():
    """Identifications that change nothing, since they repeat the user of before, count among the users of a day."""
    records = Drafted(*([call] for call in crowd(USERS_A_DAY + 1)))
    assert records.people.records["aproxy"].shared


def test_alias__of_the_id_of_a_shared_device__joins_no_users():
    records = Drafted(crowd(USERS_A_DAY + 1, "aguest"), [Alias("uguest", 60, "uann")])
    assert records.who("uguest", 60) == "uguest"


def test_memberships__of_a_person__are_those_of_every_user_id():
    records = Drafted([Group("uold", 0, "acme")], [Group("unew", 30, "bolt")], [Alias("uold", 90, "unew")])
    stands = records.people.person_of("uold")
    assert memberships(stands) == ((0, "acme"), (30, "bolt"))
    assert records.place("uold", 40)[0] == records.place("unew", 40)[0] == "bolt"
