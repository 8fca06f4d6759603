"""Recomputes every account's figures from the list of all calls, by the rules of docs/identity.md and nothing else.

It is as plain as it can be, shares no code with the product, and knows no order of arrival: it reads all calls, then
asks of each event whose it is and where it counts. Each rule is one small function, so that a test can break it. Ids on
which too many users are identified (shared ids) are not judged: what they join depends on when they became shared.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from healthscore.core.model import DayRollup, NameCount

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import tzinfo

Call = dict[str, Any]
Figures = dict[str, dict[date, DayRollup]]
FirstSeen = dict[str, dict[str, datetime]]

NOBODY = {
    *("", "undefined", "null", "none", "nan", "anonymous", "guest", "unknown", "0", "-1", "[object object]"),
    "00000000-0000-0000-0000-000000000000",
}
EVENT_NAMES = {"page": "page_viewed", "screen": "screen_viewed"}
GAP = timedelta(minutes=30)


class Subject(NamedTuple):
    """Whom a call is about, as it says itself."""

    user: str | None
    device: str | None


class Said(NamedTuple):
    """What a call says from its time on."""

    at: datetime
    what: str


@dataclass
class Known:
    """What all calls together say."""

    identifications: dict[str, list[Said]] = field(default_factory=lambda: defaultdict(list))
    """Users by device."""
    aliases: list[tuple[str, str]] = field(default_factory=list)
    memberships: list[tuple[Subject, Said]] = field(default_factory=list)
    """Accounts by whom the call is about."""
    internal: list[tuple[Subject, datetime, bool]] = field(default_factory=list)
    events: dict[str, Call] = field(default_factory=dict)
    """Track, page and screen calls by message id."""
    staff: Collection[str] = ()
    """Ids that the settings mark as internal."""


class Counted(NamedTuple):
    """An event with what the rules say about it."""

    at: datetime
    account: str
    person: str | None
    session: str | None
    name: str
    value: int
    internal: bool = False
    """Whether it is of staff or of a machine, and counts apart."""


def figures(
    calls: Iterable[Call],
    *,
    zone: tzinfo = UTC,
    staff: Collection[str] | None = (),
    merges: Mapping[str, str] | None = None,
) -> Figures:
    """The roll-ups of each account's active days.

    Args:
        calls: all calls in any order, as JSON values; each with its `timestamp`, and events with their `messageId`.
        zone: of the workspace.
        staff: user and anonymous ids that the settings mark as internal. None: nothing is internal, whatever calls say.
        merges: accounts that were merged, by the id that was given up, each with the account that goes on.
    """
    by_day: dict[str, dict[date, list[Counted]]] = defaultdict(lambda: defaultdict(list))
    apart: Counter[tuple[str, date]] = Counter()
    for one in placed(calls, staff, merges or {}):
        day = one.at.astimezone(zone).date()
        if one.internal:
            apart[one.account, day] += 1
        else:
            by_day[one.account][day].append(one)
    return {
        account: {day: rollup(day, events, apart[account, day]) for day, events in sorted(days.items())}
        for account, days in sorted(by_day.items())
    }


def first_seen(
    calls: Iterable[Call], *, staff: Collection[str] | None = (), merges: Mapping[str, str] | None = None
) -> FirstSeen:
    """When each account's events of each name were first seen; the arguments are those of `figures`."""
    times: dict[str, dict[str, list[datetime]]] = defaultdict(lambda: defaultdict(list))
    for one in counted(calls, staff, merges or {}):
        times[one.account][one.name].append(one.at)
    return {account: {name: min(all_) for name, all_ in names.items()} for account, names in times.items()}


def counted(calls: Iterable[Call], staff: Collection[str] | None, merges: Mapping[str, str]) -> list[Counted]:
    """The events that count somewhere."""
    return [one for one in placed(calls, staff, merges) if not one.internal]


