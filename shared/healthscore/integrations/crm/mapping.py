"""Which account a company is: entered by hand, or found by its domain, and never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from healthscore.integrations.crm.protocol import Company

FREE_MAIL = frozenset(
    """
    126.com 163.com aol.com att.net bellsouth.net bigpond.com bluewin.ch btinternet.com comcast.net cox.net
    daum.net duck.com earthlink.net email.com fastmail.com free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com
    gmx.de gmx.net googlemail.com hanmail.net hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.es
    hotmail.fr hotmail.it hushmail.com icloud.com inbox.com interia.pl laposte.net libero.it list.ru live.co.uk
    live.com live.fr live.nl mac.com mail.com mail.ru me.com msn.com naver.com o2.pl orange.fr outlook.com
    outlook.de outlook.fr pm.me posteo.de proton.me protonmail.com qq.com rediffmail.com rocketmail.com
    sbcglobal.net seznam.cz sfr.fr shaw.ca sina.com sky.com t-online.de talktalk.net tutanota.com verizon.net
    virginmedia.com wanadoo.fr web.de wp.pl yahoo.ca yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.br
    yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru yeah.net ymail.com zoho.com
    """.split()  # noqa: SIM905  (a hundred lines would be no easier to read)
)
"""Domains that anybody may have an address at: they say nothing about a company."""


class Unmatched(StrEnum):
    """Why a company is no account."""

    NO_DOMAIN = "no_domain"
    FREE_MAIL = "free_mail"
    NO_ACCOUNT = "no_account"
    ACCOUNT_UNKNOWN = "account_unknown"
    SEVERAL_ACCOUNTS = "several_accounts"
    SAME_DOMAIN = "same_domain"
    SAME_ACCOUNT = "same_account"


WORDS: Mapping[Unmatched, str] = {
    Unmatched.NO_DOMAIN: "It has neither an account id nor a domain: enter one of them in the CRM.",
    Unmatched.FREE_MAIL: "Its only domain is a free mail provider's: enter the account id in the CRM.",
    Unmatched.NO_ACCOUNT: "No account has its domain: nothing to do, unless it is a customer.",
    Unmatched.ACCOUNT_UNKNOWN: "The account id that is entered in the CRM is not known here: correct it there.",
    Unmatched.SEVERAL_ACCOUNTS: "Its domains belong to several accounts: enter the account id in the CRM.",
    Unmatched.SAME_DOMAIN: "Another company is the same account: merge the two, or enter the account id in one.",
    Unmatched.SAME_ACCOUNT: "The same account id is entered in another company: remove it from one of them.",
}
"""What to do about it, in words."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The account that a company may be."""

    account_id: str
    by_hand: bool


def domain(text: str) -> str | None:
    """A domain or web address made comparable: lower case, without scheme, `www.`, port, path and final dot."""
    bare = text.strip().lower().partition("://")[2] or text.strip().lower()
    host = bare.partition("/")[0].rpartition("@")[2].partition(":")[0].removeprefix("www.").rstrip(".")
    return host if "." in host and " " not in host else None


def claim(company: Company, accounts: Collection[str], by_domain: Mapping[str, Collection[str]]) -> Claim | Unmatched:
    """The account that a company may be, as far as the company itself tells.

    Args:
        company: the company.
        accounts: ids of the accounts that are known (of those in question, at least).
        by_domain: accounts by their exact domain.
    """
    if company.account_id:
        known = company.account_id in accounts
        return Claim(company.account_id, by_hand=True) if known else Unmatched.ACCOUNT_UNKNOWN
    domains = {name for text in company.domains if (name := domain(text)) is not None}
    if not domains:
        return Unmatched.NO_DOMAIN
    if not domains - FREE_MAIL:
        return Unmatched.FREE_MAIL
    found = {account for name in domains - FREE_MAIL for account in by_domain.get(name, ())}
    if not found:
        return Unmatched.NO_ACCOUNT
    if len(found) > 1:
        return Unmatched.SEVERAL_ACCOUNTS
    return Claim(found.pop(), by_hand=False)


def winner(claims: Mapping[str, bool]) -> str | None:
    """The one company that is an account, of those that claim it; None where that cannot be told.

    Args:
        claims: by company id, whether the account was entered by hand, which goes before a domain.
    """
    by_hand = [company for company, is_by_hand in claims.items() if is_by_hand]
    candidates = by_hand or list(claims)
    return candidates[0] if len(candidates) == 1 else None


def loser(claims: Mapping[str, bool], company_id: str) -> Unmatched:
    """Why a company that claims an account does not get it."""
    return Unmatched.SAME_ACCOUNT if claims[company_id] else Unmatched.SAME_DOMAIN
