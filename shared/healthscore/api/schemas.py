"""The JSON bodies that Pydantic checks: profiles, CRM facts, settings, acknowledgements.

Pydantic takes longer to import than the rest of a function's own code, so a route imports this module when it has a
body to check. The types are dictionaries of what was sent rather than models with defaults, since a field left out, a
field sent as null and a field with its default are three different things here. The text under a field describes it in
the API's description.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Required

from pydantic import AfterValidator, BeforeValidator, ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from healthscore.api import alert_schemas, fields, signal_fields
from healthscore.api.signal_schemas import EarlyWarning, OwnSignals
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


@with_config(_STRICT)
class Profile(TypedDict, total=False):
    """What people know about an account."""

    name: Text | None
    """Spaces around it are taken off, as in all texts of a profile."""
    owner: Text | None
    """Who looks after the account."""
    owner_email: Annotated[str, AfterValidator(fields.email)] | None
    """One e-mail address."""
    plan: Text | None
    """The plan or edition that the customer has bought."""
    arr: Annotated[Any, BeforeValidator(fields.amount)]
    """Annual recurring revenue, in the workspace's one currency."""
    renewal_date: Day | None
    """When the contract renews."""
    created_at: Annotated[str, AfterValidator(fields.day_or_instant)] | None
    """Since when it is a customer: a day, or an instant with an offset."""
    attributes: Annotated[dict[str, Any], AfterValidator(fields.attributes)] | None
    """Whatever else there is to know, flat; up to 16 KiB as compact JSON."""
    champions: Annotated[list[Annotated[str, AfterValidator(fields.user_id)]], AfterValidator(fields.champions)] | None
    """Ids of the users who stand up for the product."""
    expected_cadence_days: Annotated[int | None, BeforeValidator(fields.Whole(1, 365))]
    """How many days may pass between two visits while all is well."""
    usage_mode: Literal["continuous", "periodic"] | None
    """Used all year round, or in bursts, such as at the end of a quarter."""
    usage_channel: Literal["people", "api", "both"] | None
    """By what it uses the product; of an `api` there are no users and no champions to watch."""
    signals: Annotated[OwnSignals, AfterValidator(signal_fields.own_signals)] | None
    """What its signals are made of, where it is otherwise than the settings say."""


@with_config(_STRICT)
class Crm(TypedDict, total=False):
    """What a CRM says about an account: a field left out is unknown, null says that there is none."""

    provider: Text | None
    """Where the facts come from."""
    open_tickets: Annotated[int | None, BeforeValidator(fields.Whole(0, fields.MAX_TICKETS))]
    """How many support tickets are open, those of high priority included."""
    high_priority_open: Annotated[int | None, BeforeValidator(fields.tickets)]
    """How many of them are of high priority; true and false stand for 1 and 0."""
    last_meeting_at: Instant | None
    """When the last meeting was."""
    last_email_at: Instant | None
    """When the last e-mail was exchanged."""
    last_contact_at: Instant | None
    """When the last contact of any kind was."""
    active_deal: bool | None
    """Whether a deal is open, or won with its renewal ahead."""
    deal_updated_at: Instant | None
    """When that deal was last touched."""
    renewal_date: Day | None
    """When the deal renews."""
    churned: bool | None
    """Whether the customer has left."""


@with_config(_STRICT)
class NotCounted(TypedDict, total=False):
    """The users who do not count, as staff and machines, beside those whom calls mark by the trait `internal`."""

    ids: Annotated[list[Text], AfterValidator(fields.not_counted_ids)]
    """User and anonymous ids."""
    email_domains: Annotated[list[Text], AfterValidator(fields.email_domains)]
    """Domains of their e-mail addresses, those below them included."""
    names: Annotated[list[Text], AfterValidator(fields.name_patterns)]
    """Patterns of their names; a star stands for any text."""


@with_config(_STRICT)
class Identity(TypedDict, total=False):
    """Who is who."""

    placeholders: Annotated[list[Text], AfterValidator(fields.placeholders)]
    """Ids that name nobody, beside those that name nobody anywhere, such as `undefined`: they are read as not sent."""
    not_counted: NotCounted
    """Events of these users are kept and counted apart. A change holds for the past as well, from the next night on."""


@with_config(_STRICT)
class PublicKeys(TypedDict, total=False):
    """What keys of the scope `write` may send, which may be public; keys of other scopes have no such limits."""

    events_only: bool
    """Whether they send nothing but events: identify, group and alias calls are rejected."""
    known_accounts_only: bool
    """Whether they create no accounts: what names an unknown one is rejected."""
    events_per_day: Annotated[int, BeforeValidator(fields.Whole(1, fields.MAX_A_DAY))]
    """Events and calls that each of them may send in a day of UTC."""
    new_accounts_per_day: Annotated[int, BeforeValidator(fields.Whole(0, fields.MAX_A_DAY))]
    """Accounts that each of them may create in a day of UTC."""


@with_config(_STRICT)
class Dataset(TypedDict, total=False):
    """What the nightly dataset has beside its own columns."""

    attributes: Annotated[list[Text], AfterValidator(fields.dataset_attributes)]
    """Names of the accounts' attributes that each row keeps; choose none that tells of a person."""


