"""Runs nights in a row, and checks that their trends and causes follow from the raw events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tests.e2e import naive
from tests.e2e.causes import required_words
from tests.e2e.client import account_path
from tests.e2e.comparing import DAY, differences, end_of, expected_answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.e2e.client import Client
    from tests.e2e.naive import Event, Score

NIGHTS = 36
"""Long enough for an account to fall silent and for its recency to reach 0."""
NIGHTS_BEFORE = 4
"""Nights before the last active day, so that there is a score to fall from."""


@dataclass
class Nights:
    """The results of nights in a row."""

    account: str
    """The account that goes quiet."""
    days: list[date]
    comparisons: int = 0
    drivers: int = 0
    directions: set[str] = field(default_factory=set)
    mismatches: list[str] = field(default_factory=list)
    story: list[dict[str, Any]] = field(default_factory=list)
    """The health answers of that account, evening by evening."""

    def story_lines(self) -> list[str]:
        """The quiet account's evenings as lines of text, for a person to read."""
        lines = []
        for answer in self.story:
            trend = answer["trend"]
            delta = "" if trend["delta"] is None else f" ({trend['delta']:+})"
            head = f"{answer['as_of'][:10]}  {answer['score']:>3}  {answer['band']:<8}  {trend['direction']}{delta}"
            causes = [f"    {at['points']:+} {at['component']}: {at['cause']}" for at in answer["drivers"]]
            lines += [head, *causes]
        return lines


def quiet_stretch(accounts: Mapping[str, Sequence[Event]]) -> tuple[str, date]:
    """The account with the most active days in the month before it fell silent for a month, and the last of them."""
    best = (0, "", date.min)
    end_of_data = max(events[-1].day for events in accounts.values())
    for account, events in sorted(accounts.items()):
        days = sorted({event.day for event in events})
        for last, following in zip(days, [*days[1:], end_of_data], strict=True):
            if (following - last).days > NIGHTS - NIGHTS_BEFORE:
                active = sum(1 for day in days if last - 30 * DAY < day <= last)
                best = max(best, (active, account, last))
    return best[1:]


def run(client: Client, accounts: Mapping[str, Sequence[Event]], milestones: Sequence[str], zone: tzinfo) -> Nights:
    """Run nights in a row for past days, and check every evening's answer for every account.

    Asks about each evening twice: just before its night runs, and again after all nights. Both answers must be equal,
    although the first comes from the account's latest state and the second from its history.
    """
    account, last_day = quiet_stretch(accounts)
    first = last_day - NIGHTS_BEFORE * DAY
    nights = Nights(account, [first + i * DAY for i in range(NIGHTS)])
    scores = {
        name: {day: naive.score(events, end_of(day, zone), milestones, zone) for day in nights.days}
        for name, events in accounts.items()
    }
    kept = {name: [day for day in nights.days if accounts[name][0].at <= end_of(day, zone)] for name in accounts}
    asked: dict[tuple[str, date], Any] = {}
    for day in nights.days:
        for name in accounts:
            asked[name, day] = _ask(client, name, end_of(day, zone))
        client.call("POST", "/_local/nightly", {"date": day.isoformat()})
    for (name, day), before in asked.items():
        if _ask(client, name, end_of(day, zone)) != before:
            nights.mismatches.append(f"{name} on {day}: another answer once all nights were over")
    for name in accounts:
        _check_history(client, nights, name, [scores[name][day] for day in kept[name]])
    for (name, day), answer in asked.items():
        earlier = [scores[name][kept_day] for kept_day in kept[name] if kept_day < day]
        found = differences(_expected(name, scores[name][day], earlier, milestones), answer)
        compared = answer["compared_with"] and answer["compared_with"]["date"]
        then = next((score for score in earlier if score.day.isoformat() == compared), None)
        found += _driver_faults(answer, then, scores[name][day], accounts[name])
        nights.comparisons += 1
        nights.drivers += len(answer["drivers"])
        nights.directions.add(answer["trend"]["direction"])
        nights.mismatches += [f"{name} on {day}: {fault}" for fault in found]
    nights.story = [asked[account, day] for day in nights.days]
    return nights


def _ask(client: Client, account: str, as_of: datetime) -> Any:
    return client.get(f"{account_path(account)}/health", as_of=as_of.isoformat())


def _check_history(client: Client, nights: Nights, account: str, scores: Sequence[Score]) -> None:
    expected = [
        {"date": score.day.isoformat(), "score": score.score, "band": score.band, "components": score.components}
        for score in scores
    ]
    first, last = nights.days[0].isoformat(), nights.days[-1].isoformat()
    answer = client.get(f"{account_path(account)}/history", **{"from": first, "to": last})
    nights.comparisons += 1
    found = differences({"account_id": account, "snapshots": expected}, answer)
    nights.mismatches += [f"history of {account}: {fault}" for fault in found]


def _expected(account: str, now: Score, earlier: Sequence[Score], milestones: Sequence[str]) -> dict[str, Any]:
    """The expected health answer, with trends and recent nights."""
    week = [score for score in earlier if now.day - 7 * DAY <= score.day]
    month = [score for score in earlier if now.day - 30 * DAY <= score.day]
    answer = expected_answer(account, now, milestones)
    answer["trend"] = naive.trend(now.score, [score.score for score in week])
    for name, value in now.components.items():
        answer["components"][name]["trend"] = naive.trend(value, [score.components[name] for score in week])
    answer["recent"] = [{"date": score.day.isoformat(), "score": score.score} for score in month]
    return answer


def _driver_faults(answer: Any, then: Score | None, now: Score, events: Sequence[Event]) -> list[str]:
    """The faults of an evening's drivers: points, order, sum, or a cause that does not follow from the raw events."""
    drivers = answer["drivers"]
    if then is None:
        return [f"drivers {drivers} without an earlier night"] if drivers else []
    moves = {
        name: Fraction(naive.WEIGHTS[name] * (value - then.components[name]), 100)
        for name, value in now.components.items()
    }
    expected = [
        {"component": name, "points": points, "from": then.components[name], "to": now.components[name]}
        for name, points in sorted(moves.items(), key=lambda move: -abs(move[1]))
        if points
    ]
    faults = differences({"drivers": expected}, answer)
    change = naive.weighted(now.components) - naive.weighted(then.components)
    if sum(Fraction(driver["points"]) for driver in drivers) != change:
        faults.append(f"the drivers do not sum up to {change}")
    fresh = [event for event in events if then.as_of < event.at <= now.as_of]
    for driver in drivers:
        faults += [
            f"the cause {driver['cause']!r} of {driver['component']} does not say {words!r}"
            for words in required_words(driver["component"], then, now, fresh)
            if words not in driver["cause"]
        ]
    return faults
