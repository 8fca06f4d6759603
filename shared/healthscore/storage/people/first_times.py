"""The times of calls whose time depends on their delivery, as the first delivery decided (table Activity).

A call without a time of its own was made when it is received, and a wrong clock is corrected by the time of receipt.
Both differ between two deliveries of the same call, and must not move it to another day. So the first delivery puts an
item, and all others find it, however they are batched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.storage import codec, conditions, reads, schema, writes
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.retries import attempts
from healthscore.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_AT = "at"


def known(messages: Iterable[str]) -> dict[str, int]:
    """The decided times of messages, in milliseconds; those without a decision are left out.

    Raises:
        StorageUnavailableError: the table cannot be read now.
    """
    by_pk = {schema.first_time_pk(message): message for message in messages}
    wanted = [(schema.activity_table(), codec.key(pk, schema.FIRST_TIME)) for pk in sorted(by_pk)]
    items = reads.batch_get(wanted, {schema.activity_table(): {"ConsistentRead": True}})
    return {by_pk[codec.text_of(item, "pk")]: codec.number_of(item, _AT) for _, item in items}


def decide(wanted: Mapping[str, int], expires: int) -> dict[str, int]:
    """Decide the times of messages, each once: an earlier decision stands.

    Args:
        wanted: the time of each message by this delivery, in milliseconds.
        expires: when new decisions may be forgotten, in seconds since the Unix epoch.

    Returns:
        The decided time of every message.

    Raises:
        StorageUnavailableError: some are not decided, or not known to be; the same call may be made again.
    """

    def put(message: str) -> bool:
        item = {
            **codec.key(schema.first_time_pk(message), schema.FIRST_TIME),
            _AT: codec.number(wanted[message]),
            "ttl": codec.number(expires),
        }
        try:
            writes.apply(writes.put(schema.activity_table(), item, conditions.ABSENT))
        except ConditionFailedError:
            return False
        return True

    decided: dict[str, int] = {}
    for _ in attempts("the times of calls are being decided elsewhere"):
        decided |= known(wanted.keys() - decided.keys())
        missing = sorted(wanted.keys() - decided.keys())
        if not missing:
            break
        mine = side_by_side(put, missing)
        decided |= {message: wanted[message] for message, is_mine in zip(missing, mine, strict=True) if is_mine}
        if all(mine):
            break
    return decided
