"""The settings that ingestion parses and stores events by."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from healthscore import process
from healthscore.api.event_batch import ALL_REJECTED, parse_batch
from healthscore.api.segment_com_calls import parse_calls
from healthscore.http.errors import ApiError
from healthscore.storage import workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from healthscore.api.event_batch import ParsedBatch
    from healthscore.api.segment_com_calls import ParsedBody
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

    def read_batch(self, body: bytes, now: datetime) -> ParsedBatch:
        """Parse a batch as `parse_batch` does, with its errors; what is rejected is rejected by fresh settings."""
        try:
            batch = parse_batch(body, now, self._at_hand())
        except ApiError as error:
            if error.code != ALL_REJECTED.code:
                raise
        else:
            if not batch.rejected:
                return batch
        return parse_batch(body, now, self._remember(workspace.settings()))

    def read_calls(self, body: object, kind: str | None, now: datetime) -> ParsedBody:
        """Parse calls of the Segment dialect as `parse_calls` does; what is rejected is rejected by fresh settings."""
        calls = parse_calls(body, kind, now, self._at_hand())
        return parse_calls(body, kind, now, self._remember(workspace.settings())) if calls.rejected else calls

    def with_timezone_fixed(self) -> Settings:
        """The settings to store events by, whose time zone cannot change any more."""
        if self._stored is None or not self._stored.timezone_fixed:
            return self._remember(workspace.fix_timezone())
        return self._stored.settings

    def _at_hand(self) -> Settings:
        if self._stored is not None and self._clock() < self._until:
            return self._stored.settings
        return self._remember(workspace.settings())

    def _remember(self, stored: StoredSettings) -> Settings:
        self._stored, self._until = stored, self._clock() + SETTINGS_SECONDS
        return stored.settings


settings = EventSettings()
"""Those of this process."""
