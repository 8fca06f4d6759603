"""Which account a company is."""

from __future__ import annotations

import pytest

from healthscore.integrations.crm.facts import nothing_known
from healthscore.integrations.crm.mapping import FREE_MAIL, WORDS, Claim, Unmatched, claim, domain, loser, winner
from healthscore.integrations.crm.protocol import Company
from tools.fakes.server import START

ACCOUNTS = {"a": "a", "b": "b", "merged into b": "b"}
BY_DOMAIN = {"acme.com": ["a"], "acme.de": ["a"], "beta.io": ["b"], "gmail.com": ["a"], "twice.com": ["a", "b"]}


def company(*domains: str, account_id: str | None = None) -> Company:
    return Company("1", "Acme", domains, account_id, nothing_known("hubspot", START))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (company("acme.com"), Claim("a", by_hand=False)),
        (company("ACME.com", "https://www.acme.de/path"), Claim("a", by_hand=False)),
        (company("gmail.com", "beta.io"), Claim("b", by_hand=False)),
        (company("beta.io", account_id="a"), Claim("a", by_hand=True)),
        (company(account_id="merged into b"), Claim("b", by_hand=True)),
        (company("acme.com", account_id="c"), Unmatched.ACCOUNT_UNKNOWN),
        (company("gmail.com"), Unmatched.FREE_MAIL),
        (company("", "nothing"), Unmatched.NO_DOMAIN),
        (company(), Unmatched.NO_DOMAIN),
        (company("sub.acme.com"), Unmatched.NO_ACCOUNT),
        (company("acme.com", "beta.io"), Unmatched.SEVERAL_ACCOUNTS),
        (company("twice.com"), Unmatched.SEVERAL_ACCOUNTS),
    ],
)
def test_claim__company__is_the_account_it_claims_or_none(given, found):
    assert claim(given, ACCOUNTS, BY_DOMAIN) == found


@pytest.mark.parametrize(
    ("given", "before", "found"),
    [
        (company("acme.com"), None, Claim("a", by_hand=False)),
        (company("acme.com", "new.com"), None, Claim("a", by_hand=False)),
        (company("acme.com"), "acme.com", Claim("a", by_hand=False)),
        (company("new.com"), None, Claim("new.com", by_hand=False)),
        (company("two.com"), None, Unmatched.SEVERAL_ACCOUNTS),
        (company("two.com"), "Two.com", Claim("Two.com", by_hand=False)),
        (company("two.com", "new.com"), "Two.com", Claim("Two.com", by_hand=False)),
        (company("two.com"), "gone", Unmatched.SEVERAL_ACCOUNTS),
    ],
)
def test_claim__account_whose_id_is_the_domain__takes_no_company_from_another(given, before, found):
    by_id = {"acme.com": ["acme.com"], "new.com": ["new.com"], "two.com": ["Two.com", "two.com"]}
    assert claim(given, ACCOUNTS, BY_DOMAIN, by_id, before) == found


@pytest.mark.parametrize(
    ("claims", "chosen"),
    [
        ({}, None),
        ({"1": False}, "1"),
        ({"1": True}, "1"),
        ({"1": False, "2": False}, None),
        ({"1": False, "2": True}, "2"),
        ({"1": True, "2": True}, None),
        ({"1": False, "2": True, "3": True}, None),
    ],
)
def test_winner__claims__are_decided_only_where_they_can_be(claims, chosen):
    assert winner(claims) == chosen


def test_loser__claims__gets_a_reason():
    assert loser({"1": False, "2": True}, "1") is Unmatched.SAME_DOMAIN
    assert loser({"1": True, "2": True}, "1") is Unmatched.SAME_ACCOUNT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acme.com", "acme.com"),
        (" https://WWW.Acme.com:8080/x?y ", "acme.com"),
        ("acme.com.", "acme.com"),
        ("mailto@acme.com", "acme.com"),
        ("acme", None),
        ("", None),
    ],
)
def test_domain__ways_to_write_it__are_one(text, expected):
    assert domain(text) == expected


def test_words__every_reason__has_some():
    assert set(WORDS) == set(Unmatched)


def test_free_mail__entries__are_domains_as_they_are_compared():
    assert {domain(name) for name in FREE_MAIL} == FREE_MAIL
