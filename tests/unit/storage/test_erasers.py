"""Every kind of item is erased by something, or says why it names nobody."""

from __future__ import annotations

import pytest

from healthscore.storage.erasure import accounts, users
from healthscore.storage.kinds import Kind

OF_ACCOUNTS = frozenset().union(*(eraser.COVERS for eraser in accounts.ERASERS))
OF_USERS = frozenset().union(*(eraser.USERS_COVERS for eraser in users.ERASERS))


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name.lower())
def test_kind__of_item__has_an_eraser_or_a_reason_to_have_none(kind):
    if kind.value.nobody:
        assert not kind.value.people
        assert kind not in OF_ACCOUNTS | OF_USERS
    else:
        assert kind in OF_ACCOUNTS, "no eraser of accounts covers it"
        assert (kind in OF_USERS) == kind.value.people, "an eraser of users covers it where it can name a person"


def test_account_erasers__each_kind__is_covered_by_one():
    assert sum(len(eraser.COVERS) for eraser in accounts.ERASERS) == len(OF_ACCOUNTS)


def test_account_erasers__the_accounts_own_item__is_erased_last():
    assert Kind.ACCOUNT in accounts.ERASERS[-1].COVERS
