"""What storage may answer instead of a result."""

from __future__ import annotations


class StorageUnavailableError(Exception):
    """The tables could not be read or written just now; nothing is half done, and the same call may be made again."""

    status = 503
    code = "storage_unavailable"
    retry_after_seconds = 5


class BeingErasedError(StorageUnavailableError):
    """An account is being erased: what is sent of it must wait until nothing of it is left, and then begins anew."""


class ConditionFailedError(Exception):
    """A conditional write found another state than the one it was made for; read again and decide anew."""


class AccountErasedError(Exception):
    """The account was erased, or is being erased, since it was read; what was to be written of it is not."""


class MovedError(Exception):
    """Somebody has said meanwhile where a person belongs; find out anew where their events count."""


class TimezoneFixedError(Exception):
    """The workspace's time zone cannot change any more: stored days would shift."""
