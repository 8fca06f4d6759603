"""Names of tables, keys and attributes: every item the product stores, described in one place.

    table     key                                           item
    Accounts  account_id                                    what is known of an account now: profile, CRM facts,
                                                            lifetime first-seen of event names, latest score,
                                                            the last 30 daily scores, who has its trouble in hand
    Activity  pk a#account_id, sk D#2026-11-20#00           head of a day's log: roll-up, tail, version
              pk a#account_id, sk S#2026-11-20#00#000001#…  a sealed block of that log
              pk a#account_id, sk P#person                  names a person who belongs, or once belonged, to it
              pk u#person, sk D#… and S#…                   a day's log, for events of a person of no known account
              pk u#person, sk member                        the accounts a person belongs to, since when; whose else
                                                            the id is
              pk u#person, sk L#person                      names another id of that person
              pk u#person, sk traits                        name, e-mail address and title of a person
              pk m#03,     sk person␟token                  somebody whose waiting events may now be moved
              pk w#a, sk acme␟account_id                    a word that an account is found by
    History   pk account#…,  sk snapshot#2026-11-20         the score kept that night
              pk account#…,  sk alert#…                     an alert, whether it was sent, who has it in hand
              pk account#…,  sk crm#2026-11-20T10:00:00Z…   CRM facts as they were received
              pk workspace#, sk digest#2026-11-20           a night's digest, and whether it was sent
    Settings  pk settings,   sk current | v000012           the workspace's settings, and each earlier version
              pk key,        sk sha256 of the key           an API key
              pk summary,    sk current                     the workspace in short, as the newest night left it
              pk run,        sk 2026-11-20                  a nightly run: the instant it scores as of
              pk part,       sk run and worker              what a worker of a run has counted; expires
              pk crm,        sk hubspot                     a connected CRM: options, cursor, lock, status
              pk crm#…,      sk a company or account        which company is which account (`crm_companies`)
              pk webhook,    sk a hash                      a webhook that was taken; expires

A day's log has a shard in its keys: `#00`, and `#01` to `#31` where a hot day is split (see core.shards). Accounts has
the indexes of the book (see `storage.accounts.index`): by-score, by-seen, by-name and by-arr (shard, and the key of
that order) and by-owner (owner, account_id). History's index pending (pending, created_at) holds just the messages that
are still to be sent, and by-day (alert_day, sk) the alerts.
"""

from __future__ import annotations

import os
from datetime import UTC, date
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

ERASING = "erasing"
"""The attribute of an account's item once its erasure has begun."""
NOT_ERASING = f"attribute_not_exists({ERASING})"
INDEX_PARTITIONS = 8
"""The book's indexes are spread over this many partitions, so that a night's updates do not meet in one."""


def accounts_table() -> str:
    """Name of the accounts table."""
    return os.environ["ACCOUNTS_TABLE"]


def activity_table() -> str:
    """Name of the activity table."""
    return os.environ["ACTIVITY_TABLE"]


def history_table() -> str:
    """Name of the history table."""
    return os.environ["HISTORY_TABLE"]


def settings_table() -> str:
    """Name of the settings table."""
    return os.environ["SETTINGS_TABLE"]


def activity_pk(account_id: str) -> str:
    """Partition key of an account's day logs."""
    return f"{_ACCOUNT_LOGS}{account_id}"


def person_pk(person: str) -> str:
    """Partition key of the day logs of a person, named as in `core.day_log.codec.Entry.person`."""
    return f"{_PERSON_LOGS}{person}"


def person_of(pk: str) -> str:
    """The person whose items have this partition key."""
    return pk.removeprefix(_PERSON_LOGS)


MEMBER = "member"
"""Sort key of the item that says where a person belongs."""
_MOVES = "m#"


def move_pk(person: str) -> str:
    """Partition key of the note that what a person did may be moved to an account."""
    return f"{_MOVES}{index_partition(person)}"


def move_pks() -> list[str]:
    """Partition keys of all such notes."""
    return [f"{_MOVES}{number}" for number in index_partitions()]


def move_key(person: str, token: str) -> str:
    """Sort key of such a note; each has a token of its own."""
    return f"{person}{_END}{token}"


def move_person(sk: str) -> str:
    """The person whom a note is about."""
    return sk.rpartition(_END)[0]


TRAITS = "traits"
"""Sort key of the item that says who a person is."""


def member_key(person: str) -> str:
    """Sort key under which an account's partition names one of its people."""
    return f"{MEMBERS_PREFIX}{person}"


MEMBERS_PREFIX = "P#"
"""What the sort keys of an account's people begin with."""


