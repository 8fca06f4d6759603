"""Nights that die, are overtaken, or cannot finish, and the use that they leave."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from healthscore.core.model import MICROS, CrmFacts, Event
from healthscore.core.signals import day_bits
from healthscore.core.signals.calendar import week_of
from healthscore.core.signals.model import Definitions
from healthscore.core.time import DAY
from healthscore.services import erasure, folding, merging
from healthscore.services.ingestion.events import ingest
from healthscore.services.scoring import read_month
from healthscore.settings import Settings
from healthscore.storage import schema, workspace
from healthscore.storage.accounts import accounts, late
from healthscore.storage.accounts import use as stored_use
from healthscore.storage.client import dynamodb
from tests.integration.nightly.nights import TONIGHT, WRITES, Killed, Killer, Tables, items
from tests.integration.nightly.test_use import forever, night
from tests.support import traces
from tests.support.uses import assert_exact

pytestmark = pytest.mark.usefixtures("topic")
MONDAY_NIGHT = TONIGHT + 2 * DAY
YESTERDAY = MONDAY_NIGHT.date() - DAY
CALLS = {"GetItem", "Query", "Scan", "BatchGetItem", *WRITES}
NUMBERS = iter(range(10**6))


def act(day, user="ann", account_id="acme", name="exported", *, now=None, count=1):
    at = MONDAY_NIGHT.replace(hour=12) + timedelta(days=day)
    events = [Event(f"e{next(NUMBERS)}", account_id, name, at, user_id=user, value=MICROS) for _ in range(count)]
    ingest(events, Settings(), now or at + timedelta(minutes=1))


@pytest.fixture(autouse=True)
def lived(topic):
    """An account of two people with three weeks of use, and nights up to Saturday's."""
    workspace.fix_timezone()
    for day in range(-21, 0):
        act(day, "ann" if day % 2 else "bob")
        if day > -5:
            night(MONDAY_NIGHT + timedelta(days=day))


def use_items():
    """The items of accounts' use, without their random versions."""
    found = items("ACTIVITY_TABLE")
    return {
        key: {name: value for name, value in item.items() if name not in {"v", "ttl"}}
        for key, item in found.items()
        if key[1] in {schema.USE_DAYS, schema.USE_WEEKS}
    }


def test_night__killed_at_any_call__stores_the_same_use_when_run_again(monkeypatch):
    monkeypatch.setattr("tests.integration.nightly.nights.WRITES", CALLS)
    tables, killer = Tables(), Killer()
    with killer.watching():
        night(MONDAY_NIGHT)
    whole = use_items()
    assert len(whole) == 2
    assert_exact("acme", YESTERDAY)
    puts = [at for at, call in enumerate(killer.writes, 1) if call == "PutItem"]
    for done in range(len(killer.writes) + 1):
        tables.bring_back()
        with Killer.after_writes(done, len(killer.writes)).watching(), pytest.raises(Killed):
            night(MONDAY_NIGHT)
        night(MONDAY_NIGHT)
        assert use_items() == whole, (done, puts)


def test_first_night__killed_at_any_call__stores_the_same_use_when_run_again(monkeypatch):
    monkeypatch.setattr("tests.integration.nightly.nights.WRITES", CALLS)
    act(-2, account_id="new")
    tables, killer = Tables(), Killer()
    with killer.watching():
        night(MONDAY_NIGHT)
    whole = use_items()
    for done in range(len(killer.writes) + 1):
        tables.bring_back()
        with Killer.after_writes(done, len(killer.writes)).watching(), pytest.raises(Killed):
            night(MONDAY_NIGHT)
        night(MONDAY_NIGHT)
        assert use_items() == whole, done


class Meanwhile:
    """Does something before one of a night's calls."""

    def __init__(self, at, action):
        self.at, self.action, self.count, self.busy = at, action, 0, False

    def before_call(self, **_):
        if not self.busy:
            self.count += 1
            if self.count == self.at:
                self.busy = True
                self.action()
                self.busy = False

    def __enter__(self):
        dynamodb().meta.events.register("before-call.dynamodb", self.before_call)
        return self

    def __exit__(self, *_):
        dynamodb().meta.events.unregister("before-call.dynamodb", self.before_call)


def calls_of_a_night(tables, at=MONDAY_NIGHT):
    with Meanwhile(0, None) as counted:
        night(at)
    tables.bring_back()
    return counted.count


