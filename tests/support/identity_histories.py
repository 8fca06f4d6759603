"""Histories of calls about a few people, and how they are delivered, drawn from a seed.

Everything is scarce on purpose, times too: so ids meet, calls fall on the same instant, sessions touch, and midnights
of several time zones lie between. Ids begin with a tilde, which `stamped` replaces, so that many histories fit into the
same tables.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.support.identity_judge import Call

FIRST_DAY = datetime(2026, 11, 16, tzinfo=UTC)
USERS = ("~ann", "~bob", "~cyd", "~dee")
DEVICES = ("~v1", "~v2", "~v3")
ACCOUNTS = ("~acme", "~bolt", "~core")
EVENTS = ("login", "report_viewed", "exported")
PLACEHOLDERS = ("undefined", "NULL", " None ", "0", "", "[object Object]", "00000000-0000-0000-0000-000000000000")
ZONES = ("UTC", "America/New_York", "Pacific/Auckland")
"""Their midnights are at 0, 5 and 11 o'clock UTC in November."""


def _moments(*texts: str) -> list[timedelta]:
    return [datetime.fromisoformat(f"1970-01-01T{text}") - datetime(1970, 1, 1) for text in texts]  # noqa: DTZ001


MIDNIGHTS = _moments("00:00", "04:50", "05:00", "05:10", "10:50", "11:15", "23:45", "23:59:59.999")
AFTERNOON = _moments("14:00", "14:01", "14:30", "14:30:00.001", "15:00", "15:00:00.001")
"""Exactly 30 minutes, and a millisecond more, lie between some of them."""


class Fate(NamedTuple):
    """What befalls a delivery at one of its calls to DynamoDB."""

    kind: str
    """`killed before` the call is made, or `killed after` it; `refused`, the call is not made, or `unanswered`, it is;
    `paused` before it, while the next step runs from its start to its end."""
    at: int
    """Number of the call, from 1. A delivery that makes fewer meets no fate."""
    later: int = 0
    """How many steps later a delivery that is not answered 200 is sent again."""


@dataclass(frozen=True)
class Step:
    """One request with some calls of the history; or, without calls, a merge or a sweep of pending events."""

    calls: tuple[int, ...] = ()
    """Their numbers in the history."""
    fate: Fate | None = None
    merge: tuple[str, str] | None = None
    """The account that is given up, and the one that goes on."""


@dataclass(frozen=True)
class History:
    """Calls, and the steps in which they are delivered."""

    calls: tuple[Call, ...]
    steps: tuple[Step, ...]

    @property
    def delivered(self) -> list[Call]:
        """The calls that are in some step, in the order of their first delivery."""
        return [self.calls[number] for number in dict.fromkeys(number for step in self.steps for number in step.calls)]


def history(seed: int) -> History:
    """The history of a seed: always the same, for the same seed."""
    random = Random(seed)
    calls = _calls(random)
    return History(calls, _steps(random, len(calls)))


def with_merges(whole: History, seed: int) -> History:
    """The history with accounts merged between its steps."""
    random = Random(f"merges {seed}")
    first, second, third = random.sample(ACCOUNTS, k=3)
    merges = random.choice([[(first, second)], [(first, second), (second, third)], [(first, third), (second, third)]])
    steps = list(whole.steps)
    places = sorted(random.randint(0, len(steps)) for _ in merges)
    for place, merge in reversed([*zip(places, merges, strict=True)]):
        fate = None
        if random.random() < 0.7:
            kind = random.choice(["killed before", "killed after", "refused", "unanswered", "paused"])
            fate = Fate(kind, random.randint(1, 25), random.randint(0, 2))
        steps.insert(place, Step(fate=fate, merge=merge))
    return History(whole.calls, tuple(steps))


def stamped(calls: Iterable[Call], prefix: str) -> list[Call]:
    """The calls with ids of their own, which sort as the others do."""
    return json.loads(json.dumps(list(calls)).replace("~", prefix))


def _calls(random: Random) -> tuple[Call, ...]:
    days = random.randint(1, 3)
    of_a_day = random.choice([AFTERNOON, [*AFTERNOON, *MIDNIGHTS]])
    moments = [FIRST_DAY + timedelta(days=day) + moment for day in range(days) for moment in of_a_day]
    world = _World(
        random,
        times=random.sample(moments, k=random.randint(2, min(9, len(moments)))),
        users=USERS[: random.randint(2, 4)],
        devices=DEVICES[: random.choice([1, 1, 2, 3])],
        accounts=ACCOUNTS[: random.randint(2, 3)],
        placeholders=random.choice([0, 0, 0.1]),
        internal=random.choice([0, 0, 0, 0.2]),
        named=random.choice([0, 0.1, 0.3]),
        sessions=random.choice([0, 0.3, 0.7]),
    )
    return tuple(world.call(number) for number in range(random.randint(4, 16)))


