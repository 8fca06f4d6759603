"""Writes an alert as a message to the alerts topic: subject, email, SMS, and JSON for machines. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthscore.core.alerts.model import AlertKind, Severity
from healthscore.http.paths import encode_id
from healthscore.services.notifications.gsm import cut, one_line, to_ascii, to_gsm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from healthscore.core.alerts.model import Alert, Evidence

SUBJECT_CHARACTERS = 99
"""SNS asks for "less than 100" ASCII characters."""
_ID_CHARACTERS = 30
"""Of an account id that stands before a title, so that the title still has room."""
SMS_CHARACTERS = 140
"""One SMS of the GSM 03.38 alphabet, as SNS counts it. SNS sends a longer text as several, each at a price."""


_SHORT_ACTIONS = {
    Severity.HIGH: "Call today.",
    Severity.MEDIUM: "Get in touch today.",
    Severity.LOW: "Thank your contact.",
}
"""What to do, where an SMS has no room for the sentence."""


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
    return cut(urgency + _title(alert, to_ascii, SUBJECT_CHARACTERS - len(urgency)), SUBJECT_CHARACTERS)


def _sms(alert: Alert) -> str:
    """Whole sentences: the title, and as much of what to do as there is room for."""
    title, action = _sentence(_title(alert, to_gsm, SMS_CHARACTERS - 1)), _sentence(to_gsm(alert.action))
    first = _first_sentence(action)
    short = _SHORT_ACTIONS.get(alert.severity, "") if alert.account_id is not None else ""
    # What to do names the account as well.
    actions = (short, "") if alert.account_id is not None and _loses_name(alert, to_gsm) else (action, first, short, "")
    texts = [f"{title} {todo}".strip() for todo in actions]
    about = _id_in(alert, to_gsm)
    texts.append(f"There is an alert about {about}." if about else "There is an alert.")
    return next(text for text in texts if len(text) <= SMS_CHARACTERS)


def _sentence(text: str) -> str:
    line = one_line(text).rstrip(" .")
    return line if line.endswith(("?", "!")) else f"{line}."


def _first_sentence(text: str) -> str:
    """The first sentence of a text, or its first clause where that stands alone."""
    ends = [end for mark in (". ", "? ", ": ") if (end := text.find(mark)) > 0]
    return _sentence(text[: min(ends) + 1].rstrip(":")) if ends else text


def _title(alert: Alert, written: Callable[[str], str], room: int) -> str:
    """The title in an alphabet, behind the account id where the alphabet loses letters of the account's name.

    Of a name that has lost letters, its beginning goes where there is no room: a title keeps its end.

    Args:
        alert: the alert.
        written: writes a text in the alphabet.
        room: the length that there is room for.
    """
    title, about = one_line(written(alert.title)), _id_in(alert, written)
    if not about or not _loses_name(alert, written):
        return title
    words = title.split(" ")
    while len(words) > 1 and (len(about) + 2 + len(" ".join(words)) > room or not any(map(str.isalnum, words[0]))):
        del words[0]
    return f"{about}: {' '.join(words)}"


def _id_in(alert: Alert, written: Callable[[str], str]) -> str:
    """The account's id in an alphabet, shortened; as in the API's paths where the alphabet loses letters of it."""
    if alert.account_id is None:
        return ""
    lossless = any(map(str.isalnum, alert.account_id)) and not _loses(alert.account_id, written)
    shown = one_line(written(alert.account_id)) if lossless else one_line(written(encode_id(alert.account_id)))
    return shown if len(shown) <= _ID_CHARACTERS else f"{shown[: _ID_CHARACTERS - 3]}..."


def _loses_name(alert: Alert, written: Callable[[str], str]) -> bool:
    """Whether an alphabet loses letters of the title, or what it begins with: the account's name."""
    return _loses(alert.title, written) or not written(alert.title[:1]).strip()


def _loses(text: str, written: Callable[[str], str]) -> bool:
    return any(character.isalnum() and not written(character).strip() for character in text)


def _email(alert: Alert, app_url: str | None) -> str:
    """The title and what to do come first: who, what has changed, and what to do about it."""
    paragraphs = [f"{alert.title}\n{alert.action}", f"Why\n{alert.why}"]
    if alert.account_id is None and alert.evidence:
        # An alert about an account has its figures in `why`.
        paragraphs.append("\n".join(["In figures", *(f"- {_line(item)}" for item in alert.evidence)]))
    if app_url:
        page = f"/accounts/{encode_id(alert.account_id)}" if alert.account_id is not None else ""
        paragraphs.append(f"Open {app_url.rstrip('/')}{page}")
    about = [
        f"Account: {one_line(alert.account_id)}" if alert.account_id is not None else "",
        f"Owner: {one_line(alert.owner)}" if alert.owner else "",
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
