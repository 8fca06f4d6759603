"""Hands the erasure of an account over to the function that erases from the dataset, by its queue.

A message says only that there is something to erase: which accounts, the table knows.
"""

from __future__ import annotations

import os

from botocore.exceptions import BotoCoreError, ClientError

from healthscore.services import queues
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.nights import tombstones


def hand_over(account_id: str) -> bool:
    """Have the files of the dataset erased of an account that is erased from the tables.

    Returns:
        Whether any file may still have it: it is done once this answers False.

    Raises:
        StorageUnavailableError: it may not be queued; then the next call, or the next night, sees to it.
    """
    if all(one.account_id != account_id for one in tombstones.pending()):
        return False
    try:
        queues.send(os.environ["ERASURE_QUEUE_URL"], {})
    except (BotoCoreError, ClientError) as error:
        raise StorageUnavailableError(type(error).__name__) from error
    return True
