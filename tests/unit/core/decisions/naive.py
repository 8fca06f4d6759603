"""The rules once more, as plainly as they are written: every night counts everything from its days again.

Nothing is shared with the code under test but the shape of its inputs. It answers for each night the state, and at each
change of state the names of the reasons.
"""

from __future__ import annotations

import itertools
from fractions import Fraction

MICROS = 1_000_000
OK, MONITOR, YELLOW, RED = 0, 1, 2, 3
FAMILIES = {"active_days": "usage", "users": "usage", "value": "value", "breadth": "value"}


class Account:
    """What an account did, day by day, and what is known of it."""

    def __init__(self, uses, *, excused=(), champions=(), cadence=None, channel="people", sensitivity="balanced"):
        self.uses = {use.day: use for use in uses}
        self.excused = set(excused)
        self.champions = list(champions)
        self.cadence = cadence
        self.api = channel == "api"
        self.sensitivity = sensitivity
        self.first = min(self.uses)
        self.active = {day for day, use in self.uses.items() if self.api or use.people}
        self.last = max(self.uses)
        self.sums = {self.first - 1: 0}
        for day in range(self.first, max(self.uses) + 1):
            self.sums[day] = self.sums[day - 1] + (day in self.active)

    def days(self, start, end):
        return self.until(end) - self.until(start - 1)

    def until(self, day):
        return self.sums[max(min(day, self.last), self.first - 1)]

    def week_days(self, week):
        return range(7 * week + 1, 7 * week + 8)

    def weeks(self, until):
        """The complete weeks up to a day that are not excused."""
        week = (self.first + 6) // 7 if self.first % 7 != 1 else (self.first - 1) // 7
        found = []
        while 7 * week + 7 <= until:
            if week not in self.excused:
                found.append(week)
            week += 1
        return found

    def of_week(self, key, week):
        uses = [self.uses[day] for day in self.week_days(week) if day in self.uses]
        if key == "active_days":
            return sum(day in self.active for day in self.week_days(week))
        if key == "users":
            return len({person for use in uses for person in use.people})
        if key == "breadth":
            return len({feature for use in uses for feature in use.features})
        if key == "value":
            return sum(use.value for use in uses)
        return sum(use.integrations.get(key.removeprefix("integration:"), 0) for use in uses)

    def signals(self):
        integrations = {f"integration:{name}" for use in self.uses.values() for name in use.integrations}
        return sorted({"active_days", "users", "value", "breadth", *integrations} - ({"users"} if self.api else set()))


def minimum(key):
    return {"active_days": 12, "users": 24, "breadth": 24}.get(key, 24 * MICROS)


def runs(values, least, sensitivity):
    """Every run of low weeks: position of the first, of the last, baseline, low weeks before."""
    found, at = [], 12
    while at < len(values):
        total = sum(values[at - 12 : at])
        if total < least or 24 * values[at] > total:
            at += 1
            continue
        end = at
        while end + 1 < len(values) and end - at + 1 < 26 and 24 * values[end + 1] <= total:
            end += 1
        back = 26 if sensitivity == "calm" else 12
        before = sum(24 * value <= total for value in values[max(0, at - back) : at])
        found.append((at, end, total, before))
        at = end + 1
    return found


def unusual(run, sensitivity):
    first, last, _, before = run
    if before > (8 if sensitivity == "calm" else 6):
        return 0
    return last - first + 1 - (0 if sensitivity == "literal" else before)


