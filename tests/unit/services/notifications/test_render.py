from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthscore.core.alerts.change import FALLS, Change
from healthscore.core.alerts.model import Alert, AlertKind, Evidence, Severity
from healthscore.core.alerts.render import Subject, called, render
from healthscore.core.model import Band
from healthscore.core.time import DAY as DAYS
from healthscore.http.paths import encode_id
from healthscore.services.notifications.gsm import to_ascii
from healthscore.services.notifications.render import SMS_CHARACTERS, SUBJECT_CHARACTERS, message
from tests.unit.core.alerts.nights import DRIFTING, FIRST, lived

DAY = date(2026, 11, 21)


def alert(**fields):
    given_fields = {
        "alert_id": "2026-11-21-band_fell-822b33ad87c148a0a20a",
        "account_id": "acme",
        "kind": AlertKind.BAND_FELL,
        "severity": Severity.HIGH,
        "day": DAY,
        "created_at": datetime(2026, 11, 21, 2, tzinfo=UTC),
        "title": "Acme fell to critical: 38",
        "why": "The score went from 80 on 2026-11-15 to 38 on 2026-11-21.",
        "evidence": (
            Evidence("Score", day=DAY, before=80, after=38, since=date(2026, 11, 15)),
            Evidence("Band", day=DAY, before="healthy", after="critical", since=date(2026, 11, 15)),
            Evidence("Score, from the mean", day=DAY, before=80.4, after=38),
            Evidence("Last event", day=DAY, before=None, after="2026-11-13 10:00 UTC"),
            Evidence("CRM health score", day=DAY, before=50, after=None, since=date(2026, 11, 15)),
            Evidence("Accounts healthy", day=DAY, before=1200, after=1200),
        ),
        "action": "Call Acme today.",
        "band": Band.CRITICAL,
        "owner": "ana@example.com",
    }
    return Alert(**(given_fields | fields))


DIGEST = {"kind": AlertKind.DIGEST, "account_id": None, "band": None, "owner": None, "severity": Severity.LOW}


def test_message__email__says_who_and_what_to_do_first_and_why_once():
    assert message(alert(), "https://health.example.com/").email == (
        "Acme fell to critical: 38\n"
        "Call Acme today.\n"
        "\n"
        "Why\n"
        "The score went from 80 on 2026-11-15 to 38 on 2026-11-21.\n"
        "\n"
        "Open https://health.example.com/accounts/acme\n"
        "\n"
        "Account: acme\n"
        "Owner: ana@example.com\n"
        "Alert: 2026-11-21-band_fell-822b33ad87c148a0a20a\n"
    )


def test_message__digest__shows_its_figures():
    """Those of an alert about an account stand in its reasons already."""
    assert message(alert(**DIGEST)).email == (
        "Acme fell to critical: 38\n"
        "Call Acme today.\n"
        "\n"
        "Why\n"
        "The score went from 80 on 2026-11-15 to 38 on 2026-11-21.\n"
        "\n"
        "In figures\n"
        "- Score: 80 (2026-11-15) -> 38 (2026-11-21), -42\n"
        "- Band: healthy (2026-11-15) -> critical (2026-11-21)\n"
        "- Score, from the mean: 80.4 -> 38 (2026-11-21), -42.4\n"
        "- Last event: 2026-11-13 10:00 UTC (2026-11-21)\n"
        "- CRM health score: 50 (2026-11-15) -> none (2026-11-21)\n"
        "- Accounts healthy: 1,200 (2026-11-21), unchanged\n"
        "\n"
        "Alert: 2026-11-21-band_fell-822b33ad87c148a0a20a\n"
    )


@pytest.mark.parametrize("app_url", [None, ""])
def test_message__no_app_url__has_no_link(app_url):
    assert "Open " not in message(alert(), app_url).email


def test_message__account_id_of_any_characters__is_written_as_in_the_api():
    email = message(alert(account_id="aws/chalice"), "https://health.example.com").email
    assert "Open https://health.example.com/accounts/~YXdzL2NoYWxpY2U\n" in email


def test_message__digest__links_to_the_front_page_and_names_no_account():
    email = message(alert(**DIGEST, evidence=()), "https://health.example.com").email
    assert "Open https://health.example.com\n" in email
    assert "Account:" not in email
    assert "In figures" not in email


def test_message__subject__leads_with_the_severity():
    assert message(alert()).subject == "[high] Acme fell to critical: 38"


def test_message__digest__subject_is_the_title():
    assert message(alert(**DIGEST, title="2026-11-21: 3 accounts")).subject == "2026-11-21: 3 accounts"


def test_message__sms__is_title_and_action():
    assert message(alert()).sms == "Acme fell to critical: 38. Call Acme today."


