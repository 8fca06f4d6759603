"""Events that name no account: as ingestion commits and settles them, but without waits between attempts."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from healthscore.core.day_log.codec import entry
from healthscore.core.identity.draft import device_named
from healthscore.core.identity.relations import Relations
from healthscore.core.time import from_millis, millis
from healthscore.services.ingestion.relations import Recorder
from healthscore.settings import Settings
from healthscore.storage.day_logs import commit_own, whole_days
from healthscore.storage.day_logs.commit_own import Counts, OwnEntries
from healthscore.storage.schema import activity_pk, person_pk
from tests.support.day_logs import TERMS
from tests.support.events import MIDNIGHT, event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from healthscore.core.day_log.codec import Entry

START = millis(MIDNIGHT)


def acted(event_id: str, person: str, minute: float = 0, **fields: object) -> Entry:
    """The entry of an event of a user or a device, so many minutes after midnight."""
    field = {"u": "user_id", "a": "anonymous_id"}[person[0]]
    return entry(event(event_id, minute, **{field: person[1:], **fields}))


def commit(*entries: Entry) -> Counts:
    """Commit entries to the own logs of their ids."""
    logs: dict[tuple[str, date], list[Entry]] = defaultdict(list)
    for one in entries:
        assert one.person is not None
        logs[one.person, from_millis(one.at).date()].append(one)
    return commit_own.commit([OwnEntries(id_, day, of_log) for (id_, day), of_log in logs.items()], TERMS)


def tell(
    *,
    grouped: Iterable[tuple[str, float, str]] = (),
    identified: Iterable[tuple[str, float, str]] = (),
    aliases: Iterable[tuple[str, str]] = (),
    time_left: Callable[[], float] = lambda: float("inf"),
) -> None:
    """Record who belongs where and who is who, times in minutes after midnight; what this is about is settled."""
    relations = Relations()
    for id_, minute, account_id in grouped:
        relations.grouped[id_].add((START + round(minute * 60_000), account_id))
    for device, minute, user in identified:
        relations.identified[device].add((START + round(minute * 60_000), user))
    for previous, user in aliases:
        relations.identified[device_named(previous)].add((START, user))
        relations.aliases.add((previous, user))
    Recorder(Settings(), MIDNIGHT, time_left).record(relations)


def in_account(account_id: str) -> list[Entry]:
    """Everything in an account's logs."""
    pk = activity_pk(account_id)
    return [one for day in whole_days.days(pk) for one in whole_days.read_day(pk, day)]


def in_own_log(id_: str) -> list[Entry]:
    """Everything in the own logs of an id."""
    pk = person_pk(id_)
    return [one for day in whole_days.days(pk) for one in whole_days.read_day(pk, day)]
