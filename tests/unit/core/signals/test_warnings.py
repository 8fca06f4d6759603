from __future__ import annotations

from healthscore.core.signals.settings import EarlyWarningSettings
from healthscore.core.signals.warnings import warnings_of


def test_warnings__eight_signals_and_retention_that_does__has_none():
    settings = EarlyWarningSettings(("exported",), {name: (name,) for name in "abc"})
    assert warnings_of(settings, 460) == []


def test_warnings__ninth_signal__is_warned_of():
    settings = EarlyWarningSettings(("exported",), {name: (name,) for name in "abcd"})
    (said,) = warnings_of(settings, 460)
    assert said.startswith("Accounts have 9 signals, of which 4 are integrations")


def test_warnings__event_of_value_and_of_an_integration__is_warned_of_with_both():
    settings = EarlyWarningSettings(("exported", "synced"), {"Jira": ("synced",)})
    (said,) = warnings_of(settings, 460)
    assert said.startswith("synced is in value_events and in the integration Jira")


def test_warnings__retention_of_an_earlier_version__is_advised_to_be_raised():
    (said,) = warnings_of(EarlyWarningSettings(), 400)
    assert said.startswith("Events are kept for 400 days, and early warning looks back 460: raise")
