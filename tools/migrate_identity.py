"""Turn what the version before stored of people into what this version stores. Once, after an upgrade.

    python -m tools.migrate_identity --accounts NAME --activity NAME --settings NAME

It uses the deployed tables (or those that the variables ACCOUNTS_TABLE, ACTIVITY_TABLE and SETTINGS_TABLE name) with
the AWS credentials and region of the shell. Events may come in meanwhile. It may be interrupted anywhere and run again,
and says so when nothing is left to do. docs/deploy.md says what works before it has run.

The version before kept a person's accounts and links in one item, `member`, and the events of people without an account
in logs that do not say where their entries count. All other events lay in the logs of accounts, where nothing said
whether an event had named the account. So:

1. What the items `member` say is recorded as calls, and the logs of people are placed by it.
2. Ids with events in the logs of accounts are noted there, and their entries get the labels of their people. They stay
   in the accounts that they were counted for.
3. What requests and crashes have left unsettled is settled.
4. The items of the version before are deleted.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from itertools import groupby, islice
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from healthscore.core.identity.relations import Relations
from healthscore.services.ingestion.relations import Recorder
from healthscore.storage import codec, reads, schema, workspace, writes
from healthscore.storage.accounts import accounts
from healthscore.storage.accounts.account_item import Unreadable
from healthscore.storage.client import dynamodb, pages
from healthscore.storage.day_logs import settle, whole_days
from healthscore.storage.day_logs.terms import Terms
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.people import ids
from healthscore.storage.retries import retried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from healthscore.core.identity.timeline import Point
    from healthscore.storage.codec import Item

T = TypeVar("T")

MEMBER, LINKS_PREFIX = "member", "L#"
"""Sort keys of the version before: a person's accounts and links, and the copy of a link at the user."""
MEMBERSHIPS, LINKS = "m", "l"
"""The attributes of a member: JSON of `[[milliseconds, account], …]`, and of the users that the id turned out to be."""
MOVE_MARK = "\x1f"
"""In the sort key of a pending move of the version before, behind the person."""
PEOPLE_AT_ONCE, ITEMS_AT_ONCE = 25, 100
REPORT_EVERY = 1000


def migrate(recorder: Recorder, say: Callable[[str], None]) -> bool:
    """Do all that is left to do; answers whether there was anything.

    Args:
        recorder: records what the items say, and settles.
        say: shows progress.

    Raises:
        StorageUnavailableError: something is left; the same call goes on.
    """
    terms = Terms.of(recorder.settings, recorder.now, recorder.time_left)
    people = _record_people(recorder, terms, say)
    noted = _note_accounts(terms, say)
    moves = _settle_rest(recorder)
    if people:
        _delete_items()
    return bool(people or noted or moves)


def _record_people(recorder: Recorder, terms: Terms, say: Callable[[str], None]) -> int:
    """Record what the items of the version before say, and place the logs of people; answers of how many people."""
    found = 0
    for some in _chunks(_old_partitions(), PEOPLE_AT_ONCE):
        with_logs = [id_ for id_, items in some if any(_is_head(item) for item in items)]
        for id_ in with_logs:
            _note_events(id_)
        members = {id_: item for id_, items in some for item in items if codec.text_of(item, "sk") == MEMBER}
        recorder.record(_relations(members))
        for id_ in with_logs:
            settle.settle(id_, terms)
        found += len(some)
        if found % REPORT_EVERY < len(some):
            say(f"{found} people so far")
    say(f"{found} people with items of the version before")
    return found


def _old_partitions() -> Iterator[tuple[str, list[Item]]]:
    """The ids of which the version before has left items, with these: members, and heads that say no places."""
    items = _scan(
        "begins_with(pk, :person) AND (sk = :member OR begins_with(sk, :link)"
        " OR (begins_with(sk, :head) AND attribute_not_exists(p)))",
        {":member": MEMBER, ":link": LINKS_PREFIX, ":head": schema.DAYS_PREFIX},
    )
    for pk, of_person in groupby(items, key=lambda item: codec.text_of(item, "pk")):
        yield schema.person_of(pk), list(of_person)


def _is_head(item: Item) -> bool:
    return codec.text_of(item, "sk").startswith(schema.DAYS_PREFIX)


@retried(ids.TOO_MANY_CHANGES)
def _note_events(id_: str) -> None:
    """Note in the record of an id that it has logs of its own, for what becomes known of it to reach them."""
    people = ids.read([id_])
    if not people.records[id_].has_events:
        people.records[id_].has_events = True
        writes.apply(people.put(id_))


def _relations(members: dict[str, Item]) -> Relations:
    """What members say, as calls.

    Nobody knows when an id turned out to be a user. An event of the id counted for the account that one of its users
    belonged to last by then; so each user takes the id over when the user's first membership begins.
    """
    relations = Relations()
    users = {user for id_, item in members.items() if id_.startswith("a") for user in _links(item)}
    first = _first_memberships(users)
    for id_, item in members.items():
        for point in _memberships(item):
            relations.grouped[id_].add(point)
        for user in _links(item):
            if id_.startswith("a"):
                relations.identified[id_].add((first.get(user, 0), user))
            else:
                relations.aliases.add((id_, user))
    return relations