@pytest.mark.parametrize("later", [0, 1], ids=["that stores the week", "that leaves a day pending"])
def test_user__erased_before_any_call_of_a_night__does_not_come_back(later):
    for day in range(later):
        night(MONDAY_NIGHT + day * DAY)
        act(day, "ann")
    tonight = MONDAY_NIGHT + later * DAY
    tables = Tables()
    for at in range(1, calls_of_a_night(tables, tonight) + 1):
        tables.bring_back()
        with Meanwhile(at, lambda: erasure.erase_user("acme", "ann", tonight, lambda: True)):
            night(tonight)
        assert "uann" not in stored_use.read("acme").people, at
        night(tonight + DAY)
        assert traces.items_that_mention("ann") == [], at
        assert_exact("acme", tonight.date())


def test_account__erased_before_any_call_of_a_night__leaves_no_use():
    act(-2, account_id="new")
    tables = Tables()
    for at in range(1, calls_of_a_night(tables) + 1):
        tables.bring_back()
        with Meanwhile(at, lambda: erasure.erase_account("acme", MONDAY_NIGHT, lambda: True)):
            night(MONDAY_NIGHT)
        assert [key for key in use_items() if key[0] == schema.activity_pk("acme")] == [], at


def test_account__merged_before_any_call_of_a_night__leaves_its_use_to_the_other():
    act(-20, "kim", account_id="new", now=MONDAY_NIGHT)
    night(MONDAY_NIGHT - timedelta(hours=20))
    tables = Tables()
    for at in range(1, calls_of_a_night(tables) + 1):
        tables.bring_back()
        with Meanwhile(at, lambda: merging.merge("new", "acme", MONDAY_NIGHT, forever)):
            night(MONDAY_NIGHT)
        night(MONDAY_NIGHT + DAY)
        assert {key[0] for key in use_items()} == {schema.activity_pk("acme")}, at
        assert_exact("acme", YESTERDAY + DAY)
        assert "ukim" in stored_use.read("acme").people


def test_night__of_an_account_without_events__reads_once_and_puts_nothing(monkeypatch):
    monkeypatch.setattr("tests.integration.nightly.nights.WRITES", {"Query", "PutItem"})
    calls = []
    for later in range(3):
        killer = Killer()
        with killer.watching():
            night(MONDAY_NIGHT + later * DAY)
        calls.append(Counter(killer.writes))
    of_sunday_and_its_week, of_monday, of_tuesday = calls
    assert of_monday == of_tuesday
    assert of_sunday_and_its_week - of_monday == {"PutItem": 2}  # what is folded was read with the month


def test_nights__within_a_week__leave_its_days_pending_for_the_night_after_it():
    night(MONDAY_NIGHT)
    stored = use_items()
    for day in range(6):
        act(day)
        night(MONDAY_NIGHT + (day + 1) * DAY)
        assert use_items() == stored
        assert len(accounts.get("acme").pending_days) == day + 1
        assert_exact("acme", YESTERDAY + (day + 1) * DAY)
    act(6)
    night(MONDAY_NIGHT + 7 * DAY)
    assert accounts.get("acme").pending_days == {}
    last = (MONDAY_NIGHT + 6 * DAY).toordinal()
    assert last in day_bits.days_in(stored_use.read("acme").any_days)


def test_nights__missed_after_a_week__store_its_days_when_they_come():
    night(MONDAY_NIGHT)
    act(0)
    night(MONDAY_NIGHT + DAY)
    night(MONDAY_NIGHT + 9 * DAY)
    assert MONDAY_NIGHT.toordinal() in day_bits.days_in(stored_use.read("acme").any_days)
    assert accounts.get("acme").pending_days == {}


def test_night__of_a_day_whose_log_has_blocks__stores_it_at_once():
    night(MONDAY_NIGHT)
    act(0, count=120)
    night(MONDAY_NIGHT + DAY)
    assert accounts.get("acme").pending_days == {}
    assert MONDAY_NIGHT.toordinal() in day_bits.days_in(stored_use.read("acme").any_days)


