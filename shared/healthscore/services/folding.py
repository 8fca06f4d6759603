"""Folds what has changed of an account's days into its use: each night before it judges, and for readers since then.

A night reads the heads of the newest days anyway. Where the version of one is not the one that was folded, that day is
folded from its whole log, and so is each finished week that has such a day, or that was not finished before. Days that
the night does not read are folded from a late mark on (`storage.accounts.late`); after that so are all later ones. The
first fold of an account, changed definitions, and nights that were missed for long are marks of the same kind.

The days of the running week stay pending: they are folded anew by each night and reader, and stored with the others by
the night after the week, since to store a day costs more than to fold a week of days. Only a day whose log has blocks
is stored at once.

A long fold may be cut after any week: the next night goes on.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from healthscore.core.scoring.standard import WINDOW_DAYS
from healthscore.core.signals import day_bits
from healthscore.core.signals.calendar import date_of, monday, sunday, week_of
from healthscore.core.signals.history import day_use
from healthscore.core.signals.use import HORIZON_WEEKS, Progress
from healthscore.core.time import day_of
from healthscore.services.early_warning import definitions
from healthscore.services.scoring import read_month
from healthscore.storage import codec
from healthscore.storage.accounts import fold_state, late
from healthscore.storage.accounts import use as stored_use
from healthscore.storage.day_logs import log_items, stretches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date

    from healthscore.core.account import Account
    from healthscore.core.day_log.codec import Entry
    from healthscore.core.signals.history import DayUse
    from healthscore.core.signals.model import Definitions
    from healthscore.core.signals.use import Use
    from healthscore.settings import Settings
    from healthscore.storage.codec import Attribute
    from healthscore.storage.day_logs.rollups import Month
    from healthscore.storage.day_logs.stretches import LogOfDay

MISSED_DAYS = WINDOW_DAYS - late.RECENT_DAYS - 2
"""After so many nights without a fold, days may have changed without a mark that this night does not read; less a day
on each side, since marks go by days of UTC."""
GAP_DAYS = 3
"""Days with so few others between them are read at once: a call more costs more than these."""
ERASED_SECONDS = 3600
"""For so long after a user's erasure logs are read consistently: what an older copy says must not come back."""


class Folded(NamedTuple):
    """An account's use after a night's fold."""

    use: Use
    """Judge by it only if it `is_whole`."""
    version: str | None
    """The version of the item that holds its days."""
    late: tuple[int, ...]
    """The days that have changed since an earlier night has folded them."""
    pending: Mapping[int, int]
    """The versions of the days that are folded and not stored."""


def fold_use(
    account: Account, month: Month, settings: Settings, now: datetime, keep_going: Callable[[], bool]
) -> Folded:
    """Fold what has changed of an account's complete days into its use, and store it, but for the running week's days.

    Args:
        account: the account as read.
        month: what `read_month` gave, read after the account.
        settings: the workspace's settings.
        now: the instant of the night, aware; not later than the present time.
        keep_going: asked after each week of a long fold; False leaves the rest to the next night.

    Raises:
        ConditionFailedError: another writer was faster, or the account is gone: read it again, and fold again.
        StorageUnavailableError: it may not be stored; the same call begins again.
    """
    before = month.use.use
    if _has_no_events(account, month):
        return Folded(_whole(before, now), None, (), {})
    night = _Night(account, before, month, settings, now)
    use = night.fold(keep_going)
    version, pending = month.use.days_version, night.pending(use)
    if use is not before and not pending:
        version = stored_use.save(account.account_id, month.use, before, use, now)
    return Folded(use, version, night.late, pending)


def folded_until(day: date, folded: Folded) -> dict[str, Attribute]:
    """The attribute of an account that says up to which day its use is folded."""
    state = fold_state.Folded(day.toordinal(), folded.use.progress.whole, [*folded.pending.items()])
    return {fold_state.FOLDED: codec.json_text(state)}


class KnownUse(NamedTuple):
    """An account's use as readers know it."""

    use: Use
    is_complete: bool
    """Whether all complete days are in it: nights alone fold those whose logs have blocks. What has come in late for
    days of long ago waits for the night anyway."""


