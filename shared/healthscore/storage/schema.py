"""Names of tables, keys and attributes, in one place; `storage.kinds` lists every kind of item.

The index by-changed (changed_in, changed) of Accounts holds the accounts by their last change (see
`storage.accounts.changes`). History's index pending (pending, created_at) holds just the
messages that are still to be sent, and by-day (alert_day, sk) the alerts.
"""

from __future__ import annotations

import os
from datetime import UTC, date
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

EARLIER_BOOK = "who"
"""The attribute of an account's item in which versions before the dataset kept what their book showed of a profile."""
ERASING = "erasing"
"""The attribute of an account's item once its erasure has begun."""
INTO = "into"
"""The attribute of an account's item once it was given up for another one: that one's id, then."""
EARLIER_PROFILES = "profiles"
"""The attribute of an account's item that holds what rules read of its profile at earlier times."""
ACKNOWLEDGEMENT = "handled"
"""The attribute of an account's item that holds the last acknowledgement of an alert of the account."""
CHANGED_INDEX, CHANGED_IN, CHANGED = "by-changed", "changed_in", "changed"
"""The index of the accounts that have changed, and the attributes that it is made of: a partition, and the time of the
last change of what the book shows, in nanoseconds since the Unix epoch."""
CHANGED_PARTITIONS = 4
"""That index is spread over this many partitions, so that the changes of an import do not meet in one."""
NOTE_PARTITIONS = 8
"""Notes of unsettled ids are spread over this many partitions, so that those of an import do not meet in one."""


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


_ACCOUNT_LOGS, _PERSON_LOGS = "a#", "u#"


def activity_pk(account_id: str) -> str:
    """Partition key of an account's day logs."""
    return f"{_ACCOUNT_LOGS}{account_id}"


def is_account(pk: str) -> bool:
    """Whether day logs with this partition key are an account's, and not an id's."""
    return pk.startswith(_ACCOUNT_LOGS)


def account_of(pk: str) -> str:
    """The account whose day logs have this partition key."""
    return pk.removeprefix(_ACCOUNT_LOGS)


def person_pk(person: str) -> str:
    """Partition key of a person's items; the person as in `core.day_log.codec.Entry.person`."""
    return f"{_PERSON_LOGS}{person}"


def person_of(pk: str) -> str:
    """The person whose items have this partition key."""
    return pk.removeprefix(_PERSON_LOGS)


ID = "id"
"""Sort key of an id's record."""
GROUPED, IDENTIFIED = "G#", "I#"
"""What the sort keys of kept calls begin with: those that name an account, and those that name a device's user."""
NAMED_ACCOUNTS = "A#"
"""What the sort keys of the accounts begin with that events of an id name themselves."""
TRAITS = "traits"
"""Sort key of a person's name, e-mail address and title."""
MEMBERS_PREFIX = "P#"
"""What the sort keys of an account's people begin with."""


def member_key(person: str) -> str:
    """Sort key under which an account's partition names one of its people."""
    return f"{MEMBERS_PREFIX}{person}"


MORE_NAMES = "N#"
"""What the sort keys of event names begin with for which an account's item has no room."""


def more_name_key(name: str) -> str:
    """Sort key of an event name for which an account's item has no room."""
    return f"{MORE_NAMES}{name}"


_EPOCH = 10**15
"""Added to times in sort keys, so that times before 1970 sort as well."""


def call_key(prefix: str, at: int, value: str) -> str:
    """Sort key of a kept call: its time in milliseconds, and what it says."""
    return f"{prefix}{at + _EPOCH}#{value}"


def parse_call_key(sk: str) -> tuple[int, str]:
    """Time and value of a kept call."""
    _, at, value = sk.split("#", 2)
    return int(at) - _EPOCH, value


def named_account_key(account_id: str) -> str:
    """Sort key under which an id's partition names an account that its events name themselves."""
    return f"{NAMED_ACCOUNTS}{account_id}"


_MOVES, _END = "m#", "\x1f"


def unsettled_pk(id_: str) -> str:
    """Partition key of the note that an id's record names ids which are not settled."""
    return f"{_MOVES}{_note_partition(id_)}"


def unsettled_pks() -> list[str]:
    """Partition keys of all such notes; their sort keys are the ids."""
    return [f"{_MOVES}{number:02d}" for number in range(NOTE_PARTITIONS)]


SUSPECTS_PK = "s#"
"""Partition key of the ids that look wrong; their sort keys are the ids."""


FIRST_TIME = "at"
"""Sort key of the time that the first delivery of a call decided."""
_FIRST_TIMES = "c#"


def first_time_pk(message: str) -> str:
    """Partition key of the time of a call; 128 bits of hash never meet by chance."""
    return f"{_FIRST_TIMES}{blake2b(message.encode(), digest_size=16).hexdigest()}"


def allowance_pk(key_hash: str, day: date) -> str:
    """Partition key of what an API key has sent in a day."""
    return f"k#{key_hash}#{day.isoformat()}"


DAYS_PREFIX = "D#"
"""What the sort keys of all heads begin with."""
BLOCKS_PREFIX = "S#"
"""What the sort keys of all blocks begin with."""


USE_DAYS, USE_WEEKS = "D~days", "D~weeks"
"""Sort keys of an account's use. They sort right behind all heads, so that one query has the newest heads and these."""


def day_key(day: date, shard: int = 0) -> str:
    """Sort key of a day's head, in one shard."""
    return f"{DAYS_PREFIX}{day.isoformat()}#{shard:02d}"


def day_range(first: date, last: date) -> tuple[str, str]:
    """The sort keys before and behind all heads from one day to another, both included."""
    return day_key(first), f"{DAYS_PREFIX}{last.isoformat()}#~"