def test_late_event__of_a_pending_day__is_late_unlike_the_days_that_are_only_pending():
    night(MONDAY_NIGHT)
    act(0)
    act(1)
    night(MONDAY_NIGHT + 2 * DAY)
    act(0, "kim", now=MONDAY_NIGHT + 2.5 * DAY)
    act(2)
    account, now = accounts.get("acme"), MONDAY_NIGHT + 3 * DAY
    month = read_month(account, now, Settings(), consistent=True)
    folded = folding.fold_use(account, month, Settings(), now, lambda: True)
    assert folded.late == (MONDAY_NIGHT.toordinal(),)
    assert [*folded.pending] == [MONDAY_NIGHT.toordinal() + day for day in range(3)]


def test_user__erased_while_a_day_is_pending__changes_the_version_that_a_night_checks_what_it_keeps_by():
    """The night has read the day, and puts no use: what it keeps must not name the user."""
    night(MONDAY_NIGHT)
    act(0, "kim")
    account, now = accounts.get("acme"), MONDAY_NIGHT + DAY
    month = read_month(account, now, Settings(), consistent=True)
    folded = folding.fold_use(account, month, Settings(), now, lambda: True)
    assert "ukim" in folded.use.people
    erasure.erase_user("acme", "kim", now, lambda: True)
    assert folded.version != stored_use.read_items("acme").days_version


def test_reader__before_the_night__folds_the_days_that_need_no_further_call():
    night(MONDAY_NIGHT)
    act(0)
    act(1, "kim", count=120)
    account, now = accounts.get("acme"), MONDAY_NIGHT + 2 * DAY
    known = folding.known_use(account, Settings(), now)
    assert not known.is_complete
    days = day_bits.days_in(known.use.any_days)
    assert MONDAY_NIGHT.toordinal() in days
    assert MONDAY_NIGHT.toordinal() + 1 not in days
    night(now)
    assert folding.known_use(accounts.get("acme"), Settings(), now).is_complete


def test_reader__before_the_night_after_a_week_with_blocks__leaves_its_sums_to_the_night(monkeypatch):
    act(-2, "kim", count=120, now=MONDAY_NIGHT - 1.5 * DAY)
    night(MONDAY_NIGHT - DAY)
    monkeypatch.setattr("tests.integration.nightly.nights.WRITES", CALLS)
    account, killer = accounts.get("acme"), Killer()
    with killer.watching():
        known = folding.known_use(account, Settings(), MONDAY_NIGHT)
    assert killer.writes == ["Query"]
    assert not known.is_complete
    assert YESTERDAY.toordinal() in day_bits.days_in(known.use.any_days)
    assert week_of(YESTERDAY.toordinal()) not in known.use.weeks


def test_late_event__of_an_unmarked_day__is_folded_by_the_next_night():
    act(-3, "kim", now=MONDAY_NIGHT)
    assert accounts.get("acme").late is None
    night(MONDAY_NIGHT)
    assert_exact("acme", YESTERDAY)


def test_late_event__of_long_ago__marks_the_account_once_an_hour():
    night(MONDAY_NIGHT)
    days = (-40, -30, -60)
    marks = []
    for day, minutes in zip(days, (0, 30, 40), strict=True):
        act(day, "kim", now=MONDAY_NIGHT + timedelta(minutes=minutes))
        marks.append(accounts.get("acme").late)
    first, second, third = marks
    assert first == second
    assert first[0] - third[0] == 20
    night(MONDAY_NIGHT + DAY)
    assert_exact("acme", YESTERDAY + DAY)


def test_mark__that_a_night_has_followed__is_not_carried_on():
    act(-100, now=MONDAY_NIGHT + timedelta(hours=1))
    for later in (1, 2):
        night(MONDAY_NIGHT + later * DAY)
    act(-20, now=MONDAY_NIGHT + 3 * DAY)
    assert late.read("acme").mark.day == (MONDAY_NIGHT - 20 * DAY).toordinal()


def test_mark__that_no_night_has_followed__stays_the_earliest():
    act(-100, now=MONDAY_NIGHT + timedelta(hours=1))
    act(-20, now=MONDAY_NIGHT + timedelta(hours=3))
    assert late.read("acme").mark.day == (MONDAY_NIGHT - 100 * DAY).toordinal()


def test_mark__before_the_log__is_followed_until_the_log_must_be_there(monkeypatch):
    """A writer that is slow between its mark and the log, with a night in between."""
    late.mark("acme", late.read("acme"), (MONDAY_NIGHT - 60 * DAY).date(), MONDAY_NIGHT)
    night(MONDAY_NIGHT)
    monkeypatch.setattr(late, "mark", lambda *_: None)
    act(-60, now=MONDAY_NIGHT + timedelta(minutes=1))
    night(MONDAY_NIGHT + DAY)
    assert_exact("acme", YESTERDAY + DAY)


