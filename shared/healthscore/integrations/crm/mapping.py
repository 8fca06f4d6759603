"""Decides which account a company is: by the account id in its record, or by its domains. It never guesses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from healthscore.integrations.crm.facts import UNKNOWN

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
"""Domains of mail providers, which do not identify a company."""


_LONGEST_DOMAIN = 253


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
"""What the user can do about it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The account that a company may be."""

    account_id: str
    by_hand: bool
    """Whether the company's record has the account id; otherwise the account was found by a domain."""


def domain(text: str) -> str | None:
    """A domain, or the domain of a web address, for comparing: in lower case, without `www.` and the final dot.

    None where it is none, or longer than any.
    """
    bare = text.strip().lower().partition("://")[2] or text.strip().lower()
    host = bare.partition("/")[0].rpartition("@")[2].partition(":")[0].removeprefix("www.").rstrip(".")
    return host if "." in host and " " not in host and len(host) <= _LONGEST_DOMAIN else None


def claim(
    company: Company,
    accounts: Mapping[str, str],
    by_domain: Mapping[str, Collection[str]],
    by_id: Mapping[str, Collection[str]] = MappingProxyType({}),
    before: str | None = None,
) -> Claim | Unmatched:
    """The account that a company claims, or why it claims none; claims of other companies are not looked at.

    Args:
        company: the company.
        accounts: the accounts that ids stand for; at least the company's `account_id` is in it, where it is known.
        by_domain: ids of accounts by exact domain, as their profiles say.
        by_id: the same of accounts whose id is a domain. A stranger with a public key may create such accounts, so they
            count where no profile says the domain, and take a company from no other account.
        before: the account that the company has claimed so far.
    """
    if company.account_id is not None:
        # Where somebody has entered what cannot be read, the domains may not be what is meant.
        known = None if company.account_id is UNKNOWN else accounts.get(company.account_id)
        return Unmatched.ACCOUNT_UNKNOWN if known is None else Claim(known, by_hand=True)
    domains = {name for text in company.domains if (name := domain(text)) is not None}
    if not domains:
        return Unmatched.NO_DOMAIN
    if not domains - FREE_MAIL:
        return Unmatched.FREE_MAIL
    stated, ids = (
        {account for name in domains - FREE_MAIL for account in found.get(name, ())} for found in (by_domain, by_id)
    )
    found = stated or {one for one in ids if one == before} or ids
    if not found:
        return Unmatched.NO_ACCOUNT
    if len(found) > 1:
        return Unmatched.SEVERAL_ACCOUNTS
    return Claim(found.pop(), by_hand=False)


def winner(claims: Mapping[str, bool]) -> str | None:
    """The company that is an account: the only one that claims it by account id, or else the only one by domain.

    Args:
        claims: by company id, whether the claim is by account id.

    Returns:
        The company's id; None where several companies claim the account in the same way, or none does.
    """
    by_hand = [company for company, is_by_hand in claims.items() if is_by_hand]
    candidates = by_hand or list(claims)
    return candidates[0] if len(candidates) == 1 else None


def loser(claims: Mapping[str, bool], company_id: str) -> Unmatched:
    """Why a company that claims an account is not matched with it."""
    return Unmatched.SAME_ACCOUNT if claims[company_id] else Unmatched.SAME_DOMAIN
