"""The rules for single fields of profiles, CRM facts and settings.

Each takes a JSON value and gives the value to keep, or raises ValueError with the rest of a sentence that starts with
the field's name.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from healthscore.core.contract import MAX_ARR
from healthscore.core.identity.ids import folded, normalised
from healthscore.core.identity.stored_size import stored_size
from healthscore.core.time import format_instant, parse_instant
from healthscore.http.errors import shown
from healthscore.http.ids import MAX_ACCOUNT_ID, MAX_USER_ID, id_fault, name_fault
from healthscore.http.plain import MAX_TEXT, has_control_characters, kind_of, read_day

if TYPE_CHECKING:
    from healthscore.settings import Settings

MAX_EMAIL = 254
MAX_TICKETS = 1_000_000
MAX_A_DAY = 1_000_000_000
MAX_CHAMPIONS = 100
MAX_ATTRIBUTES = 50
MAX_ATTRIBUTES_BYTES = 16 * 1024
MAX_MILESTONES = 50
MAX_PLACEHOLDERS = 200
MAX_NOT_COUNTED = 500
MAX_DATASET_ATTRIBUTES = 20
MAX_SETTINGS_BYTES = 160 * 1024
"""Of all settings together: the longest lists of the longest texts would not fit into an item."""
_DOMAIN = re.compile(r"[^@\s.]+(\.[^@\s.]+)*")
_EMAIL = re.compile(r'[^@\s,;:<>"]+@[^@\s,;:<>"]+')


def text(value: str) -> str:
    """One line of text that people read; spaces around it are taken off."""
    value = value.strip()
    if not value:
        raise ValueError("must not be blank; send null where there is none")
    if len(value) > MAX_TEXT:
        raise ValueError(f"must not be longer than {MAX_TEXT} characters; it has {len(value)}")
    if has_control_characters(value):
        raise ValueError("must not contain control characters or broken Unicode")
    return value


def email(value: str) -> str:
    """One e-mail address; whether it exists is not checked."""
    if len(value) > MAX_EMAIL or not value.isprintable() or not _EMAIL.fullmatch(value):
        raise ValueError("must be one e-mail address, such as ann@example.com")
    return value


def day(value: str) -> str:
    """A calendar day."""
    try:
        return read_day(value).isoformat()
    except ValueError as error:
        raise ValueError(f"cannot be read: {error}") from None


def instant(value: str) -> str:
    """An RFC 3339 timestamp with offset; kept in UTC, to the millisecond."""
    try:
        return format_instant(parse_instant(value))
    except ValueError as error:
        raise ValueError(f"cannot be read: {error}") from None


def day_or_instant(value: str) -> str:
    """A calendar day, or an RFC 3339 timestamp."""
    return instant(value) if ":" in value else day(value)


@dataclass(frozen=True, slots=True)
class Whole:
    """A rule for whole numbers, both ends included; None passes, for fields that may be null."""

    lowest: int
    highest: int

    def __call__(self, value: object) -> object:
        """Give the number, or raise as the other rules do."""
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            found = value if isinstance(value, float) else kind_of(value)
            raise ValueError(f"must be a whole number, not {found}")  # noqa: TRY004  (what Pydantic listens to)
        if not self.lowest <= value <= self.highest:
            raise ValueError(f"must lie between {self.lowest} and {self.highest}")
        return value


def tickets(value: object) -> object:
    """A number of tickets; true and false, for CRMs that only say whether there are any, count as 1 and 0."""
    return int(value) if isinstance(value, bool) else Whole(0, MAX_TICKETS)(value)


def amount(value: object) -> object:
    """An amount of money in the workspace's currency, not negative."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number, not {kind_of(value)}")  # noqa: TRY004  (what Pydantic listens to)
    if not 0 <= value <= MAX_ARR:
        raise ValueError(f"must lie between 0 and {MAX_ARR}")
    return value


def user_id(value: str) -> str:
    """The id of a user, as events carry it."""
    return _id(value, MAX_USER_ID)


def account_id(value: str) -> str:
    """The id of an account, as events carry it."""
    return _id(value, MAX_ACCOUNT_ID)


def _id(value: str, longest: int) -> str:
    value = normalised(value)
    fault = id_fault(value, longest)
    if fault is not None:
        raise ValueError(fault[1])
    return value


