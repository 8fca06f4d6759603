"""The stored use: folds in any order and split give the same bytes, and the same history as a fold of all days."""

from dataclasses import replace
from random import Random

import pytest

from healthscore.core.model import MICROS
from healthscore.core.signals import day_bits, packed_use
from healthscore.core.signals.calendar import monday, sunday, week_of
from healthscore.core.signals.history import DayUse, fold
from healthscore.core.signals.model import UsageChannel
from healthscore.core.signals.use import HORIZON_WEEKS, MOST_FEATURES, MOST_PEOPLE, NO_USE, SUMMED_WEEKS, Progress
from tests.unit.core.decisions import histories

MONDAY = 738_004
UUID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"


def packed(use):
    return packed_use.pack_days(use), packed_use.pack_weeks(use)


def folded(uses, *, until, use=NO_USE):
    """A use with days in any order, and the sums of the finished weeks that they lie in."""
    days = {one.day: one for one in uses}
    weeks = {week_of(day) for day in days if sunday(week_of(day)) <= until}
    for week in weeks:
        days |= {day: days.get(day) for day in range(monday(week), sunday(week) + 1)}
    return use.fold(days, weeks)


def by_week(uses):
    weeks = {}
    for one in uses:
        weeks.setdefault(week_of(one.day), []).append(one)
    return list(weeks.values())


def same(history, other):
    """Whether rules read the same of both, as far as weeks are finished."""
    return all(getattr(history, name) == getattr(other, name) for name in ("active", "people", "features", "weekly"))


@pytest.mark.parametrize("seed", range(40))
def test_use__days_in_any_order_and_split__are_the_same_bytes(seed):
    random, uses = Random(seed), histories.history(seed)
    until = max(one.day for one in uses)
    whole = folded(uses, until=until)
    weeks = by_week(uses)
    random.shuffle(weeks)
    use = NO_USE
    while weeks:
        some = [weeks.pop() for _ in range(min(len(weeks), random.randrange(1, 9)))]
        if random.random() < 0.3:
            weeks.insert(0, some[0])  # once more
        if random.random() < 0.3:  # before it is finished, with what is taken out of it again
            wrong = [one for week in some for one in week][:3]
            use = use.fold({one.day: DayUse(one.day, frozenset({"x"}), features=frozenset({"y"})) for one in wrong})
        use = folded([one for week in some for one in week], until=until, use=use)
    assert packed(use) == packed(whole)


@pytest.mark.parametrize("seed", range(40))
def test_use__history__is_that_of_a_fold_of_all_days(seed):
    uses = histories.history(seed)
    until = sunday(week_of(max(one.day for one in uses)))
    assert same(folded(uses, until=until).history(), fold(uses))


@pytest.mark.parametrize("seed", range(20))
def test_packed__use__is_read_as_it_was(seed):
    use = folded(histories.history(seed), until=MONDAY + 10_000)
    people = {f"u{UUID}": use.any_days, "aé\n": day_bits.bit(MONDAY), "uu": use.any_days} | use.people
    use = use.contacted([MONDAY - 30, MONDAY]).with_tickets(week_of(MONDAY), 3)
    use = packed_use.unpack(*packed(use))
    use = packed_use.unpack(
        *packed(replace(use, people=people, progress=Progress(1, MONDAY, 3), definitions=2**64 - 1))
    )
    use = replace(use, versions={MONDAY: 2**32 - 1, MONDAY + 1: 0})
    assert packed_use.unpack(*packed(use)) == use
    assert packed_use.unpack(*packed(NO_USE)) == NO_USE
    assert packed_use.unpack(None, None) == NO_USE


@pytest.mark.parametrize("data", [b"", b"\x02abc", b"\x01abc"])
def test_packed__other_bytes__are_refused(data):
    with pytest.raises(ValueError, match="use"):
        packed_use.unpack(data, None)


def test_use__day_that_lost_its_events__leaves_no_trace():
    uses = [DayUse(MONDAY, frozenset({"ukim"}), value=MICROS, features=frozenset({"f"}))]
    use = folded(uses, until=MONDAY + 7)
    week = week_of(MONDAY)
    assert packed(use.fold(dict.fromkeys(range(MONDAY, MONDAY + 7)), [week])) == packed(NO_USE)


def test_use__beyond_its_horizon__keeps_nothing():
    uses = [DayUse(MONDAY + 7 * week, frozenset({f"u{week}"}), features=frozenset({f"f{week}"})) for week in range(200)]
    history = folded(uses, until=MONDAY + 7 * 200).history()
    assert history.any_days.days == tuple(MONDAY + 7 * week for week in range(200 - HORIZON_WEEKS, 200))
    assert len(history.people) == HORIZON_WEEKS
    assert len(history.weekly["users"]) == SUMMED_WEEKS