@with_config(_STRICT)
class WorkspaceSettings(EarlyWarning, total=False):
    """What a workspace can choose; what is left out has its default."""

    timezone: Annotated[str, AfterValidator(fields.timezone)]
    """IANA name of the zone whose days are counted; fixed by the first event."""
    milestones: Annotated[list[Annotated[str, AfterValidator(fields.event_name)]], AfterValidator(fields.milestones)]
    """Names of the events that count as milestones, for the past as well."""
    retention_days: Annotated[int, BeforeValidator(fields.Whole(1, MAX_RETENTION_DAYS))]
    """How far back events are accepted and scores can be asked for."""
    alerts: alert_schemas.Alerts
    """Which changes are alerted; a rule that is left out has its defaults."""
    identity: Identity
    """Who is who."""
    public_keys: PublicKeys
    """What public keys may send."""
    dataset: Dataset
    """What the nightly dataset has beside its own columns."""


@with_config(_STRICT)
class Acknowledgement(TypedDict, total=False):
    """What acknowledges an alert."""

    by: Required[Text]
    """Who looks after the account's trouble."""
    reason: Text | None
    """Why, or how; shown with the alert."""


@with_config(_STRICT)
class Snooze(TypedDict, total=False):
    """What snoozes an alert."""

    by: Required[Text]
    """Who snoozes it."""
    reason: Required[Text]
    """Why; shown with the alert, and alerted again when the time is over."""
    until: Required[Instant]
    """When it is alerted again if nothing has changed: in the future, at most 30 days ahead."""


@with_config(_STRICT)
class Merge(TypedDict, total=False):
    """What merges an account into another one."""

    into: Required[Annotated[str, AfterValidator(fields.account_id)]]
    """The id of the account that goes on."""


_PROFILE: TypeAdapter[Profile] = TypeAdapter(Profile)
_CRM: TypeAdapter[Crm] = TypeAdapter(Crm)
_SETTINGS: TypeAdapter[WorkspaceSettings] = TypeAdapter(WorkspaceSettings)
_ACKNOWLEDGEMENT: TypeAdapter[Acknowledgement] = TypeAdapter(Acknowledgement)
_SNOOZE: TypeAdapter[Snooze] = TypeAdapter(Snooze)
_MERGE: TypeAdapter[Merge] = TypeAdapter(Merge)


def read_profile(body: object) -> dict[str, Any]:
    """Check a profile, or the part of one that is to change.

    Returns:
        The fields that were sent; null where null was sent.

    Raises:
        ApiError: 400 `invalid_request`, with `fields` naming everything that is wrong.
    """
    return dict(_checked(_PROFILE, body, "profile"))


def merge_profile(stored: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A profile after a change, as JSON merge patch does it.

    Null takes a field away; the entries of attributes and of signals are merged one by one.

    Args:
        stored: the profile as it is; empty to replace it.
        change: what `read_profile` gave.

    Raises:
        ApiError: 400 `invalid_request`: together there are too many attributes, or signals.
    """
    merged = {**stored, **change}
    for name, rule in (("attributes", fields.attributes), ("signals", signal_fields.own_signals)):
        if change.get(name) is not None:
            merged[name] = _without_nulls({**stored.get(name, {}), **change[name]})
            try:
                rule(merged[name])
            except ValueError as error:
                raise _faulty([(name, f"after the change {error}")]) from None
    return _without_nulls(merged)


def read_crm(body: object, received_at: datetime) -> CrmFacts:
    """Check CRM facts.

    Raises:
        ApiError: 400 `invalid_request`, with `fields` naming everything that is wrong.
    """
    fields = _checked(_CRM, body, "CRM facts")
    if not fields:
        raise invalid_request(
            f"The body says nothing: send at least one of {', '.join(Crm.__annotations__)}. "
            "A field left out is unknown; null says that there is none."
        )
    if "open_tickets" in fields and (fields.get("high_priority_open") or 0) > (fields["open_tickets"] or 0):
        raise _faulty([("high_priority_open", "must not be more than open_tickets, which counts them too")])
    return crm_from_json({**fields, "received_at": format_instant(received_at)})


def read_settings(body: object) -> Settings:
    """Check the settings of a workspace.

    Returns:
        The settings; what was left out has its default.

    Raises:
        ApiError: 400 `invalid_request`, with `fields` naming everything that is wrong.
    """
    try:
        return fields.settings(Settings.from_json(_checked(_SETTINGS, body, "settings")))
    except ValueError as error:
        raise invalid_request(f"Nothing was changed: the settings {error}.") from None


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
    fields = _checked(_SNOOZE, body, "snooze")
    if not now < parse_instant(fields["until"]) <= now + longest:
        raise _faulty([("until", f"must lie in the future, at most {longest.days} days ahead")])
    return dict(fields)


def read_merge(body: object) -> str:
    """The account that another one is to be merged into.

    Raises:
        ApiError: 400 `invalid_request`, with `fields` naming everything that is wrong.
    """
    return str(_checked(_MERGE, body, "account to merge into")["into"])


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
