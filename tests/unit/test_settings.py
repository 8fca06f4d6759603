from __future__ import annotations

import json

from healthscore.core.alerts.settings import AlertSettings, Silent
from healthscore.core.identity.settings import IdentitySettings
from healthscore.core.signals.settings import EarlyWarningSettings
from healthscore.settings import DatasetSettings, PublicKeys, Settings


def test_settings__nothing_chosen__are_those_of_the_scoring_rules():
    settings = Settings()
    assert settings.to_json() == {
        "timezone": "UTC",
        "milestones": ["account_created", "first_feature_used", "integration_connected"],
        "retention_days": 460,
        "alerts": {
            "band_fell": {"enabled": True},
            "declining": {"enabled": True, "points": 10},
            "silent": {"enabled": True, "days": 7},
            "score_fell": {"enabled": True, "points": 20, "days": 7},
            "recovered": {"enabled": True},
            "ticket_opened": {"enabled": True},
        },
        "identity": {"placeholders": [], "not_counted": {"ids": [], "email_domains": [], "names": []}},
        "public_keys": {
            "events_only": False,
            "known_accounts_only": False,
            "events_per_day": 1_000_000,
            "new_accounts_per_day": 10_000,
        },
        "dataset": {"attributes": []},
        "value_events": [],
        "integrations": {},
        "features": {},
        "quiet_days": [],
        "escalation_owner": None,
        "sensitivity": "balanced",
        "overdue_irregular": 45,
        "signals": {},
    }


def test_from_json__what_to_json_wrote__is_the_same_settings():
    alerts = AlertSettings(silent=Silent(enabled=False, days=3))
    settings = Settings(
        "Asia/Kolkata",
        ("signed_up",),
        20_000,
        alerts,
        IdentitySettings(("demo",)),
        PublicKeys(events_only=True),
        DatasetSettings(("region",)),
        EarlyWarningSettings(
            value_events=("report_exported",),
            integrations={"Jira": ("issue_created", "issue_closed")},
            features={"reports": ("report_exported",)},
            quiet_days=("2026-12-25",),
            escalation_owner="Kim",
            sensitivity="calm",
            overdue_irregular=30,
            signals={"halved": True, "drop": False},
        ),
    )
    assert Settings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_from_json__parts_left_out__have_their_defaults():
    settings = Settings.from_json({"retention_days": 30, "alerts": {"silent": {"days": 14}}})
    assert settings == Settings(retention_days=30, alerts=AlertSettings(silent=Silent(enabled=True, days=14)))


def test_zone__of_the_settings__is_the_named_one():
    assert Settings(timezone="Europe/Paris").zone.key == "Europe/Paris"