@dataclass
class _World:
    """The few people, accounts and times of one history."""

    random: Random
    times: Sequence[datetime]
    users: Sequence[str]
    devices: Sequence[str]
    accounts: Sequence[str]
    placeholders: float
    """Share of ids that are nobody's."""
    internal: float
    """Share of calls that mark staff."""
    named: float
    """Share of events that name their account."""
    sessions: float
    """Share of events with a session id."""

    def call(self, number: int) -> Call:
        kinds = {"track": 40, "page": 6, "screen": 2, "identify": 20, "group": 18, "alias": 12}
        (kind,) = self.random.choices(list(kinds), list(kinds.values()))
        at = self.random.choice(self.times).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"type": kind, "timestamp": at, **getattr(self, f"_{kind}")(number)}

    def _track(self, number: int) -> Call:
        return {"event": self.random.choice(EVENTS), **self._page(number)}

    def _page(self, number: int) -> Call:
        call: Call = {"messageId": f"~m{number}", "context": {}, "properties": {}}
        subject = self._subject(user_only=35, device_only=45, both=17, nobody=3)
        if not subject or self._happens(self.named):
            self.random.choice(
                [
                    lambda: call["context"].update(groupId=self._account()),
                    lambda: call.update(groupId=self._account()),
                    lambda: call["properties"].update(account_id=self._account()),
                ]
            )()
        if self._happens(self.sessions):
            call["context"]["sessionId"] = self.random.choice(["~s1", "~s2"])
        if self._happens(0.1):
            call["properties"]["value"] = self.random.choice([2, 0.5, 0])
        if self._happens(self.internal):
            call["properties"]["internal"] = True
        return {**subject, **{name: value for name, value in call.items() if value}}

    _screen = _page

    def _identify(self, _: int) -> Call:
        call = self._subject(user_only=10, device_only=10, both=80, nobody=0)
        if self._happens(0.25):
            call["context"] = {"groupId": self._account()}
        if self._happens(self.internal):
            call["traits"] = {"internal": self._happens(0.7)}
        return call

    def _group(self, _: int) -> Call:
        return {**self._subject(user_only=45, device_only=25, both=30, nobody=0), "groupId": self._account()}

    def _alias(self, _: int) -> Call:
        previous = self._user() if self._happens(0.6) else self._device()
        return {"previousId": previous, "userId": self._user()}

    def _subject(self, **shares: int) -> Call:
        (kind,) = self.random.choices(list(shares), list(shares.values()))
        call = {}
        if kind in {"user_only", "both"}:
            call["userId"] = self._user()
        if kind in {"device_only", "both"}:
            call["anonymousId"] = self._device()
        if kind in {"user_only", "device_only"} and self._happens(self.placeholders):
            call["anonymousId" if kind == "user_only" else "userId"] = self.random.choice(PLACEHOLDERS)
        return call

    def _user(self) -> str:
        return self._somebody(self.users, self.devices)

    def _device(self) -> str:
        return self._somebody(self.devices, self.users)

    def _somebody(self, these: Sequence[str], others: Sequence[str]) -> str:
        if self._happens(self.placeholders / 2):
            return self.random.choice(PLACEHOLDERS)
        return self.random.choice(others if self._happens(0.04) else these)

    def _account(self) -> str:
        return self.random.choice(PLACEHOLDERS if self._happens(self.placeholders / 2) else self.accounts)

    def _happens(self, share: float) -> bool:
        return self.random.random() < share


def _steps(random: Random, calls: int) -> tuple[Step, ...]:
    """All calls in batches, in some order; some again; faults; sweeps between."""
    order = list(range(calls))
    if random.random() < 0.8:
        random.shuffle(order)
    cuts = random.choice([0, 1, 2, calls // 3, calls // 3, calls // 2, calls])
    edges = sorted({0, calls, *random.sample(range(calls), k=cuts)})
    steps = [Step(tuple(order[start:end])) for start, end in pairwise(edges)]
    for _ in range(random.choice([0, 1, 1, 2])):
        again = random.choice(steps).calls
        if random.random() < 0.5:
            again = tuple(random.sample(order, k=random.randint(1, calls)))
        steps.insert(random.randint(0, len(steps)), Step(again))
    share = random.choice([0, 0.2, 0.5])
    steps = [replace(step, fate=_fate(random)) if random.random() < share else step for step in steps]
    for _ in range(random.choice([0, 0, 1, 2])):
        fate = _fate(random) if random.random() < share else None
        steps.insert(random.randint(1, len(steps)), Step((), fate))
    return tuple(steps)


def _fate(random: Random) -> Fate:
    kind = random.choice(["killed before", *["killed after", "paused"] * 2, "refused", "unanswered"])
    return Fate(kind, random.randint(1, random.choice([4, 10, 20])), random.choice([0, 1, 3, 10]))


def shown(call: Call) -> str:
    """A call in one line, without the marks of its ids."""
    said = {name: value for name, value in call.items() if name not in {"type", "timestamp"}}
    at = datetime.fromisoformat(call["timestamp"])
    return f"{at:%a %H:%M:%S.%f}"[:-3] + f"  {call['type']:8} " + "  ".join(_fields(said)).replace("~", "")


def _fields(said: dict[str, Any], path: str = "") -> list[str]:
    return [
        text
        for name, value in said.items()
        for text in (_fields(value, f"{path}{name}.") if isinstance(value, dict) else [f"{path}{name}={value!r}"])
    ]