@pytest.mark.parametrize(
    ("action", "sms"),
    [
        ("Call Acme. " + "Then write. " * 20, "Acme fell to critical: 38. Call Acme."),
        ("Call Acme: " + "and write " * 20, "Acme fell to critical: 38. Call Acme."),
        ("Call Acme " + "and write " * 20, "Acme fell to critical: 38. Call today."),
    ],
)
def test_message__long_action__sms_has_the_sentences_that_fit(action, sms):
    assert message(alert(action=action)).sms == sms


def test_message__title_without_end__sms_names_the_account_all_the_same():
    texts = message(alert(title="Acme " + "really " * 30 + "fell"))
    assert len(texts.subject) <= SUBJECT_CHARACTERS
    assert texts.sms == "There is an alert about acme."


def test_message__name_in_another_script__is_known_by_its_id():
    texts = message(alert(title="日本商事 fell to critical: 38", account_id="jp-17"))
    assert texts.subject == "[high] jp-17: fell to critical: 38"
    assert texts.sms.startswith("jp-17: fell to critical: 38.")


def test_message__accents__do_not_count_as_another_script():
    texts = message(alert(title="Société Ørsted fell to critical: 38"))
    assert texts.subject == "[high] Societe Orsted fell to critical: 38"
    assert texts.sms.startswith("Société Ørsted fell")


def test_message__default__is_the_alert_as_json():
    assert Alert.from_json(json.loads(message(alert()).default)) == alert()


def test_message__attributes__are_what_filter_policies_match():
    assert message(alert(merged=(AlertKind.SCORE_FELL,))).attributes == {
        "kind": "band_fell",
        "kinds": ["band_fell", "score_fell"],
        "severity": "high",
        "band": "critical",
        "owner": "ana@example.com",
    }


@pytest.mark.parametrize("owner", [None, "", "  "])
def test_message__no_owner__leaves_the_attribute_out(owner):
    """SNS refuses an attribute without a value."""
    assert "owner" not in message(alert(owner=owner)).attributes


def test_message__digest__has_neither_band_nor_owner():
    assert message(alert(**DIGEST)).attributes == {
        "kind": "digest",
        "kinds": ["digest"],
        "severity": "low",
    }


@given(title=st.text(min_size=1), action=st.text(), account_id=st.none() | st.text(min_size=1))
def test_message__any_texts__keep_to_what_mail_and_sms_can_carry(title, action, account_id):
    texts = message(alert(title=f"{title} fell", action=action, account_id=account_id))
    assert 1 <= len(texts.subject) < 100
    assert texts.subject.isascii()
    assert texts.subject.isprintable()
    assert not texts.subject.startswith(" ")
    assert 1 <= len(texts.sms) <= 140
    assert texts.sms.endswith((".", "?", "!"))


NAMES = {
    "empty": "",
    "spaces": "  \u00a0 ",
    "long": "Very Long Name & Sons of the North " * 15,
    "one long word": "x" * 500,
    "emoji": "🚀🚀",
    "many emoji": "🚀" * 500,
    "euros": "€" * 500,
    "ligatures": "\ufdfa" * 60,
    "right to left": "شركة المثال",
    "turned around": "\u202eemca\u202c",
    "newlines": "Acme\nLtd\r\n",
    "control characters": "Ac\x00me\x07 \x1b[31mLtd",
    "header injection": "Acme\r\nBcc: victim@example.com\r\n\r\nHello",
    "another script": "日本商事",
    "punctuation": "!!! ...",
}


@pytest.mark.parametrize("account_id", ["acme-17", "日本/商事", "🚀", "x" * 200, "a b:c?"])
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_message__whatever_an_account_is_called__every_text_names_it_and_ends(name, account_id):
    then, now = lived(FIRST), lived(FIRST + 4 * DAYS, **DRIFTING, seen=timedelta(days=8))
    subject = Subject(account_id, called(account_id, name), None)
    for kind in (*FALLS, AlertKind.RECOVERED, AlertKind.SNOOZE_OVER):
        assert_named_and_whole(message(render(Change(kind, 80, FIRST), subject, then, now)), account_id, subject.name)


def assert_named_and_whole(texts, account_id, name):
    title = texts.email.partition("\n")[0]
    known_by = [name[:2], account_id[:10], encode_id(account_id)[1:7]]
    for text in (texts.subject, texts.sms, title):
        assert any(part in text or (to_ascii(part).strip() and to_ascii(part) in text) for part in known_by), text
        assert text.isprintable()
    assert texts.subject.isascii()
    assert "..." not in texts.subject[-3:]
    assert len(texts.subject) <= SUBJECT_CHARACTERS
    assert len(texts.sms) <= SMS_CHARACTERS
    assert texts.sms.endswith((".", "?"))
    assert not texts.sms.endswith("..")
