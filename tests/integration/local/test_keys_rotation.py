"""A key is replaced without a moment in which none is valid, and stops working when its grace has passed."""

from datetime import UTC, datetime, timedelta

import pytest

from healthscore.http.api_keys import CachedKeys, Scope, authorize, key_hash
from healthscore.http.errors import ApiError
from healthscore.storage import workspace
from tools import keys

pytestmark = pytest.mark.usefixtures("moto")


def created(capsys, *, scope="read", name="back office"):
    assert keys.main(["create", "--scope", scope, "--name", name]) == 0
    return capsys.readouterr().out.strip()


def rotated(capsys, key, *options):
    assert keys.main(["rotate", key_hash(key)[:12], *options]) == 0
    return capsys.readouterr()


class Clock:
    """Both clocks of a warm function, put forward by hand."""

    def __init__(self):
        self.seconds = 0.0
        self.start = datetime.now(UTC)

    def monotonic(self):
        return self.seconds

    def now(self):
        return self.start + timedelta(seconds=self.seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def opens(clock):
    """Whether a warm function lets a key read."""
    find_key = CachedKeys(lambda digest: workspace.find_key(digest, clock=clock.now), clock=clock.monotonic)

    def ask(key):
        try:
            authorize({"authorization": f"Bearer {key}"}, Scope.READ, find_key)
        except ApiError:
            return False
        return True

    return ask


def test_rotate__key__gives_another_of_the_same_scope_and_name(capsys):
    old = created(capsys, scope="admin", name="me")
    shown = rotated(capsys, old)
    new = shown.out.strip()
    assert new != old
    found = workspace.find_key(key_hash(new))
    assert (found.scope, found.name, found.last4, found.valid_until) == ("admin", "me", new[-4:], None)


def test_rotate__no_grace__old_key_is_gone(capsys):
    old = created(capsys)
    rotated(capsys, old)
    assert [key.hash for key in workspace.api_keys()] != [key_hash(old)]
    assert workspace.find_key(key_hash(old)) is None


def test_rotate__grace__old_key_works_until_then_and_at_most_a_minute_more(capsys, clock, opens):
    old = created(capsys)
    new = rotated(capsys, old, "--grace", "24h").out.strip()
    for hours in (0, 23):
        clock.seconds = hours * 3600
        assert opens(old)
        assert opens(new)
    clock.seconds = 24 * 3600 + 60
    assert not opens(old)
    assert opens(new)


def test_revoked_key__warm_function_that_knows_it__refuses_it_within_a_minute(capsys, clock, opens):
    key = created(capsys)
    assert opens(key)
    assert keys.main(["revoke", key_hash(key)[:12]]) == 0
    clock.seconds = 60
    assert not opens(key)


def test_rotate__twice__does_not_lengthen_the_old_keys_life(capsys):
    old = created(capsys)
    rotated(capsys, old, "--grace", "90m")
    until = workspace.find_key(key_hash(old)).valid_until
    rotated(capsys, old, "--grace", "7d")
    assert workspace.find_key(key_hash(old)).valid_until == until


def test_list__rotated_key__shows_until_when_it_is_valid(capsys):
    old = created(capsys)
    rotated(capsys, old, "--grace", "7d")
    keys.main(["list"])
    (row,) = [row for row in capsys.readouterr().out.splitlines() if row.startswith(key_hash(old)[:12])]
    until = workspace.find_key(key_hash(old)).valid_until
    assert f"  {until:%Y-%m-%dT%H:%M:%SZ}  " in row


def test_expire_key__key_revoked_meanwhile__does_not_come_back(capsys):
    key = created(capsys)
    workspace.revoke_key(key_hash(key))
    workspace.expire_key(key_hash(key), datetime.now(UTC) + timedelta(days=1))
    assert workspace.api_keys() == []


def test_rotate__no_such_id__says_so_and_makes_no_key(capsys):
    assert keys.main(["rotate", "0123456789ab"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "`list` shows the ids" in captured.err
    assert workspace.api_keys() == []


@pytest.mark.parametrize("grace", ["soon", "1w", "-1h", "24", "99999d"])
def test_rotate__grace_that_is_none__refused(capsys, grace):
    with pytest.raises(SystemExit):
        keys.main(["rotate", "0123456789ab", f"--grace={grace}"])
    assert "such as 90m, 24h or 7d" in capsys.readouterr().err