def placed(calls: Iterable[Call], staff: Collection[str] | None, merges: Mapping[str, str]) -> list[Counted]:
    """The events of accounts, those included that count apart."""
    known = read(calls)
    known.staff = staff or ()
    found = []
    for call in known.events.values():
        account = account_of(known, call)
        if account is None:
            continue
        found.append(
            Counted(
                at=time_of(call),
                account=merged_into(merges, account),
                person=person_of(known, subject_of(call), time_of(call)),
                session=read_id(call.get("context", {}).get("sessionId"), placeholders=False),
                name=EVENT_NAMES.get(call["type"].lower()) or call["event"],
                value=round(call.get("properties", {}).get("value", 1) * 1_000_000),
                internal=staff is not None and is_internal(known, call),
            )
        )
    return found


# What calls say


def read(calls: Iterable[Call]) -> Known:
    """Take all calls apart."""
    known = Known()
    for call in calls:
        {"alias": read_alias, "identify": read_identify, "group": read_group}.get(call["type"].lower(), read_event)(
            known, call
        )
    return known


def read_event(known: Known, call: Call) -> None:
    """An event; it says nothing about anybody."""
    if not is_rejected(call):
        known.events[call["messageId"]] = call


def read_identify(known: Known, call: Call) -> None:
    """Who is on a device, perhaps with an account, perhaps with the trait that marks staff."""
    if is_rejected(call):
        return
    subject = subject_of(call)
    identify(known, subject, time_of(call))
    account = read_id(call.get("context", {}).get("groupId"))
    if account is not None:
        known.memberships.append((subject, Said(time_of(call), account)))
    internal = call.get("traits", {}).get("internal")
    if isinstance(internal, bool):
        known.internal.append((subject, time_of(call), internal))


def read_group(known: Known, call: Call) -> None:
    """Who is on a device, and the account."""
    subject, account = subject_of(call), read_id(call.get("groupId"))
    if is_rejected(call) or account is None:
        return
    identify(known, subject, time_of(call))
    known.memberships.append((subject, Said(time_of(call), account)))


def read_alias(known: Known, call: Call) -> None:
    """Two users are one, and the id that is given up may be a device."""
    user, previous = subject_of(call).user, previous_of(call)
    if user is None or previous is None:
        return
    join(known, previous, user)
    identify(known, Subject(user, previous), time_of(call))


def join(known: Known, previous: str, user: str) -> None:
    """Two user ids are one person."""
    known.aliases.append((previous, user))


def identify(known: Known, subject: Subject, at: datetime) -> None:
    """A call with both ids says who is on the device."""
    user, device = subject
    if user is not None and device is not None:
        known.identifications[device].append(Said(at, user))


def previous_of(call: Call) -> str | None:
    """The id that an alias gives up."""
    return read_id(call.get("previousId")) or read_id(call.get("anonymousId"))


def is_rejected(call: Call) -> bool:
    """Whether a call names nobody, or misses what its kind needs; it then says nothing at all."""
    subject = subject_of(call)
    match call["type"].lower():
        case "alias":
            return subject.user is None or previous_of(call) is None
        case "identify":
            return subject == (None, None)
        case "group":
            return subject == (None, None) or read_id(call.get("groupId")) is None
    return subject == (None, None) and account_named(call) is None


def subject_of(call: Call) -> Subject:
    """The user and the device that a call names."""
    return Subject(read_id(call.get("userId")), read_id(call.get("anonymousId")))


def read_id(given: str | int | None, *, placeholders: bool = True) -> str | None:
    """An id; None where it is not said, or is nobody's."""
    text = "" if given is None else unicodedata.normalize("NFC", str(given)).strip()
    return None if text == "" or (placeholders and text.lower() in NOBODY) else text


def time_of(call: Call) -> datetime:
    """When a call was made."""
    return datetime.fromisoformat(call["timestamp"])


# Who it was


def person_of(known: Known, subject: Subject, at: datetime) -> str | None:
    """The person that a call is about: a user, the user on the device then, or else the device itself."""
    if subject.user is not None:
        return person_of_user(known, subject.user)
    if subject.device is None:
        return None
    user = user_on(known, subject.device, at)
    return f"device {subject.device}" if user is None else person_of_user(known, user)


