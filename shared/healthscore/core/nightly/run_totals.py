"""The totals of a night. They stay small however many accounts there are, and those of its parts add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from healthscore.core.alerts.model import AlertKind
from healthscore.core.model import Band
from healthscore.core.signals.excused import Attendance

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from healthscore.core.alerts.model import Alert
    from healthscore.core.model import Snapshot

MOVERS = 5
"""How many of the accounts that rose most the digest names, and how many of those that fell most."""
FAILURES_NAMED = 20
"""How many of the accounts that failed the digest names."""
TROUBLES_NAMED = 20
"""How many of the accounts that were in trouble before their first night the digest names."""
ALERTS_LISTED = 1000
"""How many alerts the totals list by id; the index of pending messages leads to the others."""


@dataclass(frozen=True, slots=True)
class Mover:
    """An account whose score differs from that of its previous snapshot."""

    account_id: str
    name: str
    since: date
    before: int
    after: int

    @property
    def change(self) -> int:
        """Points gained, negative for points lost."""
        return self.after - self.before

    def stored(self) -> list[Any]:
        """The stored form: a list of JSON values."""
        return [self.account_id, self.name, self.since.isoformat(), self.before, self.after]

    @classmethod
    def from_stored(cls, stored: Sequence[Any]) -> Mover:
        """Read what `stored` wrote."""
        account_id, name, since, before, after = stored
        return cls(account_id, name, date.fromisoformat(since), before, after)


@dataclass(frozen=True, slots=True)
class EarlierTrouble:
    """An account that was in trouble before its first night here, so that no change of it was alerted."""

    account_id: str
    name: str
    score: int
    trouble: str
    """What is the matter since when, in words."""

    def stored(self) -> list[Any]:
        """The stored form: a list of JSON values."""
        return [self.account_id, self.name, self.score, self.trouble]


@dataclass(slots=True)
class RunTotals:
    """The totals of a run, or of one part of it, so far."""

    scored: int = 0
    """Accounts that have tonight's snapshot, from this run or from an earlier try of the same night."""
    new: int = 0
    """Those of them without an earlier snapshot."""
    not_yet: int = 0
    """Accounts that did not exist at the instant that is scored."""
    failed: int = 0
    """Accounts that could not be scored."""
    bands: Counter[Band] = field(default_factory=Counter)
    bands_before: Counter[Band] = field(default_factory=Counter)
    """The bands of the snapshots before tonight's."""
    alerts: Counter[AlertKind] = field(default_factory=Counter)
    """Alerts of tonight, from this run or from an earlier try of the same night."""
    to_send: list[tuple[str, str]] = field(default_factory=list)
    """Account and alert id of the first of these alerts, since the index of pending messages may not list them yet."""
    held: list[tuple[str, str]] = field(default_factory=list)
    """Those among them that are held until the night is checked for a tracking outage."""
    presences: Counter[str] = field(default_factory=Counter)
    """Number of accounts by their presence, as of `core.alerts.outage`: 33 at most."""
    attendance: dict[str, Attendance] = field(default_factory=dict)
    """Who came of those who were expected in the last finished week, by signal, as of `core.signals.attendance`."""
    up: list[Mover] = field(default_factory=list)
    down: list[Mover] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    """Account and kind of error of the first failures."""
    in_trouble: int = 0
    """Accounts that were in trouble before their first night here."""
    troubles: list[EarlierTrouble] = field(default_factory=list)
    """The first of them, the lowest score first."""
    complete: bool = True
    """False where the run stopped before it had reached every account."""

    def add_score(self, account_id: str, name: str, previous: Snapshot | None, current: Snapshot) -> None:
        """Count an account that has tonight's snapshot."""
        self.scored += 1
        self.bands[current.band] += 1
        if previous is None:
            self.new += 1
            return
        self.bands_before[previous.band] += 1
        self._add_movers([Mover(account_id, name, previous.day, previous.score, current.score)])

    def add_alert(self, account_id: str, alert: Alert, *, held: bool = False) -> None:
        """Count an alert of tonight, and whether it is held until the night's end."""
        self.alerts[alert.kind] += 1
        if len(self.to_send) < ALERTS_LISTED:
            self.to_send.append((account_id, alert.alert_id))
            if held:
                self.held.append((account_id, alert.alert_id))

    def add_failure(self, account_id: str, error: str) -> None:
        """Count an account that could not be scored."""
        self.failed += 1
        self.failures = [*self.failures, (account_id, error)][:FAILURES_NAMED]

    def add_troubles(self, troubles: Iterable[EarlierTrouble], number: int = 1) -> None:
        """Count accounts that were in trouble before their first night here."""
        self.in_trouble += number
        both = sorted([*self.troubles, *troubles], key=lambda one: (one.score, one.account_id))
        self.troubles = both[:TROUBLES_NAMED]

    def add_attendance(self, parts: Mapping[str, Attendance]) -> None:
        """Count accounts in the attendance of the last finished week."""
        for key, part in parts.items():
            self.attendance[key] = self.attendance.get(key, Attendance()) + part

    def merge(self, other: RunTotals) -> None:
        """Add the totals of another part."""
        self.scored += other.scored
        self.new += other.new
        self.not_yet += other.not_yet
        self.failed += other.failed
        self.bands.update(other.bands)
        self.bands_before.update(other.bands_before)
        self.alerts.update(other.alerts)
        self.to_send = [*self.to_send, *other.to_send][:ALERTS_LISTED]
        self.held = [*self.held, *other.held][:ALERTS_LISTED]
        self.presences.update(other.presences)
        self.add_attendance(other.attendance)
        self.failures = [*self.failures, *other.failures][:FAILURES_NAMED]
        self.complete = self.complete and other.complete
        self._add_movers([*other.up, *other.down])
        self.add_troubles(other.troubles, other.in_trouble)

    def _add_movers(self, movers: Iterable[Mover]) -> None:
        for mover in movers:
            if mover.change > 0:
                self.up = _largest([*self.up, mover])
            elif mover.change < 0:
                self.down = _largest([*self.down, mover])

    def to_json(self) -> dict[str, Any]:
        """The figures, for logs and for the caller of the function."""
        return {
            "scored": self.scored,
            "new": self.new,
            "not_yet": self.not_yet,
            "failed": self.failed,
            "bands": {band.value: self.bands[band] for band in Band},
            "bands_before": {band.value: self.bands_before[band] for band in Band},
            "alerts": {kind.value: self.alerts[kind] for kind in AlertKind if self.alerts[kind]},
            "complete": self.complete,
        }

    @property
    def named(self) -> frozenset[str]:
        """The accounts that the stored totals and the digest name."""
        moved, failed = (mover.account_id for mover in (*self.up, *self.down)), (name for name, _ in self.failures)
        return frozenset([*moved, *failed, *(one.account_id for one in self.troubles)])

    def naming(self, accounts: Collection[str]) -> RunTotals:
        """The same figures, with only these accounts named."""
        return replace(
            self,
            up=[mover for mover in self.up if mover.account_id in accounts],
            down=[mover for mover in self.down if mover.account_id in accounts],
            failures=[(account_id, error) for account_id, error in self.failures if account_id in accounts],
            troubles=[one for one in self.troubles if one.account_id in accounts],
        )

    def stored(self) -> dict[str, Any]:
        """The totals as JSON values, for another process to merge, without the ids of alerts."""
        return self.to_json() | {
            "presences": dict(sorted(self.presences.items())),
            "attendance": dict(sorted(self.attendance.items())),
            "up": [mover.stored() for mover in self.up],
            "down": [mover.stored() for mover in self.down],
            "failures": self.failures,
            "in_trouble": self.in_trouble,
            "troubles": [one.stored() for one in self.troubles],
        }

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> RunTotals:
        """Read what `stored` wrote."""
        return cls(
            scored=stored["scored"],
            new=stored["new"],
            not_yet=stored["not_yet"],
            failed=stored["failed"],
            bands=Counter({Band(name): number for name, number in stored["bands"].items()}),
            bands_before=Counter({Band(name): number for name, number in stored["bands_before"].items()}),
            alerts=Counter({AlertKind(name): number for name, number in stored["alerts"].items()}),
            presences=Counter(stored.get("presences", {})),  # a worker of the version before has none
            attendance={key: Attendance(*part) for key, part in stored.get("attendance", {}).items()},
            up=[Mover.from_stored(mover) for mover in stored["up"]],
            down=[Mover.from_stored(mover) for mover in stored["down"]],
            failures=[(account_id, error) for account_id, error in stored["failures"]],
            in_trouble=stored.get("in_trouble", 0),
            troubles=[EarlierTrouble(*one) for one in stored.get("troubles", [])],
            complete=stored["complete"],
        )


def _largest(movers: list[Mover]) -> list[Mover]:
    """The largest moves, in an order that does not depend on the order of counting."""
    return sorted(movers, key=lambda mover: (-abs(mover.change), mover.account_id))[:MOVERS]