def _first_memberships(users: Iterable[str]) -> dict[str, int]:
    table = schema.activity_table()
    wanted = [(table, codec.key(schema.person_pk(user), MEMBER)) for user in sorted(users)]
    items = reads.batch_get(wanted, {table: {"ConsistentRead": True}})
    found = {schema.person_of(codec.text_of(item, "pk")): _memberships(item) for _, item in items}
    return {user: min(points)[0] for user, points in found.items() if points}


def _memberships(item: Item) -> list[Point]:
    return [(at, account_id) for at, account_id in codec.json_of(item, MEMBERSHIPS, [])]


def _links(item: Item) -> Sequence[str]:
    links: list[str] = codec.json_of(item, LINKS, [])
    return links


def _note_accounts(terms: Terms, say: Callable[[str], None]) -> int:
    """Note the ids in the logs of accounts, and label their entries; answers in how many accounts something was new."""
    changed = number = 0
    for number, account in enumerate(accounts.scan(0, 1), start=1):
        if isinstance(account, Unreadable) or not account.erasing:
            changed += _note_account(account.account_id, terms)
        if number % REPORT_EVERY == 0:
            say(f"{number} accounts so far")
    say(f"{number} accounts, {changed} of them with people or labels that were not noted")
    return changed


def _note_account(account_id: str, terms: Terms) -> bool:
    changed = False
    pk = schema.activity_pk(account_id)
    for day in whole_days.days(pk):
        entries = whole_days.read_day(pk, day)
        named = sorted({one.person for one in entries if one.person is not None and settle.is_named(one)})
        people = ids.read_naming({(id_, account_id) for id_ in named})
        changed = changed or any((id_, account_id) not in people.noted for id_ in named)
        wrong = people.mislabelled(entries, day, terms.not_counted)
        if wrong:
            settle.settle_named(wrong, account_id, day, terms)
            changed = True
    return changed


def _settle_rest(recorder: Recorder) -> int:
    """Settle what notes lead to; answers how many pending moves of the version before lay there, which are deleted."""
    moves = 0
    for pk in schema.unsettled_pks():
        for item in pages(dynamodb().query, **reads.partition(schema.activity_table(), pk)):
            id_ = codec.text_of(item, "sk")
            if MOVE_MARK in id_:
                writes.apply(writes.delete(schema.activity_table(), codec.key_of(item)))
                moves += 1
            else:
                recorder.settle(id_)
    return moves


def _delete_items() -> None:
    """Delete the items of the version before: those of users last, since what those of visitors say depends on them."""
    links_and_visitors = (
        "begins_with(pk, :person) AND begins_with(sk, :link) OR begins_with(pk, :visitor) AND sk = :member"
    )
    values = {":link": LINKS_PREFIX, ":member": MEMBER, ":visitor": schema.person_pk("a")}
    _delete(_scan(links_and_visitors, values))
    _delete(_scan("begins_with(pk, :person) AND sk = :member", {":member": MEMBER}))


def _delete(items: Iterable[Item]) -> None:
    for some in _chunks(items, ITEMS_AT_ONCE):
        writes.delete_all(schema.activity_table(), [codec.key_of(item) for item in some])


def _chunks(all_of_them: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(all_of_them)
    while chunk := list(islice(rest, size)):
        yield chunk


def _scan(only: str, values: dict[str, str]) -> Iterator[Item]:
    return pages(
        dynamodb().scan,
        TableName=schema.activity_table(),
        ConsistentRead=True,
        FilterExpression=only,
        ProjectionExpression="pk, sk, m, l",
        ExpressionAttributeValues={
            name: codec.text(value) for name, value in {":person": schema.person_pk(""), **values}.items()
        },
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit status: 0, or 1 with the reason on standard error.
    """
    options = vars(_parser().parse_args(arguments))
    for name, table in options.items():
        if not table:
            print(f"Which table? Give --{name} NAME (an output of the stack).", file=sys.stderr)
            return 1
        os.environ[_variable(name)] = table
    try:
        settings = workspace.settings().settings
        done = migrate(Recorder(settings, datetime.now(UTC), lambda: float("inf")), print)
    except (BotoCoreError, ClientError, StorageUnavailableError) as error:
        print(f"Not finished, run it again: {error.__cause__ or error}", file=sys.stderr)
        return 1
    print("All of it is done." if done else "There was nothing to do.")
    return 0


def _variable(name: str) -> str:
    return f"{name.upper()}_TABLE"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.migrate_identity",
        description="Turn what an earlier version stored of people into this one's.",
    )
    for name in ("accounts", "activity", "settings"):
        variable = _variable(name)
        parser.add_argument(f"--{name}", default=os.environ.get(variable), help=f"the {name} table ({variable})")
    return parser


if __name__ == "__main__":
    sys.exit(main())
