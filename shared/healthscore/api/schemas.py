"""What people send to be kept: profiles, CRM facts and settings, checked as a whole.

The only module that imports Pydantic, which takes longer to import than the rest of a function's own code: import this
one where a body is to be checked, and nowhere else. The types are dictionaries of what was sent rather than models with
defaults, since a field left out, a field sent as null and a field with its default are three different things here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Required

from pydantic import AfterValidator, BeforeValidator, ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from healthscore.api import fields
from healthscore.core.documents import crm_from_json
from healthscore.core.time import format_instant, parse_instant
from healthscore.http.errors import invalid_request, shown
from healthscore.http.plain import kind_of
from healthscore.settings import MAX_RETENTION_DAYS, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from pydantic_core import ErrorDetails

    from healthscore.core.model import CrmFacts
    from healthscore.http.errors import ApiError

_FAULTS_LISTED = 20
_FAULTS_IN_WORDS = 3
_STRICT = ConfigDict(extra="forbid", strict=True)

Text = Annotated[str, AfterValidator(fields.text)]
Day = Annotated[str, AfterValidator(fields.day)]
Instant = Annotated[str, AfterValidator(fields.instant)]
Points = Annotated[int, BeforeValidator(fields.Whole(1, 100))]


@with_config(_STRICT)
class Profile(TypedDict, total=False):
    """What people know about an account."""

    name: Text | None
    owner: Text | None
    owner_email: Annotated[str, AfterValidator(fields.email)] | None
    plan: Text | None
    arr: Annotated[Any, BeforeValidator(fields.amount)]
    renewal_date: Day | None
    created_at: Annotated[str, AfterValidator(fields.day_or_instant)] | None
    attributes: Annotated[dict[str, Any], AfterValidator(fields.attributes)] | None
    champions: Annotated[list[Annotated[str, AfterValidator(fields.user_id)]], AfterValidator(fields.champions)] | None
    expected_cadence_days: Annotated[int | None, BeforeValidator(fields.Whole(1, 365))]
    usage_mode: Literal["continuous", "periodic"] | None


@with_config(_STRICT)
class Crm(TypedDict, total=False):
    """What a CRM says about an account: a field left out is unknown, null says that there is none."""

    provider: Text | None
    open_tickets: Annotated[int | None, BeforeValidator(fields.Whole(0, fields.MAX_TICKETS))]
    high_priority_open: Annotated[int | None, BeforeValidator(fields.tickets)]
    last_meeting_at: Instant | None
    last_email_at: Instant | None
    last_contact_at: Instant | None
    active_deal: bool | None
    deal_updated_at: Instant | None
    renewal_date: Day | None
    churned: bool | None


@with_config(_STRICT)
class Rule(TypedDict, total=False):
    """An alert rule that is on or off."""

    enabled: bool


@with_config(_STRICT)
class Declining(TypedDict, total=False):
    """The alert on a declining trend."""

    enabled: bool
    points: Points


@with_config(_STRICT)
class Silent(TypedDict, total=False):
    """The alert on an account that nobody uses any more."""

    enabled: bool
    days: Annotated[int, BeforeValidator(fields.Whole(1, 365))]


@with_config(_STRICT)
class ScoreFell(TypedDict, total=False):
    """The alert on a score that fell fast; it looks back over the nights that an account keeps at hand."""

    enabled: bool
    points: Points
    days: Annotated[int, BeforeValidator(fields.Whole(1, 30))]


@with_config(_STRICT)
class Alerts(TypedDict, total=False):
    """Which changes are alerted."""

    band_fell: Rule
    declining: Declining
    silent: Silent
    score_fell: ScoreFell
    recovered: Rule
    ticket_opened: Rule


@with_config(_STRICT)
class WorkspaceSettings(TypedDict, total=False):
    """What a workspace can choose; what is left out has its default."""

    timezone: Annotated[str, AfterValidator(fields.timezone)]
    milestones: Annotated[list[Annotated[str, AfterValidator(fields.event_name)]], AfterValidator(fields.milestones)]
    retention_days: Annotated[int, BeforeValidator(fields.Whole(1, MAX_RETENTION_DAYS))]
    alerts: Alerts


@with_config(_STRICT)
class Acknowledgement(TypedDict, total=False):
    """Somebody has an account's trouble in hand."""

    by: Required[Text]
    reason: Text | None


@with_config(_STRICT)
class Snooze(TypedDict, total=False):
    """An account's trouble is not to be told before a time, unless it gets worse."""

    by: Required[Text]
    reason: Required[Text]
    until: Required[Instant]


_PROFILE: TypeAdapter[Profile] = TypeAdapter(Profile)
_CRM: TypeAdapter[Crm] = TypeAdapter(Crm)
_SETTINGS: TypeAdapter[WorkspaceSettings] = TypeAdapter(WorkspaceSettings)
_ACKNOWLEDGEMENT: TypeAdapter[Acknowledgement] = TypeAdapter(Acknowledgement)
_SNOOZE: TypeAdapter[Snooze] = TypeAdapter(Snooze)


