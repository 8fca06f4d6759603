"""Create, list, rotate and revoke API keys.

    python -m tools.keys create --scope write --name web-frontend --table NAME
    python -m tools.keys list --table NAME
    python -m tools.keys rotate ID --grace 24h --table NAME
    python -m tools.keys revoke ID --table NAME

It uses the deployed settings table (`--table`, or the variable SETTINGS_TABLE) with the AWS credentials and region of
the shell. A key is shown once, when it is created; its SHA-256 and its last four characters are stored.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from healthscore.core.time import format_instant
from healthscore.http.api_keys import Scope, key_hash
from healthscore.storage import workspace
from healthscore.storage.errors import StorageUnavailableError
from healthscore.storage.workspace import ApiKey

if TYPE_CHECKING:
    from collections.abc import Sequence

_ID_LENGTH = 12
_LAST = 4
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def add(key: str, scope: Scope, name: str, now: datetime) -> ApiKey:
    """Make a key valid.

    Args:
        key: the key itself.
        scope: its permissions.
        name: the person or program that uses it.
        now: the instant at which it is created, aware.

    Returns:
        The stored record of it.
    """
    kept = ApiKey(hash=key_hash(key), scope=scope, name=name, created_at=now, last4=key[-_LAST:])
    workspace.add_key(kept)
    return kept


def key_id(key: ApiKey) -> str:
    """The short id by which a key is rotated or revoked: the beginning of its hash."""
    return key.hash[:_ID_LENGTH]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit status: 0, or 1 with the reason on standard error.
    """
    options = _parser().parse_args(arguments)
    if not options.table:
        print("Which table? Give --table NAME or set SETTINGS_TABLE (an output of the stack).", file=sys.stderr)
        return 1
    os.environ["SETTINGS_TABLE"] = options.table
    try:
        match options.command:
            case "create":
                return _create(Scope(options.scope), options.name)
            case "list":
                return _list()
            case "rotate":
                return _rotate(options.id, options.grace)
            case _:
                return _revoke(options.id)
    except (BotoCoreError, ClientError, StorageUnavailableError) as error:
        cause = error.__cause__ or error
        print(f"The table {options.table} could not be used: {cause}", file=sys.stderr)
        return 1


def _create(scope: Scope, name: str) -> int:
    key = f"hs_{scope}_{secrets.token_hex(24)}"
    kept = add(key, scope, name, datetime.now(UTC))
    print(f"Key {key_id(kept)} ({scope}, {name}). It is shown only now:", file=sys.stderr)
    print(key)
    return 0


def _list() -> int:
    print(f"{'id':<{_ID_LENGTH}}  {'scope':<5}  {'ends in':<7}  {'created':<20}  {'valid until':<20}  name")
    for key in workspace.api_keys():
        created, until = _shown(key.created_at), _shown(key.valid_until) if key.valid_until else ""
        print(f"{key_id(key)}  {key.scope:<5}  …{key.last4:<6}  {created}  {until:<20}  {key.name}")
    return 0


def _rotate(wanted: str, grace: timedelta) -> int:
    """Make a key with the scope and name of the old one, and only then end the old one."""
    old = _find(wanted)
    if old is None:
        return 1
    _create(Scope(old.scope), old.name)
    if not grace:
        return _revoke(wanted)
    until = datetime.now(UTC) + grace
    until = until if old.valid_until is None else min(until, old.valid_until)
    workspace.expire_key(old.hash, until)
    print(f"{wanted} is valid until {_shown(until)}.", file=sys.stderr)
    return 0


def _revoke(wanted: str) -> int:
    key = _find(wanted)
    if key is None:
        return 1
    workspace.revoke_key(key.hash)
    words = f"Revoked {wanted} ({key.scope}, {key.name}). Warm functions may accept it for half a minute more."
    print(words, file=sys.stderr)
    return 0


def _find(wanted: str) -> ApiKey | None:
    found = next((key for key in workspace.api_keys() if key_id(key) == wanted), None)
    if found is None:
        print(f"There is no key with the id {wanted}; `list` shows the ids.", file=sys.stderr)
    return found


def _shown(at: datetime) -> str:
    return format_instant(at.replace(microsecond=0))


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,4})([mhd])", text, re.ASCII)
    if found is None:
        raise argparse.ArgumentTypeError("must be a number of minutes, hours or days, such as 90m, 24h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _parser() -> argparse.ArgumentParser:
    table = argparse.ArgumentParser(add_help=False)
    table.add_argument("--table", default=os.environ.get("SETTINGS_TABLE"), help="the settings table (SETTINGS_TABLE)")
    parser = argparse.ArgumentParser(
        prog="python -m tools.keys", description="Create, list, rotate and revoke API keys."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", parents=[table], help="make a new key and print it, once")
    create.add_argument("--scope", required=True, choices=[scope.value for scope in Scope])
    create.add_argument("--name", required=True, help="who or what the key is for")
    commands.add_parser("list", parents=[table], help="show what is kept of the keys")
    rotate = commands.add_parser("rotate", parents=[table], help="make a new key in place of one, and print it, once")
    rotate.add_argument("id", help="as `list` shows it")
    rotate.add_argument(
        "--grace",
        type=_duration,
        default=timedelta(),
        metavar="DURATION",
        help="how long the old key goes on working, such as 90m, 24h or 7d (not at all where it is left out)",
    )
    revoke = commands.add_parser("revoke", parents=[table], help="make a key invalid")
    revoke.add_argument("id", help="as `list` shows it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
