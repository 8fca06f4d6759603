"""Every kind of item that the product stores, in one place, for erasures to cover.

Not in `storage.schema`, which every function loads: making the enumeration would cost each cold start 2 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class _Described:
    """What there is to know of a kind of item."""

    table: str
    """The environment variable that names the table."""
    pk: str
    """A pattern of the partition key: a star stands for any text, or none."""
    sk: str
    """A pattern of the sort key."""
    about: str
    """Its keys by example, and what it holds."""
    people: bool = False
    """Whether it can name a person."""
    nobody: str = ""
    """Why it names neither an account nor a person; empty where it can name one."""


@unique
class Kind(Enum):
    """Every kind of item. Each has an eraser in `storage.erasure`, or has here the reason why it names nobody.

    A day's log has a shard in its keys: `#00`, and `#01` to `#31` where a hot day is split (see `core.day_log.shards`).
    """

    ACCOUNT = _Described(
        "ACCOUNTS_TABLE",
        "*",
        "*",
        "key account_id: what is known of an account now: profile (and of earlier ones what rules read), CRM facts, "
        "lifetime first-seen of event names, latest score, the last 30 daily scores, the last acknowledgement, pending "
        "user erasures",
        people=True,
    )
    DAY_HEAD = _Described(
        "ACTIVITY_TABLE", "a#*", "D#*", "a#account_id, D#2026-11-20#00: a day's roll-up, tail and version", people=True
    )
    BLOCK = _Described(
        "ACTIVITY_TABLE", "a#*", "S#*", "a#account_id, S#2026-11-20#00#000001#…: a sealed block of a log", people=True
    )
    MEMBER = _Described(
        "ACTIVITY_TABLE",
        "a#*",
        "P#*",
        "a#account_id, P#id: an id that the account knows: it belongs to it, or its events name it",
        people=True,
    )
    USE_DAYS = _Described(
        "ACTIVITY_TABLE",
        "a#*",
        "D~days",
        "a#account_id, D~days: the active days of an account and of its people, as far as they are folded; expires",
        people=True,
    )
    USE_WEEKS = _Described(
        "ACTIVITY_TABLE",
        "a#*",
        "D~weeks",
        "a#account_id, D~weeks: the sums of an account's finished weeks, and the days of its features; expires",
    )
    MORE_NAMES = _Described(
        "ACTIVITY_TABLE",
        "a#*",
        "N#*",
        "a#account_id, N#name: when an event name was first seen for which the account's item has no room",
    )
    OWN_DAY_HEAD = _Described(
        "ACTIVITY_TABLE",
        "u#*",
        "D#*",
        "u#id, D#…: a day's log of the events of an id that name no account, and where they count",
        people=True,
    )
    OWN_BLOCK = _Described("ACTIVITY_TABLE", "u#*", "S#*", "u#id, S#…: a sealed block of that", people=True)
    ID_RECORD = _Described(
        "ACTIVITY_TABLE",
        "u#*",
        "id",
        "u#id, id: the other ids of the same person, and the accounts that the person belongs to; of a device, its "
        "users",
        people=True,
    )
    GROUP_CALL = _Described(
        "ACTIVITY_TABLE",
        "u#*",
        "G#*",
        "u#id, G#time#account_id: a call that named the id's account; expires",
        people=True,
    )
    IDENTIFY_CALL = _Described(
        "ACTIVITY_TABLE",
        "u#*",
        "I#*",
        "u#device, I#time#user: a call that named the device's user; expires",
        people=True,
    )
    NAMED_ACCOUNT = _Described(
        "ACTIVITY_TABLE", "u#*", "A#*", "u#id, A#account_id: an account that events of the id name", people=True
    )
    TRAITS = _Described("ACTIVITY_TABLE", "u#*", "traits", "u#id, traits: name, e-mail address and title", people=True)
    UNSETTLED = _Described(
        "ACTIVITY_TABLE",
        "m#*",
        "*",
        "m#03, id: an id whose record names ids that did what may not count where it belongs yet",
        people=True,
    )
    SUSPECT = _Described(
        "ACTIVITY_TABLE", "s#", "*", "s#, id: an id that looks wrong, such as one that many users share", people=True
    )
    FIRST_TIME = _Described(
        "ACTIVITY_TABLE",
        "c#*",
        "at",
        "c#hash of a message id, at: the time of a call that depends on its delivery, as the first decided; expires",
        nobody="a hash and an instant",
    )
    ALLOWANCE = _Described(
        "ACTIVITY_TABLE",
        "k#*",
        "*",
        "k#hash of a key#2026-11-20, events: how much of what the key may send in the day is used up; expires",
        nobody="a key's hash and a count",
    )
    SEARCH_ENTRY = _Described("ACTIVITY_TABLE", "w#*", "*", "w#a, acme␟account_id: a word of an earlier book")
    SNAPSHOT = _Described(
        "HISTORY_TABLE", "account#*", "snapshot#*", "account#…, snapshot#2026-11-20: the score of a night"
    )
    ALERT = _Described(
        "HISTORY_TABLE", "account#*", "alert#*", "account#…, alert#…: an alert, its status and its acknowledgement"
    )
    CRM_FACTS = _Described(
        "HISTORY_TABLE", "account#*", "crm#*", "account#…, crm#2026-11-20T10:00:00Z…: CRM facts as they were received"
    )
    DECISION = _Described(
        "HISTORY_TABLE",
        "account#*",
        "decision#*",
        "account#…, decision#2026-11-20: what a night has decided about an account, with the ids of people",
        people=True,
    )
    FINDING = _Described(
        "HISTORY_TABLE",
        "account#*",
        "finding#*",
        "account#…, finding#2026-11-19-drop-…: what a detector has seen of an account, with the ids of people",
        people=True,
    )
    DIGEST = _Described(
        "HISTORY_TABLE", "workspace#", "digest#*", "workspace#, digest#2026-11-20: a night's digest, and its status"
    )
    SETTINGS = _Described(
        "SETTINGS_TABLE",
        "settings",
        "current",
        "the workspace's settings",
        nobody="weights, event names and a time zone of the workspace",
    )
    SETTINGS_VERSION = _Described(
        "SETTINGS_TABLE",
        "settings",
        "v*",
        "settings, v000012: an earlier version of the settings",
        nobody="as the settings themselves",
    )
    MERGES = _Described(
        "SETTINGS_TABLE", "settings", "merges", "settings, merges: the ids that were given up, and for which account"
    )
    TOMBSTONE_SECRET = _Described(
        "SETTINGS_TABLE",
        "settings",
        "tombstone key",
        "settings, tombstone key: what is hashed before the ids in tombstones",
        nobody="random characters",
    )
    NIGHT = _Described(
        "SETTINGS_TABLE",
        "night",
        "*",
        "night, 2026-11-20: the manifest of a night of the dataset, and who is writing it",
        nobody="names of files, and counts",
    )
    TOMBSTONE = _Described(
        "SETTINGS_TABLE",
        "tombstone",
        "*",
        "tombstone, hash#time: an account that was erased; expires after the last night that it was in",
        nobody="a keyed hash and an instant",
    )
    DATASET_ERASURE = _Described(
        "SETTINGS_TABLE",
        "dataset erasure",
        "*",
        "dataset erasure, time#account_id: an erasure that has not been through all files yet; it deletes this at last",
        nobody="the id of an account until its erasure is done, and nothing else of it",
    )
    API_KEY = _Described(
        "SETTINGS_TABLE",
        "key",
        "*",
        "key, SHA-256 of the key: an API key",
        nobody="a hash, a scope and the name that an operator gave the key",
    )
    SUMMARY = _Described(
        "SETTINGS_TABLE", "summary", "current", "the workspace in short, as a night of a version before left it"
    )
    RUN = _Described(
        "SETTINGS_TABLE",
        "run",
        "*",
        "run, 2026-11-20: a nightly run, the instant it scores as of, its result",
        nobody="an instant and counts",
    )
    ATTENDANCE = _Described(
        "SETTINGS_TABLE",
        "fleet",
        "*",
        "fleet, 2026-11-16: how many accounts were expected in the week of that Monday, and how many came, by signal",
        nobody="counts of accounts, and names of signals from the settings",
    )
    WORKER_RESULT = _Described("SETTINGS_TABLE", "part", "*", "part, run and worker: a worker's totals; expires")
    WORKER = _Described(
        "SETTINGS_TABLE",
        "worker",
        "*",
        "worker, run and worker: a worker of a night that is under way; it deletes this at last, or it expires",
        nobody="the name of a run, and an instant",
    )
    CONNECTION = _Described(
        "SETTINGS_TABLE",
        "crm",
        "*",
        "crm, hubspot: a connected CRM: options, cursor, lock, status",
        nobody="options of the connection, counts, and a cursor in the CRM's own list of companies",
    )
    COMPANY = _Described(
        "SETTINGS_TABLE", "crm#*#company", "*", "crm#hubspot#company, a company's id: which account it is"
    )
    COMPANY_CLAIM = _Described(
        "SETTINGS_TABLE", "crm#*#claim", "*", "crm#hubspot#claim, account_id: the companies that may be this account"
    )
    UNMATCHED_COMPANY = _Described(
        "SETTINGS_TABLE", "crm#*#unmatched", "*", "crm#hubspot#unmatched, a company's id: why it is no account"
    )
    COMPANIES_SEEN = _Described(
        "SETTINGS_TABLE",
        "crm#*#seen",
        "*",
        "crm#hubspot#seen, run and page: the companies that a full run has seen; deleted at its end",
        nobody="the CRM's own ids of companies",
    )
    UNREADABLE = _Described(
        "SETTINGS_TABLE",
        "crm#*#unreadable",
        "named",
        "crm#hubspot#unreadable, named: which fields of which records could not be read, and how many",
        nobody="the CRM's own ids of records, names of fields, and a count; no values",
    )
    WEBHOOK = _Described(
        "SETTINGS_TABLE",
        "webhook",
        "*",
        "webhook, a hash: a webhook that was taken; expires",
        nobody="a hash of the whole webhook",
    )

    def is_of(self, table: str, item: Mapping[str, Any]) -> bool:
        """Whether an item of a table (given by its environment variable) is of this kind."""
        patterns = (("pk", self.value.pk), ("sk", self.value.sk))
        keys = ((item[name]["S"] if name in item else "", pattern) for name, pattern in patterns)
        return table == self.value.table and all(fnmatchcase(key, pattern) for key, pattern in keys)