def days_and_use_range(first: date) -> tuple[str, str]:
    """The sort keys before all heads from a day on, and of the last item of the account's use behind them."""
    return day_key(first), USE_WEEKS


def parse_day_key(sk: str) -> tuple[date, int]:
    """Day and shard of a head, or of a block."""
    _, day, shard = sk.split("#")[:3]
    return date.fromisoformat(day), int(shard)


def blocks_prefix(day: date, shard: int) -> str:
    """What the sort keys of a day's blocks begin with, in one shard."""
    return f"{BLOCKS_PREFIX}{day.isoformat()}#{shard:02d}#"


def block_range(day: date, shard: int, after: int) -> tuple[str, str]:
    """The sort keys before and behind the blocks of one shard beyond a position."""
    prefix = blocks_prefix(day, shard)
    return f"{prefix}{after + 1:06d}", f"{prefix}~"


def block_key(day: date, shard: int, position: int, token: bytes) -> str:
    """Sort key of one block; positions sort as numbers up to a million blocks a day and shard."""
    return f"{blocks_prefix(day, shard)}{position:06d}#{token.hex()}"


def block_token(sk: str) -> bytes:
    """The token of the block with this sort key."""
    return bytes.fromhex(sk.rpartition("#")[2])


_ACCOUNT_HISTORY, _WORKSPACE_HISTORY = "account#", "workspace#"
_ALERT, _DIGEST = "alert#", "digest#"
CRM_FIRST = "crm#"
"""Sorts before the CRM facts of any instant."""


def account_history(account_id: str) -> str:
    """Partition key of an account's history."""
    return f"{_ACCOUNT_HISTORY}{account_id}"


def snapshot_key(day: date) -> str:
    """Sort key of the snapshot of a day."""
    return f"snapshot#{day.isoformat()}"


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
    return pk.removeprefix(_ACCOUNT_HISTORY), sk.removeprefix(_ALERT)


def alert_range(day: date | None = None) -> tuple[str, str]:
    """Sort keys before and behind those of all alerts, or of one day's: an alert's id begins with its day."""
    prefix = _ALERT if day is None else f"{_ALERT}{day.isoformat()}"
    return prefix, f"{prefix}~"


def day_of_alert(sk: str) -> date | None:
    """The day of a sort key of `alert_range`; None of any other text."""
    try:
        return date.fromisoformat(sk.removeprefix(_ALERT)[:10]) if sk.startswith(_ALERT) else None
    except ValueError:
        return None


_DECISION, _FINDING = "decision#", "finding#"


def decision_key(day: date) -> str:
    """Sort key of what a day's night has decided about an account's risk."""
    return f"{_DECISION}{day.isoformat()}"


def decision_range() -> tuple[str, str]:
    """Sort keys before and behind those of all decisions."""
    return _DECISION, f"{_DECISION}~"


def finding_key(finding_id: str) -> str:
    """Sort key of a finding."""
    return f"{_FINDING}{finding_id}"


def finding_range() -> tuple[str, str]:
    """Sort keys before and behind those of all findings."""
    return _FINDING, f"{_FINDING}~"


def digest_range() -> tuple[str, str, str]:
    """Partition key of the workspace's messages, and sort keys before and behind those of all digests."""
    return _WORKSPACE_HISTORY, _DIGEST, f"{_DIGEST}~"


SETTINGS_PK, API_KEYS_PK, RUNS_PK, WORKER_RESULTS_PK, WORKERS_PK = "settings", "key", "run", "part", "worker"
SUMMARY_PK, CONNECTIONS_PK, WEBHOOKS_PK, ATTENDANCE_PK = "summary", "crm", "webhook", "fleet"
"""Partition keys in Settings."""
CURRENT = "current"
"""Sort key of what there is one of."""
MERGES, TOMBSTONE_KEY = "merges", "tombstone key"
"""Sort keys beside the settings: of the merges of accounts, and of the secret of the tombstones' hashes."""
NIGHTS_PK, TOMBSTONES_PK, DATASET_ERASURES_PK = "night", "tombstone", "dataset erasure"
"""Partition keys in Settings of what belongs to the nightly dataset."""


def settings_version_key(version: int) -> str:
    """Sort key of a version of the settings."""
    return f"v{version:06d}"


def worker_result_key(run: str, scan_part: int, chunk: int) -> str:
    """Sort key of what one worker of a run has counted."""
    return f"{run}#{scan_part:06d}#{chunk:06d}"


def company_pk(provider: str, part: str) -> str:
    """Partition key of a part of what is kept of a CRM's companies; see `storage.crm.companies`."""
    return f"crm#{provider}#{part}"


def _note_partition(id_: str) -> str:
    return f"{blake2b(id_.encode(), digest_size=1).digest()[0] % NOTE_PARTITIONS:02d}"


def changed_partition(account_id: str) -> str:
    """The partition of the index of changed accounts that an account belongs to."""
    return f"{blake2b(account_id.encode(), digest_size=1).digest()[0] % CHANGED_PARTITIONS:02d}"


def changed_partitions() -> list[str]:
    """All partitions of the index of changed accounts."""
    return [f"{number:02d}" for number in range(CHANGED_PARTITIONS)]


_SEARCH = "w#"


def search_pk(entry: str) -> str:
    """Partition key of the words of an earlier book that begin with the same character as this one."""
    return f"{_SEARCH}{entry[0]}"


def search_key(entry: str, account_id: str) -> str:
    """Sort key of such a word."""
    return f"{entry}{_END}{account_id}"
