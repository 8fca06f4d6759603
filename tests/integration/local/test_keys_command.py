"""The operator's command for API keys."""

import os

import pytest

from healthscore.http.api_keys import key_hash
from healthscore.storage import workspace
from healthscore.storage.client import dynamodb
from tools import keys

pytestmark = pytest.mark.usefixtures("moto")


def created(capsys, *, scope="write", name="web frontend"):
    assert keys.main(["create", "--scope", scope, "--name", name]) == 0
    return capsys.readouterr().out.strip()


def test_create__key__printed_alone_on_standard_output_and_valid(capsys):
    key = created(capsys)
    found = workspace.find_key(key_hash(key))
    assert (found.scope, found.name, found.last4) == ("write", "web frontend", key[-4:])
    assert key.startswith("hs_write_")
    assert len(key.removeprefix("hs_write_")) == 48


def test_create__twice__different_keys(capsys):
    assert created(capsys) != created(capsys)


def test_create__key__not_stored(capsys):
    key = created(capsys)
    (item,) = dynamodb().scan(TableName=os.environ["SETTINGS_TABLE"])["Items"]
    assert key not in str(item)
    assert key[:-4][-8:] not in str(item)


def test_list__keys__shown_by_id_scope_name_and_last_characters(capsys):
    made = [created(capsys, scope="read", name="back office"), created(capsys, scope="admin", name="me")]
    assert keys.main(["list"]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split() == ["id", "scope", "ends", "in", "created", "valid", "until", "name"]
    for key, row, scope, name in zip(made, rows, ("read", "admin"), ("back office", "me"), strict=True):
        assert row.split()[:3] == [key_hash(key)[:12], scope, f"…{key[-4:]}"]
        assert row.endswith(name)
        assert key not in row


def test_revoke__listed_id__key_no_longer_valid_and_others_stay(capsys):
    gone, stays = created(capsys), created(capsys)
    assert keys.main(["revoke", key_hash(gone)[:12]]) == 0
    assert workspace.find_key(key_hash(gone)) is None
    assert workspace.find_key(key_hash(stays)) is not None


@pytest.mark.parametrize("wanted", ["0123456789ab", ""])
def test_revoke__no_such_id__says_so_and_changes_nothing(capsys, wanted):
    key = created(capsys)
    assert keys.main(["revoke", wanted]) == 1
    assert "`list` shows the ids" in capsys.readouterr().err
    assert workspace.find_key(key_hash(key)) is not None


def test_table__option__wins_over_the_variable(capsys, monkeypatch):
    table = os.environ["SETTINGS_TABLE"]
    monkeypatch.setenv("SETTINGS_TABLE", "elsewhere")
    assert keys.main(["list", "--table", table]) == 0


def test_table__missing__says_what_to_give(capsys, monkeypatch):
    monkeypatch.delenv("SETTINGS_TABLE")
    assert keys.main(["list"]) == 1
    assert "--table" in capsys.readouterr().err


def test_table__not_there__reason_in_words(capsys):
    assert keys.main(["create", "--scope", "read", "--name", "x", "--table", "elsewhere"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "The table elsewhere could not be used" in captured.err


def test_scope__unknown__refused(capsys):
    with pytest.raises(SystemExit):
        keys.main(["create", "--scope", "owner", "--name", "x"])
    assert "--scope" in capsys.readouterr().err
