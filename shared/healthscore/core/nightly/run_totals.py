"""What a night counts. It stays small however many accounts there are, and what its segments count adds up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from healthscore.core.alerts.model import AlertKind
from healthscore.core.model import Band
from healthscore.core.time import format_instant

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from healthscore.core.alerts.model import Alert
    from healthscore.core.model import Snapshot

MOVERS = 5
"""Accounts that the digest names for having risen most, and as many for having fallen most."""
FAILURES_NAMED = 20
ALERTS_LISTED = 1000


@dataclass(frozen=True, slots=True)
class Mover:
    """An account whose score changed since its snapshot before."""

    account_id: str
    name: str
    since: date
    before: int
    after: int

    @property
    def change(self) -> int:
        """Points gained; lost points are negative."""
        return self.after - self.before

    def to_json(self) -> dict[str, Any]:
        """The form in which it is shown."""
        return {
            "account_id": self.account_id,
            "name": self.name,
            "since": self.since.isoformat(),
            "from": self.before,
            "to": self.after,
        }

    def stored(self) -> list[Any]:
        """As JSON values, in short."""
        return [self.account_id, self.name, self.since.isoformat(), self.before, self.after]

    @classmethod
    def from_stored(cls, stored: Sequence[Any]) -> Mover:
        """Read what `stored` wrote."""
        account_id, name, since, before, after = stored
        return cls(account_id, name, date.fromisoformat(since), before, after)


@dataclass(slots=True)
class RunTotals:
    """What a run, or one segment of it, has counted so far. It stays small however many accounts there are."""

    scored: int = 0
    """Accounts that have tonight's snapshot, whether this run took it or an earlier try of the same night."""
    new: int = 0
    """Those of them that had no snapshot before."""
    not_yet: int = 0
    """Accounts that did not exist at the instant that is scored."""
    failed: int = 0
    bands: Counter[Band] = field(default_factory=Counter)
    bands_before: Counter[Band] = field(default_factory=Counter)
    """The bands of the snapshots before tonight's."""
    arr_cents: Counter[Band] = field(default_factory=Counter)
    """Annual recurring revenue by band, as far as profiles say; in whole cents, so that no order of adding matters."""
    alerts: Counter[AlertKind] = field(default_factory=Counter)
    """Alerts of tonight, whether this run stored them or an earlier try of the same night."""
    to_send: list[tuple[str, str]] = field(default_factory=list)
    """Account and alert id of the first of these alerts, so that sending them need not wait for an index to know."""
    held: list[tuple[str, str]] = field(default_factory=list)
    """Those among them that wait for what the whole night says of them."""
    active: Counter[int] = field(default_factory=Counter)
    """Accounts that were active in the 24 hours before a night, by weeks before tonight: see `core.alerts.outage`."""
    up: list[Mover] = field(default_factory=list)
    down: list[Mover] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    """Account and kind of error of the first failures."""
    complete: bool = True
    """False where the run stopped before it had seen every account."""

    def add_score(
        self, account_id: str, name: str, previous: Snapshot | None, current: Snapshot, arr: float | None = None
    ) -> None:
        """Count an account that has tonight's snapshot, and its annual recurring revenue where that is known."""
        self.scored += 1
        self.bands[current.band] += 1
        self.arr_cents[current.band] += round((arr or 0) * 100)
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

    def merge(self, other: RunTotals) -> None:
        """Count what another segment has counted as well."""
        self.scored += other.scored
        self.new += other.new
        self.not_yet += other.not_yet
        self.failed += other.failed
        self.bands.update(other.bands)
        self.bands_before.update(other.bands_before)
        self.arr_cents.update(other.arr_cents)
        self.alerts.update(other.alerts)
        self.to_send = [*self.to_send, *other.to_send][:ALERTS_LISTED]
        self.held = [*self.held, *other.held][:ALERTS_LISTED]
        self.active.update(other.active)
        self.failures = [*self.failures, *other.failures][:FAILURES_NAMED]
        self.complete = self.complete and other.complete
        self._add_movers([*other.up, *other.down])

    def _add_movers(self, movers: Iterable[Mover]) -> None:
        for mover in movers:
            if mover.change > 0:
                self.up = _foremost([*self.up, mover])
            elif mover.change < 0:
                self.down = _foremost([*self.down, mover])

    def to_json(self) -> dict[str, Any]:
        """The figures, for logs and for who invoked the run."""
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

    def summary(self, day: date, as_of: datetime) -> dict[str, Any]:
        """The workspace in short, as JSON values: accounts and revenue by band, and who moved most."""
        return {
            "date": day.isoformat(),
            "as_of": format_instant(as_of),
            "accounts": self.scored,
            "bands": {
                band.value: {
                    "accounts": self.bands[band],
                    "accounts_before": self.bands_before[band],
                    "arr": self.arr_cents[band] / 100,
                }
                for band in Band
            },
            "movers": {
                "up": [mover.to_json() for mover in self.up],
                "down": [mover.to_json() for mover in self.down],
            },
        }

    @property
    def named(self) -> frozenset[str]:
        """The accounts that it names, in what is stored of it and in the digest."""
        moved, failed = (mover.account_id for mover in (*self.up, *self.down)), (name for name, _ in self.failures)
        return frozenset([*moved, *failed])

    def naming(self, accounts: Collection[str]) -> RunTotals:
        """The same figures, with the names of these accounts alone; others that it named are counted as before."""
        return replace(
            self,
            up=[mover for mover in self.up if mover.account_id in accounts],
            down=[mover for mover in self.down if mover.account_id in accounts],
            failures=[(account_id, error) for account_id, error in self.failures if account_id in accounts],
        )

    def stored(self) -> dict[str, Any]:
        """The totals as JSON values, for another process to merge; alerts are only counted, an index leads to them."""
        return self.to_json() | {
            "arr_cents": {band.value: self.arr_cents[band] for band in Band},
            "active": {str(weeks): number for weeks, number in sorted(self.active.items())},
            "up": [mover.stored() for mover in self.up],
            "down": [mover.stored() for mover in self.down],
            "failures": self.failures,
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
            arr_cents=Counter({Band(name): number for name, number in stored["arr_cents"].items()}),
            alerts=Counter({AlertKind(name): number for name, number in stored["alerts"].items()}),
            active=Counter({int(weeks): number for weeks, number in stored["active"].items()}),
            up=[Mover.from_stored(mover) for mover in stored["up"]],
            down=[Mover.from_stored(mover) for mover in stored["down"]],
            failures=[(account_id, error) for account_id, error in stored["failures"]],
            complete=stored["complete"],
        )


def _foremost(movers: list[Mover]) -> list[Mover]:
    """The largest moves; which accounts they are does not depend on the order in which they were counted."""
    return sorted(movers, key=lambda mover: (-abs(mover.change), mover.account_id))[:MOVERS]
