"""Writes an alert as a message to the alerts topic: subject, email, SMS, and JSON for machines. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthscore.core.alerts.model import AlertKind
from healthscore.http.paths import encode_id
from healthscore.services.notifications.gsm import cut, one_line, to_ascii, to_gsm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from healthscore.core.alerts.model import Alert, Evidence

SUBJECT_CHARACTERS = 99
"""SNS asks for "less than 100" ASCII characters."""
SMS_CHARACTERS = 140
"""One SMS of the GSM 03.38 alphabet, as SNS counts it. SNS sends a longer text as several, each at a price."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to the alerts topic."""

    subject: str
    """At most 99 printable ASCII characters."""
    email: str
    sms: str
    """At most 140 characters of the GSM alphabet that count as one each."""
    default: str
    """The alert as JSON, for SQS, Lambda, HTTPS and Firehose subscribers."""
    attributes: Mapping[str, str | list[str]]
    """The attributes that subscription filter policies can match; empty ones are left out."""


def message(alert: Alert, app_url: str | None = None) -> Message:
    """Write an alert as a message.

    Args:
        alert: the alert, or digest.
        app_url: where the screens are, such as `https://health.example.com`; the email then links to the account.
    """
    attributes: dict[str, str | list[str]] = {
        "kind": alert.kind.value,
        "kinds": [alert.kind.value, *(kind.value for kind in alert.merged)],
        "severity": alert.severity.value,
        "band": alert.band.value if alert.band else "",
        "owner": (alert.owner or "").strip(),
    }
    return Message(
        subject=_subject(alert),
        email=_email(alert, app_url),
        sms=_sms(alert),
        default=json.dumps(alert.to_json(), ensure_ascii=False, separators=(",", ":")),
        attributes={name: value for name, value in attributes.items() if value},
    )


def _subject(alert: Alert) -> str:
    urgency = f"[{alert.severity.value}] " if alert.kind is not AlertKind.DIGEST else ""
    return cut(one_line(urgency + _title(alert, to_ascii)), SUBJECT_CHARACTERS)


def _sms(alert: Alert) -> str:
    return cut(one_line(f"{_title(alert, to_gsm)}. {to_gsm(alert.action)}"), SMS_CHARACTERS)


def _title(alert: Alert, written: Callable[[str], str]) -> str:
    """The title in an alphabet, behind the account id where the alphabet loses letters of the account's name.

    Args:
        alert: the alert.
        written: writes a text in the alphabet.
    """
    title, account_id = written(alert.title), one_line(written(alert.account_id or ""))
    lost = any(character.isalnum() and not written(character) for character in alert.title)
    return f"{account_id}: {title}" if lost and account_id else title


def _email(alert: Alert, app_url: str | None) -> str:
    paragraphs = [alert.title, f"Why\n{alert.why}"]
    if alert.evidence:
        paragraphs.append("\n".join(["What changed", *(f"- {_line(item)}" for item in alert.evidence)]))
    paragraphs.append(f"What to do\n{alert.action}")
    if app_url:
        page = f"/accounts/{encode_id(alert.account_id)}" if alert.account_id is not None else ""
        paragraphs.append(f"Open {app_url.rstrip('/')}{page}")
    about = [
        f"Account: {alert.account_id}" if alert.account_id is not None else "",
        f"Owner: {alert.owner}" if alert.owner else "",
        f"Alert: {alert.alert_id}",
    ]
    paragraphs.append("\n".join(line for line in about if line))
    return "\n\n".join(paragraphs) + "\n"


def _line(item: Evidence) -> str:
    """One figure and its change: "Score: 80 (2026-11-15) -> 62 (2026-11-21), -18"."""
    since = f" ({item.since.isoformat()})" if item.since else ""
    after = f"{_shown(item.after)} ({item.day.isoformat()})"
    if item.before is None:
        return f"{item.what}: {after}"
    if item.before == item.after:
        return f"{item.what}: {after}, unchanged"
    moved = ""
    if isinstance(item.before, int | float) and isinstance(item.after, int | float):
        moved = f", {item.after - item.before:+,.10g}"
    return f"{item.what}: {_shown(item.before)}{since} -> {after}{moved}"


def _shown(value: float | str | None) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else f"{value:,.10g}"
