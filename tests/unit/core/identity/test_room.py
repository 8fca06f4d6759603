"""However much is said of an id, its record fits into an item: what there is no room for is not joined, or dropped."""

from __future__ import annotations

import pytest

from healthscore.core.identity.draft import (
    DESCRIBED_BYTES,
    IDS_BYTES,
    MAX_VALUES,
    MOST_MARKS,
    TIMELINE_BYTES,
    device_named,
)
from healthscore.core.identity.people import ids_of, memberships
from healthscore.core.identity.record import RELABELLED
from healthscore.storage import codec
from healthscore.storage.people.ids import RECORD_BYTES
from tests.unit.core.identity.drafted import DAY_LENGTH, Alias, Describe, Drafted, Group, Identify, Mark

ANN = "uann"
MANY = 120
"""More of the longest ids than there is room for."""
MOST_BYTES = 400 * 1024


def longest(kind: str, number: int) -> str:
    """An id of 200 characters of four bytes, but for its number."""
    return f"{kind}{number:04}" + "\U00020000" * 196


def size(stored: object) -> int:
    return len(codec.dumps(stored).encode())


@pytest.mark.parametrize("together", [True, False], ids=["one request", "many requests"])
def test_aliases__of_more_ids_than_a_person_has_room_for__leave_the_further_ones_people_of_their_own(together):
    said = [Alias(longest("u", number), 0, ANN) for number in range(MANY)]
    drafted = Drafted(said) if together else Drafted(*([one] for one in said))
    ids = ids_of(drafted.people.person_of(ANN))
    assert 0.9 * IDS_BYTES < size(ids) <= IDS_BYTES
    for number in range(MANY):
        user = longest("u", number)
        assert (drafted.who(user, 0) == drafted.who(ANN, 0)) == (user in ids), number
    drafted.tell(*said)
    assert ids_of(drafted.people.person_of(ANN)) == ids


def test_alias__of_two_people_who_do_not_fit_together__joins_nobody():
    half = MANY // 3
    one = [Alias(longest("u", number), 0, longest("u", 0)) for number in range(half)]
    other = [Alias(longest("u", number), 0, longest("u", half)) for number in range(half, 2 * half)]
    drafted = Drafted(one, other)
    before = drafted.stored()
    drafted.tell(Alias(longest("u", 1), 5, longest("u", half + 1)))
    people = {drafted.who(longest("u", number), 9) for number in range(2 * half)}
    assert len(people) == 2
    device = device_named(longest("u", 1))
    assert {id_ for id_, stored in drafted.stored().items() if before.get(id_) != stored} <= {device, *people}
    assert all(size(stored) <= RECORD_BYTES for stored in drafted.stored().values())


def test_devices__more_than_a_person_has_room_for__stay_nobodys():
    drafted = Drafted([Identify(longest("a", number), 0, ANN) for number in range(MANY)])
    ids = ids_of(drafted.people.person_of(ANN))
    assert 0.9 * IDS_BYTES < size(ids) <= IDS_BYTES
    for number in range(MANY):
        device = longest("a", number)
        assert drafted.who(device, 0) == (ANN if device in ids else device), number


def test_device__of_more_users_than_there_is_room_for__knows_the_newest():
    drafted = Drafted([Identify("akiosk", number * DAY_LENGTH, longest("u", number)) for number in range(MANY)])
    owners = drafted.people.records["akiosk"].owners
    assert 0.8 * TIMELINE_BYTES < size(owners) <= TIMELINE_BYTES
    assert [user for _, user in owners] == [longest("u", number) for number in range(MANY)][-len(owners) :]
    assert drafted.who("akiosk", MANY * DAY_LENGTH) == longest("u", MANY - 1)


@pytest.mark.parametrize("id_", [ANN, "aphone"])
@pytest.mark.parametrize("backwards", [False, True])
def test_groups__more_changes_than_there_is_room_for__keep_the_newest(id_, backwards):
    said = [Group(id_, number, longest("", number)) for number in range(MANY)]
    drafted = Drafted(*([one] for one in (reversed(said) if backwards else said)))
    groups = memberships(drafted.people.records[id_])
    assert 0.8 * TIMELINE_BYTES < size(groups) <= TIMELINE_BYTES
    assert [account for _, account in groups] == [longest("", number) for number in range(MANY)][-len(groups) :]
    assert drafted.account(id_, MANY) == longest("", MANY - 1)


def test_descriptions__more_than_there_is_room_for__keep_what_is_there_and_drop_the_rest():
    said = [Describe(longest("u", number), "name", "\U00020000" * 200) for number in range(40)]
    drafted = Drafted([Alias(longest("u", number), 0, ANN) for number in range(40)], *([one] for one in said))
    described = drafted.people.person_of(ANN).described
    assert 0.9 * DESCRIBED_BYTES < size(described) <= DESCRIBED_BYTES
    assert list(described) == [longest("u", number) for number in range(len(described))]
    drafted.tell(Describe(longest("u", 0), "email", "x" * DESCRIBED_BYTES))
    assert drafted.people.person_of(ANN).described == described


def test_descriptions__of_two_people_that_do_not_fit_together__keep_those_of_one():
    for_each = [Describe(user, "name", f"{user}{number}" * 500) for user in ("uann", "ubob") for number in range(9)]
    drafted = Drafted(for_each)
    assert all(drafted.people.records[user].described for user in ("uann", "ubob"))
    drafted.tell(Alias("uann", 0, "ubob"))
    assert size(drafted.people.person_of("uann").described) <= DESCRIBED_BYTES
    assert len(drafted.people.person_of("uann").described) == 1


def test_values_and_marks__of_one_id__are_few():
    drafted = Drafted(
        [Describe("aphone", "email", f"{number}@example.com") for number in range(MANY)],
        [Mark("aphone", number, number % 2 == 0) for number in range(MANY)],
    )
    record = drafted.people.records["aphone"]
    assert len(record.described["aphone"]["email"]) == MAX_VALUES
    assert [at for at, _ in record.marks] == list(range(MANY - MOST_MARKS, MANY))


def test_record__filled_to_all_its_bounds_while_all_its_ids_wait_to_be_settled__fits_into_an_item():
    """Of devices a record names each up to four times: as the person's, with groups, with marks, and to be settled."""
    devices = [longest("a", number) for number in range(MANY)]
    drafted = Drafted(
        [Identify(device, 0, ANN) for device in devices],
        [Mark(device, number, internal=False) for number, device in enumerate(devices)],
        [Group(ANN, 2 * number, longest("", number)) for number in range(MANY)],
        [Group(device, 2 * number + 1, longest("", MANY + number)) for number, device in enumerate(devices)],
        [Describe(ANN, "name", f"{number}" + "\U00020000" * 190) for number in range(MANY)],
        *([Describe(ANN, "email", f"{number}" + "x" * 3000)] for number in range(MANY)),
    )
    record = drafted.people.person_of(ANN)
    record.has_events = record.is_named = True
    record.unsettled = [f"{RELABELLED}{id_}" for id_ in ids_of(record)]
    assert all(size(part) > 0.8 * IDS_BYTES for part in (record.devices, record.grouped_devices, record.marked_devices))
    assert all(size(part) > 0.8 * TIMELINE_BYTES for part in (record.groups, memberships(record)))
    assert record.groups != memberships(record)
    assert 300_000 < size(record.to_json()) <= RECORD_BYTES < MOST_BYTES - 10_000