def champions(value: list[str]) -> list[str]:
    """User ids, each once, in the order sent."""
    if len(value) > MAX_CHAMPIONS:
        raise ValueError(f"must not name more than {MAX_CHAMPIONS} users; it names {len(value)}")
    return list(dict.fromkeys(value))


def attributes(value: dict[str, Any]) -> dict[str, Any]:
    """A flat object of whatever else the workspace knows about an account."""
    if len(value) > MAX_ATTRIBUTES:
        raise ValueError(f"must not have more than {MAX_ATTRIBUTES} entries; it has {len(value)}")
    for name, attribute in value.items():
        if text(name) != name:
            raise ValueError(f"must not have names with spaces at an end, such as {shown(name)}")
        if isinstance(attribute, list | dict):
            message = f"must be flat, but {shown(name)} is {kind_of(attribute)}"
            raise ValueError(message)  # noqa: TRY004  (what Pydantic listens to)
        if isinstance(attribute, float) and not isfinite(attribute):
            raise ValueError(f"must not hold a number as large as {shown(name)}")
    try:
        size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    except UnicodeEncodeError:
        raise ValueError("must not hold broken Unicode (half a surrogate pair)") from None
    if size > MAX_ATTRIBUTES_BYTES:
        raise ValueError(f"must not take more than {MAX_ATTRIBUTES_BYTES} bytes as compact JSON; it takes {size}")
    return value


def event_name(value: str) -> str:
    """The name of an event."""
    value = normalised(value)
    fault = name_fault(value)
    if fault is not None:
        raise ValueError(fault[1])
    return value


def milestones(value: list[str]) -> list[str]:
    """Names of the events that count as milestones, in the order they are shown."""
    if not 1 <= len(value) <= MAX_MILESTONES:
        raise ValueError(f"must name 1 to {MAX_MILESTONES} events; it names {len(value)}")
    if len(set(value)) < len(value):
        raise ValueError("must not name an event twice")
    return value


def dataset_attributes(value: list[str]) -> list[str]:
    """Names of attributes that the nightly dataset keeps, each once, in the order sent."""
    if len(value) > MAX_DATASET_ATTRIBUTES:
        raise ValueError(f"must not list more than {MAX_DATASET_ATTRIBUTES} attributes; it lists {len(value)}")
    return list(dict.fromkeys(value))


def placeholders(value: list[str]) -> list[str]:
    """Texts that stand in place of ids and name nobody, each once, in the order sent."""
    if len(value) > MAX_PLACEHOLDERS:
        raise ValueError(f"must not list more than {MAX_PLACEHOLDERS} texts; it lists {len(value)}")
    once: dict[str, str] = {}
    for text in value:
        once.setdefault(folded(text), normalised(text))
    return list(once.values())


def not_counted_ids(value: list[str]) -> list[str]:
    """Ids of users who do not count, each once, in the order sent."""
    return _listed([normalised(text) for text in value], "ids")


def email_domains(value: list[str]) -> list[str]:
    """Domains of e-mail addresses, each once, in the order sent."""
    domains = [text.strip().casefold().removeprefix("@") for text in value]
    for text, domain in zip(value, domains, strict=True):
        if not _DOMAIN.fullmatch(domain):
            raise ValueError(f"must list domains such as example.com, not {shown(text)}")
    return _listed(domains, "domains")


def name_patterns(value: list[str]) -> list[str]:
    """Patterns of people's names, each once, in the order sent."""
    patterns = [normalised(text) for text in value]
    for pattern in patterns:
        if not pattern.strip("*"):
            raise ValueError(f"must not list {shown(pattern)}, which fits every name")
    return _listed(patterns, "patterns")


def _listed(value: list[str], what: str) -> list[str]:
    if len(value) > MAX_NOT_COUNTED:
        raise ValueError(f"must not list more than {MAX_NOT_COUNTED} {what}; it lists {len(value)}")
    return list(dict.fromkeys(value))


def settings(value: Settings) -> Settings:
    """All settings together."""
    size = stored_size(value.to_json())
    if size > MAX_SETTINGS_BYTES:
        raise ValueError(
            f"must not take more than {MAX_SETTINGS_BYTES} bytes as compact JSON; they take {size}. Shorten "
            "milestones, identity.placeholders, identity.not_counted, integrations or features"
        )
    return value


def timezone(value: str) -> str:
    """A time zone by its IANA name."""
    if value not in available_timezones():
        raise ValueError("must be the IANA name of a time zone, such as Europe/Paris or UTC")
    return value
