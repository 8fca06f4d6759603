"""Takes a user out of an account's decisions and findings (table History); their texts stay, with nobody in them.

A night that has read the user's activity or the profile before cannot add to them behind this: its transaction fails
once the stored use was written anew, or a champion taken off the profile, both of which come before this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthscore.storage import codec, conditions, schema, writes
from healthscore.storage.accounts import risk_history
from healthscore.storage.errors import ConditionFailedError
from healthscore.storage.kinds import Kind
from healthscore.storage.retries import attempts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from healthscore.storage.erasure.eraser import UserErasure

USERS_COVERS = frozenset({Kind.DECISION, Kind.FINDING})


def erase_user(erasure: UserErasure) -> Iterator[int]:
    """Replace the user, under every id, in all of the account's decisions and findings."""
    people = {person[1:] for person in erasure.known_as}
    for _ in attempts("decisions of the account are being written"):
        try:
            for key, content in risk_history.all_of(erasure.account_id):
                without = _without(content, people)
                if without != content:
                    read = conditions.unchanged(risk_history.CONTENT, codec.dumps(content))
                    sets = {risk_history.CONTENT: codec.json_text(without)}
                    writes.apply(writes.update(schema.history_table(), key, read, sets=sets))
                    yield 1
        except ConditionFailedError:
            continue
        return


def _without(content: Any, people: Collection[str]) -> Any:  # noqa: ANN401  (JSON)
    """The same JSON value, with null in the place of ids in its lists of people."""
    if isinstance(content, dict):
        return {
            name: [None if one in people else one for one in value] if name == "people" else _without(value, people)
            for name, value in content.items()
        }
    return [_without(one, people) for one in content] if isinstance(content, list) else content