def test_nights__missed_for_long__fold_what_no_night_has_seen():
    act(-1, "kim", now=MONDAY_NIGHT)
    for day in range(40):
        act(day)
    later = MONDAY_NIGHT + 40 * DAY
    night(later)
    assert_exact("acme", later.date() - DAY)


def test_fold__cut_short__goes_on_the_next_night_and_is_not_whole_before():
    for day in range(-90, -21, 7):
        act(day, "kim", now=MONDAY_NIGHT)
    night(MONDAY_NIGHT, keep_going=iter([True] + [False] * 99).__next__)
    use = stored_use.read("acme")
    assert not use.is_whole
    nights = 0
    while not stored_use.read("acme").is_whole:
        nights += 1
        night(MONDAY_NIGHT + nights * DAY, keep_going=iter([True, True, True] + [False] * 99).__next__)
    assert 1 < nights < 12
    night(MONDAY_NIGHT + (nights + 1) * DAY)
    assert_exact("acme", YESTERDAY + (nights + 1) * DAY)


def test_definitions__changed__fold_everything_again(monkeypatch):
    night(MONDAY_NIGHT)
    by = Definitions(frozenset({"exported"}), {"jira": frozenset({"issue"})}, {"reports": frozenset({"exported"})})
    monkeypatch.setattr(folding, "definitions", lambda *_: by)
    act(-9, name="issue", now=MONDAY_NIGHT)
    night(MONDAY_NIGHT + DAY)
    assert_exact("acme", YESTERDAY + DAY, by)
    sums = stored_use.read("acme").weeks[week_of((MONDAY_NIGHT - 9 * DAY).toordinal())]
    assert sums == {"value": 7 * MICROS, "integration:jira": MICROS, "users": 2, "breadth": 1}


def test_expired_logs__keep_what_was_folded_of_them():
    night(MONDAY_NIGHT)
    before = stored_use.read("acme")
    gone = [(pk, sk) for pk, sk in items("ACTIVITY_TABLE") if pk == "a#acme" and "D#2026-11-0" <= sk <= "D#2026-11-04~"]
    for pk, sk in gone:
        dynamodb().delete_item(TableName=schema.activity_table(), Key={"pk": {"S": pk}, "sk": {"S": sk}})
    act(-50, "kim", now=MONDAY_NIGHT)
    night(MONDAY_NIGHT + DAY)
    after = stored_use.read("acme")
    assert len(gone) > 1
    assert (after.any_days & before.any_days, after.people["uann"]) == (before.any_days, before.people["uann"])
    assert before.weeks.items() <= after.weeks.items()


def test_sealed_logs__are_folded_with_their_blocks():
    act(-1, "kim", count=120, now=MONDAY_NIGHT)
    act(-10, "kim", count=120, now=MONDAY_NIGHT)
    night(MONDAY_NIGHT)
    assert_exact("acme", YESTERDAY)


def test_erased_user__of_an_account_without_use__makes_its_first_fold():
    act(-2, account_id="new")
    erasure.erase_user("new", "ann", MONDAY_NIGHT, lambda: True)
    assert not stored_use.read("new").is_whole
    night(MONDAY_NIGHT)
    assert_exact("new", YESTERDAY)


def test_crm_facts__contacts_and_tickets__are_kept_as_nights_have_seen_them():
    def facts(at, tickets):
        accounts.save_crm("acme", CrmFacts(at, open_tickets=tickets, last_meeting_at=at - 3 * DAY, last_email_at=at))

    facts(MONDAY_NIGHT - DAY, 2)
    night(MONDAY_NIGHT)
    facts(MONDAY_NIGHT + DAY, 5)
    for later in range(1, 9):
        night(MONDAY_NIGHT + later * DAY)
    use = stored_use.read("acme")
    monday = week_of(YESTERDAY.toordinal())
    assert {week: use.tickets_until(monday + 1)[week] for week in (monday, monday + 1)} == {monday: 2, monday + 1: 5}
    days = [(MONDAY_NIGHT + timedelta(days=back)).toordinal() for back in (-4, -2, -1, 1)]
    assert use.contact_days == tuple(days)