def read_profile(body: object) -> dict[str, Any]:
    """Check a profile, or the part of one that is to change.

    Returns:
        The fields that were sent; null where null was sent.

    Raises:
        ApiError: 400 `invalid_request`, with `fields` naming everything that is wrong.
    """
    return dict(_checked(_PROFILE, body, "profile"))


def merge_profile(standing: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A profile after a change, as JSON merge patch does it: null takes a field away, and attributes merge one by one.

    Args:
        standing: the profile as it is; empty to replace it.
        change: what `read_profile` gave.

    Raises:
        ApiError: 400 `invalid_request`: together there are too many attributes.
    """
    merged = {**standing, **change}
    if change.get("attributes") is not None:
        merged["attributes"] = _without_nulls({**standing.get("attributes", {}), **change["attributes"]})
        try:
            fields.attributes(merged["attributes"])
        except ValueError as error:
            raise _faulty([("attributes", f"after the change {error}")]) from None
    return _without_nulls(merged)


def read_crm(body: object, received_at: datetime) -> CrmFacts:
    """Check CRM facts.

    Raises:
        ApiError: 400 `invalid_request`, with `fields` naming everything that is wrong.
    """
    said = _checked(_CRM, body, "CRM facts")
    if not said:
        raise invalid_request(
            f"The body says nothing: send at least one of {', '.join(Crm.__annotations__)}. "
            "A field left out is unknown; null says that there is none."
        )
    if "open_tickets" in said and (said.get("high_priority_open") or 0) > (said["open_tickets"] or 0):
        raise _faulty([("high_priority_open", "must not be more than open_tickets, which counts them too")])
    return crm_from_json({**said, "received_at": format_instant(received_at)})


def read_settings(body: object) -> Settings:
    """Check the settings of a workspace.

    Returns:
        The settings; what was left out has its default.

    Raises:
        ApiError: 400 `invalid_request`, with `fields` naming everything that is wrong.
    """
    return Settings.from_json(_checked(_SETTINGS, body, "settings"))


def read_acknowledgement(body: object) -> dict[str, Any]:
    """Check what acknowledges an alert.

    Raises:
        ApiError: 400 `invalid_request`, with `fields` naming everything that is wrong.
    """
    return dict(_checked(_ACKNOWLEDGEMENT, body, "acknowledgement"))


def read_snooze(body: object, now: datetime, longest: timedelta) -> dict[str, Any]:
    """Check what snoozes an alert.

    Args:
        body: what was sent.
        now: the instant of the request.
        longest: how far `until` may lie ahead.

    Raises:
        ApiError: 400 `invalid_request`, with `fields` naming everything that is wrong.
    """
    said = _checked(_SNOOZE, body, "snooze")
    if not now < parse_instant(said["until"]) <= now + longest:
        raise _faulty([("until", f"must lie in the future, at most {longest.days} days ahead")])
    return dict(said)


def _without_nulls(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _checked(adapter: TypeAdapter[Any], body: object, what: str) -> Any:  # noqa: ANN401  (one of the types above)
    if not isinstance(body, dict):
        raise invalid_request(f"The body must be an object with the {what}, not {kind_of(body)}.")
    try:
        return adapter.validate_python(body)
    except ValidationError as error:
        raise _faulty([_fault(detail) for detail in error.errors(include_url=False)]) from None


def _faulty(faults: list[tuple[str, str]]) -> ApiError:
    sentences = [f"{path} {problem}" for path, problem in faults[:_FAULTS_IN_WORDS]]
    if len(faults) > len(sentences):
        sentences.append(f"and {len(faults) - len(sentences)} more, see `fields`")
    listed = [{"field": path, "message": problem} for path, problem in faults[:_FAULTS_LISTED]]
    return invalid_request(f"Nothing was changed: {'; '.join(sentences)}.", fields=listed)


def _fault(detail: ErrorDetails) -> tuple[str, str]:
    """The path of a field, and what is wrong with it in words that complete a sentence."""
    path = _path(detail["loc"])
    match detail["type"]:
        case "value_error":
            return path, str(detail["ctx"]["error"])
        case "extra_forbidden":
            return path, "is no field that can be set here"
        case "missing":
            return path, "is missing"
        case "string_type":
            wanted = "a string"
        case "int_type":
            wanted = "a whole number"
        case "bool_type":
            wanted = "true or false"
        case "list_type":
            wanted = "a list"
        case "dict_type":
            wanted = "an object"
        case "literal_error":
            return path, f"must be {detail['ctx']['expected']}"
        case _:  # such as a field name that is broken Unicode
            return path, "cannot be read"
    return path, f"must be {wanted}, not {kind_of(detail['input'])}"


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += ("." if path else "") + shown(step).strip('"')
    return path or "the object"
