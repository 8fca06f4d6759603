"""What calls say, in parts that are recorded one after the other."""

from __future__ import annotations

from healthscore.core.identity.relations import Relations

SAID = Relations(aliases={("uold", "uann")}, is_public=True)
SAID.identified["av"] |= {(1, "uann"), (2, "ubob")}
SAID.grouped["uann"].add((1, "acme"))
SAID.marked["uann"].add((1, True))
SAID.described["uann"]["email"] |= {"ann@acme.example", "ann@old.example"}


def parts_of(relations):
    halves = relations.halves()
    return [relations] if halves is None else [part for half in halves for part in parts_of(half)]


def test_halves__down_to_the_last__say_each_thing_once_and_who_said_it():
    parts = parts_of(SAID)
    assert [part.is_public for part in parts] == [True] * 7
    assert [pair for part in parts for pair in part.aliases] == [("uold", "uann")]
    for name in ("identified", "grouped", "marked"):
        said = getattr(SAID, name)
        found = [(id_, one) for part in parts for id_, of_id in getattr(part, name).items() for one in of_id]
        assert sorted(found) == sorted((id_, one) for id_, of_id in said.items() for one in of_id)
    emails = [one for part in parts for one in part.described["uann"]["email"]]
    assert sorted(emails) == sorted(SAID.described["uann"]["email"])


def test_halves__of_one_thing__are_none():
    assert Relations(aliases={("uold", "uann")}).halves() is None
