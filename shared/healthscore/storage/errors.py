"""What storage raises instead of a result."""

from __future__ import annotations


class StorageUnavailableError(Exception):
    """The tables cannot be read or written now. The same call may be made again: no write is half done."""

    retry_after_seconds = 5


class BeingErasedError(StorageUnavailableError):
    """The account is being erased: a write to it has to wait until nothing of it is left, and makes a new account."""


class ConditionFailedError(Exception):
    """A conditional write found an item in another state than the one it was made for: read again, decide again."""


class AccountErasedError(Exception):
    """The account was erased since it was read, or is being erased; nothing was written."""


class MovedError(Exception):
    """A person's memberships have changed since they were read: find out again where the person's events count."""


class TimezoneFixedError(Exception):
    """The workspace's time zone cannot change any more: stored days would shift."""
