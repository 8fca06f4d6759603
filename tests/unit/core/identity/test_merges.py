"""Merges of accounts as a value."""

from __future__ import annotations

from healthscore.core.identity.merges import NO_MERGES, Merges

CHAIN = NO_MERGES.with_merge("a", "b").with_merge("b", "c")


def test_canonical__of_any_id__is_the_account_that_goes_on():
    assert [CHAIN.canonical(account_id) for account_id in "abcx"] == ["c", "c", "c", "x"]


def test_with_merge__of_what_others_were_given_up_for__takes_them_along():
    assert CHAIN.into == {"a": "c", "b": "c"}
    assert (CHAIN.given_up_for("c"), CHAIN.given_up_for("b")) == (["a", "b"], [])


def test_moving_to__until_logs_are_moved__has_the_id():
    assert CHAIN.moving_to("c") == ["a", "b"]
    assert CHAIN.moved("a").moving_to("c") == ["b"]
    assert CHAIN.moved("a").canonical("a") == "c"


def test_without__an_account__forgets_all_that_was_given_up_for_it():
    other = CHAIN.with_merge("x", "y")
    assert other.without("c") == NO_MERGES.with_merge("x", "y")
    assert other.without("b").given_up_for("c") == ["a"]
    assert other.without("unknown") == other


def test_to_json__read_again__is_the_same():
    assert Merges.from_json(CHAIN.moved("a").to_json()) == CHAIN.moved("a")
