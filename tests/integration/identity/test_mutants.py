"""The histories would notice: a judge, or a product, that breaks one rule gives other figures for some of them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from healthscore.api import event_rules
from healthscore.core.day_log.rollup import Fold
from healthscore.core.identity.counting import NotCounted
from healthscore.core.identity.draft import Draft
from healthscore.core.identity.merges import Merges
from healthscore.core.identity.people import People
from healthscore.storage.day_logs import moving, settle
from tests.support import identity_judge as judge
from tests.support.identity_deliveries import Workspace
from tests.support.identity_histories import history, with_merges

pytestmark = pytest.mark.no_cover  # it would double their time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from healthscore.core.day_log.codec import Entry
    from healthscore.core.identity.record import IdRecord
    from healthscore.core.identity.timeline import Point
    from tests.support.identity_histories import History

FIRST = 200
"""Histories in which a broken judge must differ."""
FEWEST = 3
"""Of these, as many as this: a rule that a single history tests is lost with the next change of the generator."""
PRODUCT_FIRST = 100

_real = {name: getattr(judge, name) for name in dir(judge)}


def _aliases_of_one_step(known, user):
    """A user is who their own last alias says, and no further."""
    return f"user {dict(known.aliases).get(user, user)}"


def _nobody_joined(known, user):
    return f"user {user}"


def _memberships_of_one_id(known, person):
    """The account is that of the id that it was said of."""
    return [
        said
        for subject, said in known.memberships
        if person in (f"user {subject.user}", f"device {subject.device}") and subject.user is not None
    ]


def _memberships_of_users_only(known, person):
    return [
        said
        for subject, said in known.memberships
        if subject.user and _real["person_of"](known, subject, said.at) == person
    ]


def _memberships_of_devices_as_they_are_now(known, person):
    """A call of a device is about whoever is on it at the end."""
    end = max((said.at for all_ in known.identifications.values() for said in all_), default=None)
    return [said for subject, said in known.memberships if _real["person_of"](known, subject, end or said.at) == person]


def _last_user_for_all_time(known, device, at):
    return max(known.identifications.get(device, []), default=(at, None))[1]


def _first_user_for_all_time(known, device, at):
    return min(known.identifications.get(device, []), default=(at, None))[1]


def _nobody_before_the_first(known, device, at):
    said = [one for one in known.identifications.get(device, []) if one.at <= at]
    return max(said, default=(at, None))[1]


def _not_at_the_same_instant(said, at):
    """What is said holds after its instant, not at it."""
    return _real["in_force"](said, at.replace(microsecond=max(0, at.microsecond - 1000)) if at.microsecond else at)


def _first_account_only_from_its_time_on(said, at):
    return max([one for one in said if one.at <= at], default=(at, None))[1]


def _least_at_the_same_instant(said, at):
    if not said:
        return None
    until_then = [one.at for one in said if one.at <= at]
    decisive = max(until_then) if until_then else min(said).at
    return min(one.what for one in said if one.at == decisive)


def _events_identify(known, call):
    _real["read_event"](known, call)
    judge.identify(known, judge.subject_of(call), judge.time_of(call))


def _events_are_memberships(known, call):
    _real["read_event"](known, call)
    account = judge.account_named(call)
    if account is not None and judge.subject_of(call) != (None, None):
        known.memberships.append((judge.subject_of(call), judge.Said(judge.time_of(call), account)))


def _identifications_join(known, subject, at):
    """A device that two users share makes them one person."""
    _real["identify"](known, subject, at)
    users = [said.what for said in known.identifications.get(subject.device or "", [])]
    known.aliases += pairwise(users)


def _alias_identifies_no_device(known, call):
    user, previous = judge.subject_of(call).user, judge.previous_of(call)
    if user is not None and previous is not None:
        judge.join(known, previous, user)


def _groups_identify_no_device(known, call):
    if not judge.is_rejected(call):
        known.memberships.append(
            (judge.subject_of(call), judge.Said(judge.time_of(call), judge.read_id(call["groupId"])))
        )


def _placeholders_are_ids(given, *, placeholders=True):
    return _real["read_id"](given, placeholders=False)


def _sessions_by_id_alone(events):
    return _real["sessions"]([one._replace(person=None) if one.session else one for one in events])


def _sessions_of_each_id(known, subject, at):
    """Each id is a person of its own; accounts are found as ever."""
    return f"user {subject.user}" if subject.user else f"device {subject.device}" if subject.device else None


def _accounts_by_real_people(known, call):
    person = _real["person_of"](known, judge.subject_of(call), judge.time_of(call))
    members = [said for subject, said in known.memberships if _real["person_of"](known, subject, said.at) == person]
    return judge.account_named(call) or (person and judge.in_force(members, judge.time_of(call)))


def _gaps_begin_no_session(times):
    return [list(times)]


def _gap_of_exactly_half_an_hour_ends_a_session(times):
    runs = [[times[0]]]
    for before, after in pairwise(times):
        if after - before >= judge.GAP:
            runs.append([])
        runs[-1].append(after)
    return runs


def _patches(**broken) -> Callable[[pytest.MonkeyPatch], None]:
    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        for name, function in broken.items():
            monkeypatch.setattr(judge, name, function)

    return patch


JUDGES = {
    "X1 aliases reach one step": _patches(person_of_user=_aliases_of_one_step),
    "X1 aliases join nobody": _patches(person_of_user=_nobody_joined),
    "X1 a membership is of the id": _patches(memberships_of=_memberships_of_one_id),
    "X1 a group call of a device is nobody's": _patches(memberships_of=_memberships_of_users_only),
    "X1 a group call of a device is its last user's": _patches(memberships_of=_memberships_of_devices_as_they_are_now),
    "X1 the first account holds from its time on": _patches(
        account_of=lambda known, call: (
            judge.account_named(call)
            or _first_account_only_from_its_time_on(
                judge.memberships_of(known, judge.person_of(known, judge.subject_of(call), judge.time_of(call))),
                judge.time_of(call),
            )
        )
    ),
    "X1 events are memberships": _patches(read_event=_events_are_memberships),
    "X2 a device is its last user's": _patches(user_on=_last_user_for_all_time),
    "X2 a device is its first user's": _patches(user_on=_first_user_for_all_time),
    "X2 a device is nobody's before the first": _patches(user_on=_nobody_before_the_first),
    "X2 users of one device are one": _patches(identify=_identifications_join),
    "X2 events identify": _patches(read_event=_events_identify),
    "X2 an alias identifies no device": _patches(read_alias=_alias_identifies_no_device),
    "X2 a group call identifies no device": _patches(read_group=_groups_identify_no_device),
    "X2 the least of an instant": _patches(in_force=_least_at_the_same_instant),
    "X3 placeholders are ids": _patches(read_id=_placeholders_are_ids),
    "X4 sessions are of an id": _patches(person_of=_sessions_of_each_id, account_of=_accounts_by_real_people),
    "X4 sessions are nobody's": _patches(sessions=_sessions_by_id_alone),
    "X4 sessions never end": _patches(runs_of=_gaps_begin_no_session),
    "X4 sessions end at the gap": _patches(runs_of=_gap_of_exactly_half_an_hour_ends_a_session),
}
"""By a name that begins with the rule: breaks this rule in the judge."""


def as_it_arrived(one: History) -> tuple[judge.Figures, judge.FirstSeen]:
    """The figures of a product that leaves an event where it counted first (X5 broken)."""
    known = judge.Known()
    placed: dict[str, judge.Call] = {}
    for call in one.delivered:
        {"alias": judge.read_alias, "identify": judge.read_identify, "group": judge.read_group}.get(
            call["type"], judge.read_event
        )(known, call)
        for message_id, event in known.events.items():
            account = judge.account_of(known, event)
            if account is not None and message_id not in placed:
                placed[message_id] = {**event, "context": {**event.get("context", {}), "groupId": account}}
    others = [call for call in one.delivered if call.get("messageId") not in placed]
    calls = [*others, *placed.values()]
    return judged(calls)


def judged(calls: list[judge.Call]) -> tuple[judge.Figures, judge.FirstSeen]:
    return judge.figures(calls), judge.first_seen(calls)


@pytest.fixture(scope="module")
def right():
    return [judged(history(seed).delivered) for seed in range(FIRST)]


@pytest.mark.parametrize("name", JUDGES)
def test_judge__that_breaks_a_rule__differs_in_some_histories(name, right, monkeypatch):
    JUDGES[name](monkeypatch)
    differs = [seed for seed in range(FIRST) if judged(history(seed).delivered) != right[seed]]
    assert len(differs) >= FEWEST, differs


def test_judge__that_leaves_events_where_they_counted_first__differs_in_some_histories(right):
    differs = [seed for seed in range(FIRST) if as_it_arrived(history(seed)) != right[seed]]
    assert len(differs) >= FEWEST, differs


def _one_step(people: People, user: str) -> IdRecord:
    """Follow an alias by one step, and no further."""
    record = people.records[user]
    return record if record.up is None else people.records[record.up]


def _last_owner_alone(draft: Draft, device: IdRecord, points: Iterable[Point]) -> None:
    """A device is at all times of the user who was identified on it last."""
    _give(draft, device, points)
    device.owners = device.owners[-1:]


def _sessions_and_people_by_id(fold: Fold, entries: Iterable[Entry]) -> Fold:
    """Sessions and people are those of the ids that events carry."""
    return _add(fold, [one._replace(label=None) if one.counts else one for one in entries])


_give, _add = Draft._give, Fold.add
MUTANTS: dict[str, tuple[object, str, object]] = {
    "X1 aliases lead one step": (People, "person_of", _one_step),
    "X1 aliases join nobody": (Draft, "_unite", lambda *_: None),
    "X2 devices are their last user's": (Draft, "_give", _last_owner_alone),
    "X2 devices are nobody's": (Draft, "_give", lambda *_: None),
    "X3 placeholders are people": (event_rules, "names_nobody", lambda *_: False),
    "X4 sessions are of an id": (Fold, "add", _sessions_and_people_by_id),
    "X5 events stay where they counted first": (settle, "settle", lambda *_, **__: None),
    "X7 everybody counts": (NotCounted, "is_of", lambda *_: False),
    "X8 merges are not followed": (Merges, "canonical", lambda _, account_id: account_id),
    "X8 days are not moved": (moving, "move_day", lambda *_: None),
}
"""By a name that begins with the rule: what is replaced in the product, and by what, to break the rule."""


@pytest.mark.parametrize("name", MUTANTS)
def test_product__that_breaks_a_rule__differs_in_some_history(name, moto, monkeypatch):
    workspace = Workspace("UTC", monkeypatch)
    monkeypatch.setattr(*MUTANTS[name])
    histories = map(history, range(PRODUCT_FIRST))
    if name.startswith("X8"):
        histories = (with_merges(one, seed) for seed, one in enumerate(histories))
    assert any(map(workspace.faults, histories))