def nightly(account, day, verdicts):  # noqa: C901  (as plain as the rules)
    """What a night sees beside the weekly verdicts: level by reason."""
    seen = {}
    young = day - account.first + 1 < 90
    active = sorted(other for other in account.active if other <= day)
    champion, few = champion_state(account, day)
    if active:
        last = active[-1]
        silent = (
            day
            - last
            - 7 * sum(all(last < other <= day for other in account.week_days(week)) for week in account.excused)
        )
        k = sum(account.days(last - 7 * back - 6, last - 7 * back) > 0 for back in range(13))
        n = account.days(last - 90, last)
        if account.cadence:
            limit = max(21, -(-3 * account.cadence // 2))
        else:
            limit = min(7 * (16 - k), 45) if k >= 8 else 45
            if k >= 12 and n >= 26 and silent >= 7 and silent * n >= 910:
                seen["regime_change"] = RED
        if silent >= limit:
            seen["overdue"] = YELLOW
        if silent >= limit + min(limit, 45):
            seen["out_of_use"] = RED
    if champion == "silent":
        seen["champion"] = YELLOW if few else MONITOR
    seen.update(onboarding(account, day))
    if young or account.cadence:
        return seen
    last_quarter = account.days(day - 90, day)
    best = max(account.days(end - 90, end) for end in range(day - 364, day + 1))
    if best >= 13 and 4 * last_quarter <= best:
        seen["fade"] = YELLOW
    c, b, a = (account.days(day - 28 * back - 27, day - 28 * back) for back in (0, 1, 2))
    if a >= 12 and c * a < b * b and 4 * b <= 3 * a and 3 * c <= a:
        seen["accelerating"] = YELLOW
    families = {FAMILIES.get(key, "integration") for key, weeks in verdicts["falling"].items() if weeks >= 2}
    if len(families) >= 2 and any(weeks >= 3 and key != "breadth" for key, weeks in verdicts["falling"].items()):
        seen["multiple"] = RED if champion == "silent" else YELLOW
    seen.update(verdicts["seen"])
    return seen


def weekly(account, day):
    """The verdict of Tuesday's night on the complete weeks."""
    falling, seen, totals = {}, {}, {}
    weeks = account.weeks(day - 1)
    for key in account.signals():
        values = [account.of_week(key, week) for week in weeks]
        found = runs(values, minimum(key), account.sensitivity)
        run = found[-1] if found and found[-1][1] == len(values) - 1 else None
        low = unusual(run, account.sensitivity) if run and run[1] - run[0] + 1 < 26 else 0
        if low > 0:
            falling[key] = low
            totals[key] = run[2]
            if key != "breadth":
                seen[f"drop:{key}"] = YELLOW if low >= 3 else MONITOR
        if (
            key == "active_days"
            and low >= 2
            and any(
                len(values) - 1 - earlier[1] <= 26
                and unusual(earlier, account.sensitivity) >= 1
                and weak(values[earlier[1] + 1 : run[0]], earlier[2])
                for earlier in found[:-1]
            )
        ):
            seen["repeated:active_days"] = YELLOW
        if key == "value" or key.startswith("integration:"):
            empty = 0
            while empty < len(values) and values[-1 - empty] == 0:
                empty += 1
            before = values[len(values) - empty - 12 : len(values) - empty]
            if empty >= 2 and len(values) - empty >= 12 and 0 not in before and sum(before) >= 24 * MICROS:
                seen[f"volume_stops:{key}"] = RED if empty >= 3 else YELLOW
    return {"falling": falling, "seen": seen, "totals": totals}


def weak(between, total):
    pairs = [2 * between[0]] if len(between) == 1 else [x + y for x, y in itertools.pairwise(between)]
    return all(Fraction(pair) <= Fraction(9, 10) * Fraction(2 * total, 12) for pair in pairs)


def champion_state(account, day):
    people = {}
    for other, use in account.uses.items():
        for person in use.people:
            people.setdefault(person, set()).add(other)
    names = account.champions
    if account.api:
        return "unknown", False
    if not names:
        sunday = day - day % 7
        if sunday < account.first:
            return "unknown", False
        counts = {
            person: sum(sunday - 28 - 181 <= other <= sunday - 28 for other in days) for person, days in people.items()
        }
        most = max(counts.values(), default=0)
        if most < 24:
            return "unknown", False
        names = [min(person for person, count in counts.items() if count == most)]
    last = max(
        max([other for other in people.get(name, ()) if other <= day], default=account.first - 1) for name in names
    )
    weeks = account.weeks(day)[-4:]
    return "silent" if day - last >= 21 else "responsive", all(account.of_week("users", week) <= 2 for week in weeks)


def onboarding(account, day):
    life = day - account.first + 1
    if not 28 <= life < 90:
        return {}
    check = 28 if life < 56 else 56 if life < 84 else 84
    end = account.first + check - 1
    uses = [use for other, use in account.uses.items() if other <= end]
    active = [other for other in account.active if other <= end]
    marks = [
        any(end - other < 14 for other in active),
        2 * len({(other - account.first) // 7 for other in active}) >= check // 7,
        len({feature for use in uses for feature in use.features}) >= 3,
    ]
    if not account.api:
        marks.append(len({person for use in uses for person in use.people}) >= 2)
    if all(marks):
        return {}
    return {"onboarding": YELLOW if sum(marks) <= 1 else MONITOR}


def changes(account, until):  # noqa: C901, PLR0912  (as plain as the rules)
    """Every change of state: day, before, after and the reasons."""
    state, episode, verdicts, found = None, None, {"falling": {}, "seen": {}, "totals": {}}, []
    for day in range(account.first, until + 1):
        if day % 7 == 1:
            young = day - account.first + 1 < 90
            verdicts = (
                weekly(account, day) if not young and not account.cadence else {"falling": {}, "seen": {}, "totals": {}}
            )
        seen = nightly(account, day, verdicts)
        grave = {reason: level for reason, level in seen.items() if level >= YELLOW}
        ended = None
        if grave and episode is None:
            episode = {
                "level": YELLOW,
                "usual": usual(account, day, seen),
                "totals": {},
                "reasons": set(),
                "fired": day,
            }
        if episode is not None:
            episode["reasons"] |= seen.keys()
            for reason in grave:
                key = reason.removeprefix("drop:")
                if key != reason and key not in episode["totals"]:
                    episode["totals"][key] = verdicts["totals"][key]
            if grave:
                episode["level"] = max(episode["level"], *grave.values())
                episode["fired"] = day
            elif is_back(account, day, episode):
                ended = "recovered"
            elif day - episode["fired"] >= 91:
                ended = "new_normal"
        if ended:
            episode = None
        if episode is not None:
            now, reasons = episode["level"], episode["reasons"]
        else:
            quiet = None if day - account.first + 1 < 28 or not any(other <= day for other in account.active) else OK
            now, reasons = max(seen.values(), default=quiet), set(seen)
        if now != state:
            found.append((day, state, now, frozenset(reasons), ended))
            state = now
    return found


def usual(account, day, seen):
    last = max((other for other in account.active if other <= day), default=day)
    end = last if day - last >= 14 else day - 28
    days = Fraction(account.days(end - 90, end))
    if "fade" in seen:
        best = max(account.days(end - 90, end) for end in range(day - 364, day + 1))
        days = max(days, Fraction(best, 2))
    return days


def is_back(account, day, episode):
    if Fraction(account.days(day - 27, day), 28) < Fraction(4, 5) * episode["usual"] / 91:
        return False
    judged = day - (day - 1) % 7 - 1
    weeks = account.weeks(judged)[-4:]
    return all(
        Fraction(sum(account.of_week(key, week) for week in weeks), 4) >= Fraction(4, 5) * Fraction(total, 12)
        for key, total in episode["totals"].items()
    )
