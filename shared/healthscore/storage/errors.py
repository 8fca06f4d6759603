"""What storage raises instead of a result."""

from __future__ import annotations


class StorageUnavailableError(Exception):
    """The tables cannot be read or written now. The same call may be made again: no write is half done."""

    retry_after_seconds = 5


class NoRoomError(Exception):
    """What is to be written does not fit into its item: the same write will never be made."""

    no_room_for = "what is stored together here, 400 KB in all"


class BeingErasedError(StorageUnavailableError):
    """The account is being erased: a write to it has to wait until nothing of it is left, and makes a new account."""


class MergedError(StorageUnavailableError):
    """The account was merged into another one: what was to be written to it belongs there."""


class ConditionFailedError(Exception):
    """A conditional write found an item in another state than the one it was made for: read again, decide again."""


class AccountErasedError(Exception):
    """The account was erased or merged into another since it was read, or is being erased; nothing was written."""


class TimezoneFixedError(Exception):
    """The workspace's time zone cannot change any more: stored days would shift."""
