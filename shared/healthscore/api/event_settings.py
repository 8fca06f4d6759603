"""The settings that ingestion parses and stores events by."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from healthscore import process
from healthscore.api.event_batch import ALL_REJECTED, parse_batch
from healthscore.api.public_keys import rights_before, rights_for, too_many_today
from healthscore.api.segment_com_calls import parse_calls
from healthscore.http.errors import ApiError
from healthscore.metrics import Metric
from healthscore.storage import workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from healthscore.api.event_batch import ParsedBatch
    from healthscore.api.public_keys import Rights
    from healthscore.api.segment_com_calls import ParsedBody
    from healthscore.http.request import Request
    from healthscore.settings import Settings
    from healthscore.storage.workspace import StoredSettings

SETTINGS_SECONDS = 10.0
"""How long a warm process uses the settings that it has read, as long as it rejects nothing by them."""


class EventSettings:
    """The settings as ingestion needs them: remembered for some seconds, and read again before an event is rejected."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stored: StoredSettings | None = None
        self._until = 0.0
        process.remember(self)

    def forget(self) -> None:
        """Read the settings again."""
        self._stored = None

    def read_batch(self, request: Request) -> ParsedBatch:
        """Parse a batch as `parse_batch` does, with its errors; what is rejected is rejected by fresh settings.

        Raises:
            ApiError: as of `parse_batch`, and 429 `too_many_today`.
            StorageUnavailableError: what the key may send is not known.
        """
        body, now = request.body, request.received_at
        in_use = self._at_hand()
        try:
            batch = parse_batch(body, now, in_use)
        except ApiError as error:
            if error.code != ALL_REJECTED.code:
                raise
            batch = None
        if batch is None or batch.rejected:
            in_use = self._remember(workspace.settings())
            batch = parse_batch(body, now, in_use)
        if not request.has_public_key:
            return batch
        named = {event.account_id for _, event in batch.events}
        rights = self._rights(request, in_use, named, len(batch.events))
        if rights.used_up:
            request.counts[Metric.EVENTS_OVER_LIMIT] = len(batch.events)
            raise too_many_today(now)
        return parse_batch(body, now, in_use, rights) if rights.refuses_some else batch

    def read_calls(self, request: Request, kind: str | None) -> ParsedBody:
        """Parse calls of the Segment dialect as `parse_calls` does; what is rejected is rejected by fresh settings.

        Raises:
            ApiError: as of `parse_calls`.
            StorageUnavailableError: what the key may send is not known.
        """
        body, now = request.json(), request.received_at
        in_use = self._at_hand()
        calls = parse_calls(body, kind, now, in_use, rights_before(request, in_use.public_keys))
        if calls.rejected:
            in_use = self._remember(workspace.settings())
            calls = parse_calls(body, kind, now, in_use, rights_before(request, in_use.public_keys))
        if not request.has_public_key:
            return calls
        rights = self._rights(request, in_use, calls.calls.account_ids, calls.taken)
        return parse_calls(body, kind, now, in_use, rights) if rights.refuses_some else calls

    def with_timezone_fixed(self) -> Settings:
        """The settings to store events by, whose time zone cannot change any more."""
        if self._stored is None or not self._stored.timezone_fixed:
            return self._remember(workspace.fix_timezone())
        return self._stored.settings

    def _rights(self, request: Request, in_use: Settings, account_ids: Collection[str | None], count: int) -> Rights:
        """What the key of a request may send, as `rights_for` has it; what is refused is refused by fresh settings."""
        rights = rights_for(request, in_use.public_keys, account_ids, count)
        if rights.refuses_some:
            fresh = self._remember(workspace.settings())
            if fresh.public_keys != in_use.public_keys:
                return rights_for(request, fresh.public_keys, account_ids, count)
        return rights

    def _at_hand(self) -> Settings:
        if self._stored is not None and self._clock() < self._until:
            return self._stored.settings
        return self._remember(workspace.settings())

    def _remember(self, stored: StoredSettings) -> Settings:
        self._stored, self._until = stored, self._clock() + SETTINGS_SECONDS
        return stored.settings


settings = EventSettings()
"""Those of this process."""