def known_use(account: Account, settings: Settings, now: datetime) -> KnownUse:
    """An account's use with all that has changed of its newest complete days; nothing is stored.

    Args:
        account: the account as read.
        settings: the workspace's settings.
        now: the present time, aware.

    Raises:
        StorageUnavailableError: the tables cannot be read now.
    """
    month = read_month(account, now, settings, consistent=True)
    before = month.use.use
    if _has_no_events(account, month):
        return KnownUse(_whole(before, now), is_complete=True)
    if not before.is_whole:
        return KnownUse(before, is_complete=False)
    night = _Night(account, before, month, settings, now)
    return KnownUse(*night.fold_light())


def _has_no_events(account: Account, month: Month) -> bool:
    return month.use.days is None and not account.first_seen


def _whole(use: Use, now: datetime) -> Use:
    return replace(use, progress=Progress(whole=int(now.timestamp())))


class _Night:
    """One account's fold of one night."""

    def __init__(self, account: Account, before: Use, month: Month, settings: Settings, now: datetime) -> None:
        self._account, self._before, self._now, self._zone = account, before, int(now.timestamp()), settings.zone
        self._yesterday = day_of(now, settings.zone).toordinal() - 1
        self._week = week_of(self._yesterday)
        self._finished = week_of(self._yesterday + 1) - 1
        self._oldest_seen = self._yesterday + 1 - WINDOW_DAYS
        self._definitions = definitions(account, settings)
        self._fingerprint = self._definitions.fingerprint
        self._heads = month.heads
        self._consistent = self._now - month.use.erased < ERASED_SECONDS
        self._read_as = month.versions
        self._changed = {
            day
            for day, version in month.versions.items()
            if day <= self._yesterday and before.versions.get(day) != version
        }
        self._days: dict[int, DayUse | None] = {}
        self._weeks = set[int]()
        self._has_blocks = False
        self._versions = dict(before.versions)

    def fold(self, keep_going: Callable[[], bool]) -> Use:
        """The use after this night; the very one from before where nothing has changed."""
        progress, marks = self._before.progress, self._marks()
        if marks or progress.going_on is not None:
            progress = self._fold_from(min(marks, default=self._yesterday), keep_going, begins=bool(marks))
        else:
            self._fold_days(self._changed, self._unfinished_sums())
        return self._folded(progress)

    def fold_light(self) -> tuple[Use, bool]:
        """The use with those changes for which no further call is needed, and whether these are all.

        Marks are not followed. A reader may ask at any time, and stores nothing.
        """
        changed, weeks = self._changed, self._unfinished_sums()
        wanted = _days_with(changed, weeks)
        heads = [head for head in self._heads if head[0].toordinal() in wanted]
        heavy = {day.toordinal() for day, _, item in heads if log_items.stored_head(day, item).head.blocks}
        heavy |= {day for day in wanted if day < self._oldest_seen}
        left = {week for week in weeks if not heavy.isdisjoint(range(monday(week), sunday(week) + 1))}
        self._fold_days(changed - heavy, weeks - left)
        return self._folded(self._before.progress), not (heavy & changed or left)

    def _folded(self, progress: Progress) -> Use:
        use = self._before
        if self._days or progress != use.progress:
            kept = {day: self._versions[day] for day in sorted(self._versions) if day >= self._oldest_seen}
            use = use.fold(self._days, self._whole_weeks())
            use = replace(use, versions=kept, definitions=self._fingerprint, progress=progress)
        return self._with_facts(use)

    @property
    def late(self) -> tuple[int, ...]:
        """The days that have changed since a night has folded them."""
        folded, pending = self._account.folded, self._account.pending_days
        if folded is None:
            return ()
        return tuple(sorted(day for day in self._changed if day <= folded and pending.get(day) != self._read_as[day]))

    def pending(self, use: Use) -> dict[int, int]:
        """The versions of what need not be stored yet, where that is all that was folded: days of the running week."""
        stored, folded = (
            (one.progress, one.definitions, one.contacts, one.tickets, one.weeks) for one in (self._before, use)
        )
        if self._has_blocks or stored != folded or min(self._days, default=0) <= sunday(self._finished):
            return {}
        return {day: self._versions[day] for day in sorted(self._days)}

    def _marks(self) -> list[int]:
        """The days from which on everything has to be folded again."""
        progress, account = self._before.progress, self._account
        followed = progress.whole if progress.going_on is None else progress.begun
        if followed is None or self._before.definitions != self._fingerprint:
            return [0]
        marks = [fold_state.Mark(0, int(account.since.timestamp()))]
        if account.late is not None:
            marks.append(fold_state.Mark(*account.late))
        days = [mark.day for mark in marks if mark.at + late.HOLDS >= followed]
        until = day_of(datetime.fromtimestamp(followed, UTC), self._zone).toordinal() - 1
        folded = until if account.folded is None else account.folded
        if self._yesterday - folded > MISSED_DAYS:
            days.append(folded - late.RECENT_DAYS - 1)
        return days

    def _fold_from(self, start: int, keep_going: Callable[[], bool], *, begins: bool) -> Progress:
        """Fold all days from one on, week by week; answers how far that got."""
        before = self._before.progress
        begun = self._now if begins else before.begun
        first = week_of(min([start, *self._changed, *([] if before.going_on is None else [before.going_on])]))
        logs = self._read(monday(max(first, self._week - HORIZON_WEEKS + 1)), self._yesterday)
        weeks = groupby(logs, key=lambda log: week_of(log.day.toordinal()))
        for before_this, (week, of_week) in enumerate(weeks):
            if before_this and not keep_going():
                return Progress(before.whole, monday(week), begun)
            self._take(of_week)
            if week <= self._finished:
                self._weeks.add(week)
        return Progress(begun)

    def _unfinished_sums(self) -> set[int]:
        """The finished weeks that changed days lie in, or that are not summed yet."""
        weeks = {week for day in self._changed if (week := week_of(day)) <= self._finished}
        oldest = week_of(self._oldest_seen)
        return weeks | {week for week in self._before.unsummed(self._finished) if week > oldest}

    def _fold_days(self, days: set[int], weeks: set[int]) -> None:
        """Fold days, and weeks from all of theirs."""
        self._weeks = weeks
        wanted = _days_with(days, weeks)
        if not self._consistent and min(wanted, default=self._yesterday) >= self._oldest_seen:
            heads = [head for head in self._heads if head[0].toordinal() in wanted]
            self._take(stretches.of_heads(self._account.account_id, heads, consistent=False))
            return
        for first, last in _stretches(sorted(wanted)):
            self._take(self._read(first, last))

    def _read(self, first: int, last: int) -> Iterator[LogOfDay]:
        return stretches.read(self._account.account_id, date_of(first), date_of(last), consistent=self._consistent)

    def _take(self, logs: Iterable[LogOfDay]) -> None:
        for log in logs:
            day = log.day.toordinal()
            self._versions[day] = log.version
            self._has_blocks |= log.has_blocks
            if log.entries is not None:
                self._days[day] = _use_of(day, log.entries, self._definitions)

    def _whole_weeks(self) -> list[int]:
        """The weeks to be summed, but for those of which a log has expired: these stay as they were summed before."""
        known = self._before.any_days
        return [
            week
            for week in sorted(self._weeks)
            if self._days.keys() >= set(day_bits.days_in(day_bits.only(known, week)))
        ]

    def _with_facts(self, use: Use) -> Use:
        """With what the CRM says: contacts, and in the first night after a week the tickets at its end."""
        crm, folded = self._account.crm, self._account.folded
        if crm is None:
            return use
        met = [day_of(at, self._zone).toordinal() for at in (crm.last_meeting_at, crm.last_email_at) if at is not None]
        use = use.contacted(day for day in met if day <= self._yesterday)
        if crm.open_tickets is not None and (folded is None or week_of(folded + 1) <= self._finished):
            use = use.with_tickets(self._finished, crm.open_tickets)
        return use


def _days_with(days: set[int], weeks: Iterable[int]) -> set[int]:
    """Days, and all those of weeks."""
    return days.union(*(range(monday(week), sunday(week) + 1) for week in weeks))


def _use_of(day: int, entries: Iterable[Entry], by: Definitions) -> DayUse | None:
    """What a day's log says; None where nothing in it counts."""
    values: dict[tuple[str | None, str], int] = defaultdict(int)
    for entry in entries:
        if entry.counts:
            values[entry.who, entry.name] += entry.value
    return day_use(day, values, by) if values else None


def _stretches(days: list[int]) -> Iterator[tuple[int, int]]:
    """The first and last of days that are read at once."""
    first = before = None
    for day in days:
        if first is not None and before is not None and day - before > GAP_DAYS + 1:
            yield first, before
            first = None
        first, before = day if first is None else first, day
    if first is not None and before is not None:
        yield first, before
