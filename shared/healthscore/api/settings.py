"""The workspace's settings."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, cast

from healthscore.http.api_keys import Scope
from healthscore.http.errors import ApiError, ErrorKind
from healthscore.http.route import route
from healthscore.storage import workspace
from healthscore.storage.errors import TimezoneFixedError

if TYPE_CHECKING:
    from typing_extensions import TypedDict

    from healthscore.core.json_types import Count, Day
    from healthscore.http.request import Request
    from healthscore.storage.workspace import StoredSettings

    class OnOff(TypedDict):
        """An alert rule, or a detector, that is on or off."""

        enabled: bool

    class DecliningRule(OnOff):
        """The alert on a declining trend."""

        points: int

    class SilentRule(OnOff):
        """The alert on an account that nobody uses any more."""

        days: int

    class ScoreFellRule(OnOff):
        """The alert on a score that fell fast."""

        points: int
        days: int

    class AlertRules(TypedDict):
        """Which changes are alerted."""

        band_fell: OnOff
        declining: DecliningRule
        silent: SilentRule
        score_fell: ScoreFellRule
        recovered: OnOff
        ticket_opened: OnOff

    class NotCountedRules(TypedDict):
        """The users who do not count."""

        ids: list[str]
        email_domains: list[str]
        names: list[str]

    class IdentityRules(TypedDict):
        """Who is who."""

        placeholders: list[str]
        """Ids that name nobody, beside those that name nobody anywhere."""
        not_counted: NotCountedRules

    class PublicKeyRules(TypedDict):
        """What write keys may send, which may be public."""

        events_only: bool
        known_accounts_only: bool
        events_per_day: Count
        new_accounts_per_day: Count

    class DatasetRules(TypedDict):
        """What the nightly dataset has beside its own columns."""

        attributes: list[str]

    class SettingsInForce(TypedDict):
        """Every setting, with the default of each that nobody has chosen."""

        timezone: str
        milestones: list[str]
        retention_days: int
        alerts: AlertRules
        identity: IdentityRules
        public_keys: PublicKeyRules
        dataset: DatasetRules
        value_events: list[str]
        integrations: dict[str, list[str]]
        features: dict[str, list[str]]
        quiet_days: list[Day]
        escalation_owner: str | None
        sensitivity: Literal["balanced", "calm", "literal"]
        overdue_irregular: int
        signals: dict[str, OnOff]
        """Every detector by its name."""

    class VersionedSettings(TypedDict):
        """The settings and their version."""

        version: Count
        """0 while the defaults apply, then how often the settings were replaced."""
        settings: SettingsInForce
        warnings: list[str]
        """What may not be meant, or weakens early warning, in one sentence each."""


TAG = "Workspace"
TIMEZONE_FIXED = ErrorKind(
    HTTPStatus.CONFLICT,
    "timezone_fixed",
    "The time zone cannot change once there are events: they are stored by its days.",
)


@route("GET /v1/settings", scope=Scope.ADMIN)
def get_settings(_request: Request) -> VersionedSettings:
    """The settings.

    The workspace's settings, with the default of each that nobody has chosen, and their version.
    """
    return _document(workspace.settings())


@route("PUT /v1/settings", scope=Scope.ADMIN, body="schemas.WorkspaceSettings", errors=(TIMEZONE_FIXED,))
def put_settings(request: Request) -> VersionedSettings:
    """Replace the settings.

    Checks the settings as a whole, counts `version` up and keeps the version before. What is left out goes back to its
    default: read, change, and send the whole object under `settings`.
    """
    from healthscore.api import schemas  # noqa: PLC0415  (Pydantic: only where there is a body to check)

    settings = schemas.read_settings(request.json())
    try:
        return _document(workspace.save_settings(settings, request.received_at))
    except TimezoneFixedError as error:
        raise ApiError(
            TIMEZONE_FIXED,
            f"The time zone cannot change from {error} to {settings.timezone} any more: events are stored by its "
            "calendar days. Send the settings with the time zone as it is. Nothing was changed.",
        ) from None


def _document(stored: StoredSettings) -> VersionedSettings:
    from healthscore.core.detectors.registry import DETECTORS  # noqa: PLC0415  (as schemas: only these routes need it)
    from healthscore.core.signals.warnings import warnings_of  # noqa: PLC0415

    chosen = stored.settings.early_warning
    shown = stored.settings.to_json()
    shown["signals"] = {one.name: {"enabled": chosen.signals.get(one.name, one.by_default)} for one in DETECTORS}
    return {
        "version": stored.version,
        "settings": cast("SettingsInForce", shown),
        "warnings": warnings_of(chosen, stored.settings.retention_days),
    }