def user_on(known: Known, device: str, at: datetime) -> str | None:
    """The user who was identified on a device."""
    return in_force(known.identifications.get(device, []), at)


def person_of_user(known: Known, user: str) -> str:
    """The person that a user is: all ids that aliases reach from this one."""
    ids = {user}
    while more := {id_ for pair in known.aliases if ids & {*pair} for id_ in pair} - ids:
        ids |= more
    return f"user {min(ids)}"


def in_force(said: Sequence[Said], at: datetime) -> str | None:
    """What was said last by an instant, or first where all of it came later; at the same instant, the greatest."""
    if not said:
        return None
    until_then = [one for one in said if one.at <= at]
    decisive = max(until_then).at if until_then else min(said).at
    return max(one.what for one in said if one.at == decisive)


# Where it counts


def account_of(known: Known, call: Call) -> str | None:
    """The account that an event counts for."""
    person = person_of(known, subject_of(call), time_of(call))
    return account_named(call) or (None if person is None else in_force(memberships_of(known, person), time_of(call)))


def account_named(call: Call) -> str | None:
    """The account that an event names itself."""
    return (
        read_id(call.get("context", {}).get("groupId"))
        or read_id(call.get("groupId"))
        or read_id(call.get("properties", {}).get("account_id"))
    )


def memberships_of(known: Known, person: str) -> list[Said]:
    """The accounts of a person, by whichever of the person's ids they were said."""
    return [said for subject, said in known.memberships if person_of(known, subject, said.at) == person]


def merged_into(merges: Mapping[str, str], account: str) -> str:
    """The account that an id stands for now."""
    while account in merges:
        account = merges[account]
    return account


def is_internal(known: Known, call: Call) -> bool:
    """Whether an event is of staff or of a machine: it says so, its id is listed, or its person is marked."""
    if call.get("properties", {}).get("internal") is True:
        return True
    if {*subject_of(call)} & {*known.staff}:
        return True
    person = person_of(known, subject_of(call), time_of(call))
    if person is None:
        return False
    if any(person == person_of_user(known, id_) for id_ in known.staff):
        return True
    marks = [(at, value) for subject, at, value in known.internal if person_of(known, subject, at) == person]
    return max(marks)[1] if marks else False


# Figures


def rollup(day: date, events: Sequence[Counted], not_counted: int) -> DayRollup:
    """The figures of an account's events of one day, and the number of those that count apart."""
    runs = sessions(events)
    names = {one.name for one in events}
    return DayRollup(
        day=day,
        events=len(events),
        sessions=len(runs),
        session_events=sum(len(run) for run in runs),
        session_ms=sum((max(run) - min(run)) // timedelta(milliseconds=1) for run in runs),
        people=len({one.person for one in events} - {None}),
        first_at=min(one.at for one in events),
        last_at=max(one.at for one in events),
        names={
            name: NameCount(
                sum(one.name == name for one in events), sum(one.value for one in events if one.name == name)
            )
            for name in names
        },
        not_counted=not_counted,
    )


def sessions(events: Iterable[Counted]) -> list[list[datetime]]:
    """The times of each session: of a person's session id, or of a person's run without long gaps."""
    named: dict[tuple[str | None, str], list[datetime]] = defaultdict(list)
    unnamed: dict[str, list[datetime]] = defaultdict(list)
    for one in events:
        if one.session is not None:
            named[one.person, one.session].append(one.at)
        elif one.person is not None:
            unnamed[one.person].append(one.at)
    return [*named.values(), *(run for times in unnamed.values() for run in runs_of(sorted(times)))]


def runs_of(times: Sequence[datetime]) -> list[list[datetime]]:
    """Times in order, cut wherever more than a gap lies between two."""
    runs = [[times[0]]]
    for before, after in pairwise(times):
        if after - before > GAP:
            runs.append([])
        runs[-1].append(after)
    return runs