def alias_key(person: str) -> str:
    """Sort key under which a user's partition names another id of that person."""
    return f"{ALIASES_PREFIX}{person}"


ALIASES_PREFIX = "L#"
"""What the sort keys of a user's other ids begin with."""


def account_of(pk: str) -> str | None:
    """The account whose day logs have this partition key; None for a person's."""
    return pk.removeprefix(_ACCOUNT_LOGS) if pk.startswith(_ACCOUNT_LOGS) else None


_ACCOUNT_LOGS = "a#"
_PERSON_LOGS = "u#"


DAYS_PREFIX = "D#"
"""What the sort keys of all heads begin with."""


def day_key(day: date, shard: int = 0) -> str:
    """Sort key of a day's head, in one shard."""
    return f"{DAYS_PREFIX}{day.isoformat()}#{shard:02d}"


def day_range(first: date, last: date) -> dict[str, dict[str, str]]:
    """The sort keys of all heads from one day to another, both included, as values of `BETWEEN :first AND :last`."""
    return {":first": {"S": day_key(first)}, ":last": {"S": f"{DAYS_PREFIX}{last.isoformat()}#~"}}


def parse_day_key(sk: str) -> tuple[date, int]:
    """Day and shard of a head."""
    _, day, shard = sk.split("#")
    return date.fromisoformat(day), int(shard)


def blocks_prefix(day: date, shard: int) -> str:
    """What the sort keys of a day's blocks begin with, in one shard."""
    return f"S#{day.isoformat()}#{shard:02d}#"


def block_key(day: date, shard: int, position: int, token: bytes) -> str:
    """Sort key of one block; positions sort as numbers up to a million blocks a day and shard."""
    return f"{blocks_prefix(day, shard)}{position:06d}#{token.hex()}"


def account_history(account_id: str) -> str:
    """Partition key of an account's history."""
    return f"{_ACCOUNT}{account_id}"


def snapshot_key(day: date) -> str:
    """Sort key of the snapshot of a day."""
    return f"snapshot#{day.isoformat()}"


CRM_FIRST = "crm#"
"""Sorts before the CRM facts of any instant."""


def crm_key(received_at: datetime) -> str:
    """Sort key of CRM facts received at an instant; instants sort as text, to the millisecond."""
    return f"{CRM_FIRST}{received_at.astimezone(UTC).isoformat(timespec='milliseconds')}"


def message_key(account_id: str | None, message_id: str) -> tuple[str, str]:
    """Partition and sort key of a message about an account, or about the whole workspace."""
    if account_id is None:
        return _WORKSPACE_HISTORY, f"{_DIGEST}{message_id}"
    return account_history(account_id), f"{_ALERT}{message_id}"


def message_owner(pk: str, sk: str) -> tuple[str | None, str]:
    """Account (None for the whole workspace) and id of the message with this key."""
    if pk == _WORKSPACE_HISTORY:
        return None, sk.removeprefix(_DIGEST)
    return pk.removeprefix(_ACCOUNT), sk.removeprefix(_ALERT)


def alert_range(day: date | None = None) -> tuple[str, str]:
    """Sort keys before and behind those of all alerts, or of one day's: an alert's id begins with its day."""
    prefix = _ALERT if day is None else f"{_ALERT}{day.isoformat()}"
    return prefix, f"{prefix}~"


def digest_range() -> tuple[str, str, str]:
    """Partition key of the workspace's messages, and sort keys before and behind those of all digests."""
    return _WORKSPACE_HISTORY, _DIGEST, f"{_DIGEST}~"


_ACCOUNT = "account#"
_WORKSPACE_HISTORY = "workspace#"
_ALERT = "alert#"
_DIGEST = "digest#"


def index_partition(account_id: str) -> str:
    """The partition of the book's indexes that an account belongs to."""
    return f"{blake2b(account_id.encode(), digest_size=1).digest()[0] % INDEX_PARTITIONS:02d}"


def index_partitions() -> list[str]:
    """All partitions of the book's indexes."""
    return [f"{number:02d}" for number in range(INDEX_PARTITIONS)]


def word_pk(entry: str) -> str:
    """Partition key of the search entries that begin with the same character as this one."""
    return f"{_WORDS}{entry[0]}"


def word_key(entry: str, account_id: str) -> str:
    """Sort key of a search entry."""
    return f"{entry}{_END}{account_id}"


def word_account(sk: str) -> str:
    """The account that a search entry leads to."""
    return sk.partition(_END)[2]


_WORDS = "w#"
_END = "\x1f"
