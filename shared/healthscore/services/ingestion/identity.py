"""Calls in: from validated calls of Segment's API to committed day logs, memberships and traits.

A call often names a person and no account. The person's memberships are read from `storage.people.people`. As long as
there are none, the person's events are kept in a log of their own; the first membership moves them to the account's.

**Once placed, placed for good.** A membership can be recorded later for an earlier time, and a repetition of an event
must not go to another account because of it. So an event of a person of several accounts is looked for in all of them,
and every commit holds only if the person's memberships are unchanged since they were read. A repetition therefore reads
at least the memberships by which the event was placed, and finds it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from healthscore.core.identity.memberships import account_at
from healthscore.core.time import day_of, from_millis
from healthscore.services.ingestion.events import DayBatch, Ingested, commit_day_batches
from healthscore.services.ingestion.first_times import with_first_times
from healthscore.storage.accounts import accounts
from healthscore.storage.day_logs import whole_days
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.people import pending_moves, people
from healthscore.storage.people.people import VersionCheck
from healthscore.storage.schema import activity_pk, person_pk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date, datetime

    from healthscore.core.day_log.codec import Entry
    from healthscore.core.identity.calls import ParsedCalls
    from healthscore.settings import Settings
    from healthscore.storage.people.pending_moves import PendingMove
    from healthscore.storage.people.people import PersonAccounts

ROUNDS = 8
"""Times that events are placed, since memberships may change between reading them and the commit."""
MAX_CHECKED = 90
"""People whose items one commit may depend on: a transaction has room for a hundred items."""


class Tracker:
    """Records the calls of one request."""

    def __init__(self, settings: Settings, now: datetime, time_left: Callable[[], float]) -> None:
        """Keep what all calls of the request have in common.

        Args:
            settings: the workspace's settings; its time zone must be fixed.
            now: when the request came in, aware.
            time_left: seconds until the answer must be out.
        """
        self._settings = settings
        self._now = now
        self._time_left = time_left

    def record(self, calls: ParsedCalls) -> Ingested:
        """Store calls: first memberships and aliases, then events, then traits.

        Raises:
            StorageUnavailableError: some of it is not stored, or not known to be. All of it may be sent again: what
                was stored is recognised.
        """
        calls = with_first_times(calls, self._settings, self._now)
        moved, moves = self._relate(calls)
        batches, placeable = self._named(calls)
        named = commit_day_batches(batches, self._settings, self._now, self._time_left).ingested
        placed, _ = self._place(placeable)
        for person in moved:
            self._drain(person)
        for move in moves:
            pending_moves.delete(move)
        self._describe(calls)
        return Ingested(named.accepted + placed.accepted, named.duplicates + placed.duplicates)

    def reassign(self, person: str) -> None:
        """Move a person's pending events to the person's accounts, under each id that leads to the person.

        Raises:
            StorageUnavailableError: some of it is still to be moved.
        """
        for known_as in people.known_as(person):
            self._drain(known_as)

    def _relate(self, calls: ParsedCalls) -> tuple[list[str], list[PendingMove]]:
        """Record aliases and memberships; answers the people whose events may have an account now, in a fixed order.

        The pending moves tell the next night the same, in case this process crashes before it has moved the events.
        """
        links = dict.fromkeys((alias.person, alias.user) for alias in calls.aliases)
        moves = [people.link(person, user) for person, user in links]
        memberships: dict[str, set[tuple[int, str]]] = defaultdict(set)
        for person, at, account_id, *_ in calls.memberships:
            memberships[person].add((at, account_id))
        for person, since in memberships.items():
            moves.append(people.join(person, since))
        aliases = [alias for person in memberships for alias in people.aliases(person)]
        moved = dict.fromkeys((*memberships, *aliases, *(link.person for link in calls.aliases)))
        return list(moved), [move for move in moves if move is not None]

    def _named(self, calls: ParsedCalls) -> tuple[list[DayBatch], list[Entry]]:
        """Entries that name their account themselves, by log and day; and the others."""
        days: dict[tuple[str, date], list[Entry]] = defaultdict(list)
        others = []
        for account_id, entry, *_ in calls.tracked_events:
            if account_id is None:
                others.append(entry)
            else:
                days[activity_pk(account_id), self._day(entry)].append(entry)
        return [DayBatch(pk, day, entries) for (pk, day), entries in days.items()], others

    def _place(self, entries: Iterable[Entry], *, moving: bool = False) -> tuple[Ingested, int]:
        """Commit entries to the logs of their people's accounts, or of the people themselves.

        Args:
            entries: of people.
            moving: whether they are in their people's own logs already, and stay there where people have no account.

        Returns:
            How many were accepted, and how many are of people who belong to no account.
        """
        entries = list(entries)
        accepted = duplicates = unassigned = 0
        for _ in range(ROUNDS):
            if not entries:
                return Ingested(accepted, duplicates), unassigned
            person_accounts = people.read(entry.person for entry in entries if entry.person is not None)
            fresh = self._without_known(entries, person_accounts)
            duplicates += len(entries) - len(fresh)
            to_commit = [entry for entry in fresh if not moving or person_accounts[entry.person or ""].memberships]
            outcome = commit_day_batches(
                self._batches(to_commit, person_accounts), self._settings, self._now, self._time_left
            )
            accepted += outcome.ingested.accepted
            duplicates += outcome.ingested.duplicates
            entries = [entry for batch in outcome.moved for entry in batch.entries]
            moved = set(entries)
            unassigned += sum(
                not person_accounts[entry.person].memberships
                for entry in fresh
                if entry.person is not None and entry not in moved
            )
        raise StorageUnavailableError("memberships change faster than events can be placed")

    def _batches(self, entries: Iterable[Entry], person_accounts: Mapping[str, PersonAccounts]) -> Iterator[DayBatch]:
        days: dict[tuple[str, date], dict[str, list[Entry]]] = defaultdict(lambda: defaultdict(list))
        for entry in entries:
            if entry.person is not None:
                account_id = account_at(person_accounts[entry.person].memberships, entry.at)
                pk = person_pk(entry.person) if account_id is None else activity_pk(account_id)
                days[pk, self._day(entry)][entry.person].append(entry)
        for (pk, day), by_person in days.items():
            batch, versions = DayBatch(pk, day, []), dict[str, str | None]()
            for person, of_person in by_person.items():
                depends_on = person_accounts[person].version_check.versions
                if len(versions.keys() | depends_on.keys()) > MAX_CHECKED:
                    yield batch._replace(version_check=VersionCheck(versions))
                    batch, versions = DayBatch(pk, day, []), {}
                batch.entries.extend(of_person)
                versions |= depends_on
            yield batch._replace(version_check=VersionCheck(versions))

    def _without_known(self, entries: Iterable[Entry], person_accounts: Mapping[str, PersonAccounts]) -> list[Entry]:
        """The entries that are not in the log of another of their person's accounts already."""
        logs: dict[tuple[str, date], set[int]] = {}

        def ids(account_id: str, day: date) -> set[int]:
            if (account_id, day) not in logs:
                whole = whole_days.read_day(activity_pk(account_id), day)
                logs[account_id, day] = {entry.id for entry in whole.entries} if whole else set()
            return logs[account_id, day]

        def known(entry: Entry) -> bool:
            accounts_of_person = person_accounts[entry.person or ""]
            here = account_at(accounts_of_person.memberships, entry.at)
            elsewhere = sorted(accounts_of_person.accounts - {here})
            return any(entry.id in ids(account_id, self._day(entry)) for account_id in elsewhere)

        return [entry for entry in entries if not known(entry)]

    def _drain(self, person: str) -> None:
        """Move the events in a person's own log to the accounts that the person belonged to at their times."""
        log = person_pk(person)
        for day in whole_days.days(log):
            while (whole := whole_days.read_day(log, day)) is not None and whole.entries:
                _, unassigned = self._place(whole.entries, moving=True)
                if unassigned:
                    return
                if whole_days.delete_day(whole, self._now):
                    break

    def _describe(self, calls: ParsedCalls) -> None:
        for about, at, traits, *_ in calls.accounts:
            accounts.save_traits(about, traits, at, self._now)
        for about, at, traits, *_ in calls.people:
            people.describe(about, traits, at)

    def _day(self, entry: Entry) -> date:
        return day_of(from_millis(entry.at), self._settings.zone)