@pytest.mark.parametrize("backwards", [False, True])
def test_use__more_people_than_are_kept__are_the_most_recent_ones(backwards):
    uses = [DayUse(MONDAY + day, frozenset(f"u{day:02d}-{one:02d}" for one in range(60))) for day in range(20)]
    use = NO_USE
    for one in reversed(uses) if backwards else uses:
        use = use.fold({one.day: one})
    assert packed(use) == packed(NO_USE.fold({one.day: one for one in uses}))
    assert len(use.people) == MOST_PEOPLE
    assert min(use.people) == "u11-00"
    assert "u11-19" in use.people
    assert "u11-20" not in use.people


def test_use__more_features_than_are_kept__are_the_most_recent_ones():
    uses = [DayUse(MONDAY + 7 * week, features=frozenset(f"{week:02d}{one}" for one in range(5))) for week in range(30)]
    use = folded(uses, until=MONDAY + 7 * 30)
    assert len(use.features) == MOST_FEATURES
    assert min(use.features) == "100"
    assert use.weeks[week_of(MONDAY)]["breadth"] == 5


def test_use__features_of_an_unfinished_week__are_kept_of_a_young_account_alone():
    def uses(weeks):
        return [DayUse(MONDAY + 7 * week, features=frozenset({f"f{week}"})) for week in range(weeks)]

    young, old = (folded(uses(weeks), until=MONDAY + 7 * weeks - 2).history() for weeks in (15, 16))
    assert "f14" in young.features
    assert "f15" not in old.features


def test_use__integrations_alone__are_no_active_day_by_hand():
    use = NO_USE.fold({MONDAY: DayUse(MONDAY, frozenset({"ukim"}), by_hand=False), MONDAY + 1: DayUse(MONDAY + 1)})
    active = use.history().active
    assert [active[channel].days for channel in (UsageChannel.API, UsageChannel.PEOPLE, UsageChannel.BOTH)] == [
        (MONDAY, MONDAY + 1),
        (MONDAY,),
        (),
    ]


def test_use__without_people__has_their_days_still():
    use = NO_USE.fold({MONDAY: DayUse(MONDAY, frozenset({"ukim", "ulee"}))}).without({"ukim"})
    assert use.history().people == {"ulee": (MONDAY,)}
    assert use.history().days(UsageChannel.PEOPLE).days == (MONDAY,)


def test_tickets__changes_alone_are_kept__and_every_week_has_them():
    use = NO_USE
    for week, tickets in ((1, 2), (2, 2), (4, 5), (5, 5)):
        use = use.with_tickets(week, tickets)
    assert use.tickets == {1: 2, 4: 5}
    assert use.tickets_until(6) == {1: 2, 2: 2, 3: 2, 4: 5, 5: 5, 6: 5}


def test_tickets__beyond_the_horizon__only_the_last_change_is_kept():
    use = NO_USE.with_tickets(1, 2).with_tickets(2, 3).with_tickets(SUMMED_WEEKS + 2, 4)
    assert use.tickets == {2: 3, SUMMED_WEEKS + 2: 4}


def test_contacts__seen_again__change_nothing():
    use = NO_USE.contacted([MONDAY, MONDAY + 1])
    assert use.contacted([MONDAY]) is use
    assert use.contact_days == (MONDAY, MONDAY + 1)


@pytest.mark.parametrize("seed", range(10))
def test_days__of_a_set__are_those_that_it_was_made_of(seed):
    random = Random(seed)
    days = sorted({random.randrange(719_163, 800_000) for _ in range(random.randrange(40))})
    of = day_bits.bits(days)
    assert day_bits.days_in(of) == days
    assert day_bits.from_weeks(*day_bits.in_weeks(of)) == of
    assert day_bits.weeks_in(of) == sorted({week_of(day) for day in days})
    if days:
        assert (day_bits.first(of), day_bits.last(of)) == (days[0], days[-1])


def test_days__before_1970__are_none():
    assert day_bits.bits([719_000, monday(day_bits.BASE) - 1]) == 0


def test_size__of_an_account_of_ten_people__is_below_a_kilobyte():
    random = Random(1)
    people = [f"u{random.randbytes(4).hex()}-1111-4111-8111-{random.randbytes(6).hex()}" for _ in range(10)]
    uses = [
        DayUse(
            MONDAY + day,
            frozenset(random.sample(people, random.randrange(1, 6))),
            value=random.randrange(50) * MICROS,
            features=frozenset(f"feature_{random.randrange(20)}" for _ in range(8)),
        )
        for day in range(495)
        if day % 7 < 5
    ]
    use = replace(folded(uses, until=MONDAY + 495), versions={day: random.getrandbits(32) for day in range(1, 24)})
    days, weeks = packed(use)
    assert len(days) < 960  # and the item's keys
    assert len(weeks) < 2 * 1024
