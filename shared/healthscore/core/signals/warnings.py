"""What a workspace is told of its settings of signals: they are taken as they are, and something may not be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthscore.core.text import listed

if TYPE_CHECKING:
    from healthscore.core.signals.settings import EarlyWarningSettings

MAX_SIGNALS = 8
"""Four to eight are looked at; of more of them, one falls by chance all the time (signal rule 5)."""
LOOKBACK_DAYS = 460
"""What the rules look back: a year for the best quarter, and that quarter."""
ALWAYS = 4
"""Active days, users, features used and open tickets."""


def warnings_of(settings: EarlyWarningSettings, retention_days: int) -> list[str]:
    """Warnings about settings, in one sentence each.

    Args:
        settings: of early warning.
        retention_days: how long the events are kept that it is computed from.
    """
    warnings = []
    signals = ALWAYS + bool(settings.value_events) + len(settings.integrations)
    if signals > MAX_SIGNALS:
        warnings.append(
            f"Accounts have {signals} signals, of which {len(settings.integrations)} are integrations; beyond "
            f"{MAX_SIGNALS}, some of them falls by chance all the time. Group integrations, or name fewer."
        )
    for name, events in settings.integrations.items():
        both = [event for event in events if event in settings.value_events]
        if both:
            warnings.append(
                f"{listed(both)} {'is' if len(both) == 1 else 'are'} in value_events and in the integration {name}: "
                "when it falls, two families of signals fall at once, as if there were two reasons."
            )
    if retention_days < LOOKBACK_DAYS:
        warnings.append(
            f"Events are kept for {retention_days} days, and early warning looks back {LOOKBACK_DAYS}: raise "
            f"retention_days to {LOOKBACK_DAYS}, or fades are seen late."
        )
    return warnings
